"""What a write answers with: the row as it is now, where it is, and its tag; or as little as was preferred."""

from __future__ import annotations

import json
from urllib.parse import quote

from starlette.responses import Response

from api_gateway.api.calls import Call
from api_gateway.api.etag import tag_of
from api_gateway.api.wishes import Wishes
from api_gateway.api.written import Locked, Written
from api_gateway.errors import Problem
from shared_models.values import as_is, as_text

_OTHERWISE_IN_JSON = frozenset({"timestamp", "timestamptz"})  # than in PostgreSQL's text
_VARY = "Authorization, X-API-Key, Accept, Prefer"


def created(call: Call, row: Written, wishes: Wishes) -> Response:
    """201. A trial run answers 200 without Location: there is nothing there."""
    if wishes.is_trial:
        return _answer(200, row.document, row.tag, wishes)
    location = f"{call.path}/{_key(call, row)}"
    return _answer(201, row.document, row.tag, wishes, {"location": location})


def listed(rows: list[Written], wishes: Wishes) -> Response:
    """201 with the new rows in the order of the request."""
    body = b'{"data":[' + b",".join([row.document for row in rows]) + b"]}"
    return _answer(200 if wishes.is_trial else 201, body, None, wishes)


def changed(row: Written | Locked, wishes: Wishes) -> Response:
    tag = row.tag if isinstance(row, Written) else tag_of(row.document)
    return _answer(200, row.document, tag, wishes)


def removed(row: Locked, wishes: Wishes) -> Response:
    """204; a trial run shows what would go."""
    return _answer(200, row.document, None, wishes) if wishes.is_trial else _answer(204, b"", None, wishes)


def together(problems: list[Problem]) -> Problem:
    """The first problem, with the faults of all of them."""
    first = problems[0]
    first.errors = [error for problem in problems for error in problem.errors]
    return first


def _answer(
    status: int, body: bytes, tag: bytes | None, wishes: Wishes, more: dict[str, str] | None = None
) -> Response:
    headers = {"cache-control": "private, no-cache", "vary": _VARY, **(more or {})}
    if tag is not None and not wishes.is_trial:
        headers["etag"] = tag.decode("latin-1")
    if wishes.is_trial:
        headers["dry-run"] = "true"
    if status == 204:
        return Response(None, 204, headers)
    if wishes.is_minimal:
        headers["preference-applied"] = "return=minimal"
        return Response(None, 204, headers)
    return Response(body, status, headers, "application/json")


def _key(call: Call, row: Written) -> str:
    """As a request names it: what is stored, where that is what is shown; else from the document."""
    texts = list(row.key)
    for n, field in enumerate(call.resource.key):
        if field.value.read not in (as_is, as_text) or field.column.type.name in _OTHERWISE_IN_JSON:
            shown = json.loads(row.document)[field.name]
            texts[n] = str(shown).lower() if isinstance(shown, bool) else str(shown)
    return ",".join(quote(text, safe="") for text in texts)
