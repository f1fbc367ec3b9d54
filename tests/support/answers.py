"""Every answer of a typed API held against its own document: status, media type, body, headers.

    judge = Judge(document)      compiled once, as far as it is asked
    judge(method, path, status, headers, body)      raises AssertionError saying what the document does not say

What no path of the document covers (another method, an address that is not there) must be refused with a problem.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote

import jsonschema_rs

_ROOT = "urn:document"
_OF_HTTP = {
    "cache-control", "connection", "content-length", "content-type", "date", "idempotency-key", "server",
    "transfer-encoding", "vary",
}  # fmt: skip
_FILES = ("text/csv", "application/x-ndjson")
_DAY = r"(?!0000)[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_FULL_DATE = re.compile(_DAY)
_DATE_TIME = re.compile(_DAY + r"T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})")


def _is_day(text: str) -> bool:
    """RFC 3339, section 5.6."""
    return _FULL_DATE.fullmatch(text) is not None


def _is_moment(text: str) -> bool:
    return _DATE_TIME.fullmatch(text) is not None


class Judge:
    """Of one document."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self._registry = jsonschema_rs.Registry([(_ROOT, {**document, "$id": _ROOT})])
        self._paths = sorted(
            ((re.compile(_pattern(path)), path) for path in document["paths"]), key=lambda pair: pair[1].count("{")
        )
        self._validator = lru_cache(maxsize=None)(self._compiled)

    def __call__(self, method: str, path: str, status: int, headers: Mapping[str, str], body: bytes) -> None:
        place = next((known for pattern, known in self._paths if pattern.fullmatch(path)), None)
        item = self._document["paths"].get(place, {})
        operation = item.get("get" if method == "HEAD" else method.lower())
        told = f"{method} {path} answered {status}"
        file = f"{str(place).removesuffix(':export')}:export"
        if status == 200 and headers.get("content-type", "").startswith(_FILES) and file in self._document["paths"]:
            # A list that is asked for a file answers as the file's own address does.
            place, operation = file, self._document["paths"][file]["get"]
        if operation is None:
            self._unlisted(told, method, status, headers, body, listed=bool(item))
            return
        response = operation["responses"].get(str(status))
        assert response is not None, f"{told}, which {place} does not document: {body[:300]!r}"
        pointer = f"/paths/{_escaped(str(place))}/{'get' if method == 'HEAD' else method.lower()}/responses/{status}"
        if "$ref" in response:
            pointer = response["$ref"].removeprefix("#")
            response = self._at(pointer)
        self._headers(told, response, pointer, headers)
        self._body(
            told, response, pointer, headers.get("content-type"), b"" if method == "HEAD" else body, method, str(place)
        )

    def _unlisted(
        self, told: str, method: str, status: int, headers: Mapping[str, str], body: bytes, *, listed: bool
    ) -> None:
        if method == "OPTIONS" and status == 204:
            assert "OPTIONS" in headers["allow"], told
            return
        if not listed and status < 400:
            return  # pages, the document itself
        assert status >= 400, f"{told}, and the document does not know the method"
        assert status != 405 or headers["allow"], told
        assert headers["content-type"] == "application/problem+json", told
        if method != "HEAD":
            self._valid(told, "/components/schemas/Problem", json.loads(body))

    def _headers(self, told: str, response: Mapping[str, Any], pointer: str, headers: Mapping[str, str]) -> None:
        known = {name.lower(): (name, spec) for name, spec in response.get("headers", {}).items()}
        unknown = {name.lower() for name in headers} - known.keys() - _OF_HTTP
        assert not unknown, f"{told} with headers that are not documented: {sorted(unknown)}"
        for lowered, (name, spec) in known.items():
            at = spec["$ref"].removeprefix("#") if "$ref" in spec else f"{pointer}/headers/{_escaped(name)}"
            spec = self._at(at)
            if lowered not in headers:
                assert not spec.get("required"), f"{told} without {name}"
                continue
            value: object = headers[lowered]
            if spec["schema"].get("type") == "integer":
                value = int(headers[lowered])
            self._valid(f"{told}: {name}", f"{at}/schema", value)

    def _body(
        self,
        told: str,
        response: Mapping[str, Any],
        pointer: str,
        media: str | None,
        body: bytes,
        method: str,
        place: str,
    ) -> None:
        content = response.get("content")
        if content == {"application/json": {"schema": {}}}:
            return  # an operation that promises nothing about its answer
        if not content:
            assert not body, f"{told} with a body that is not documented: {body[:300]!r}"
            return
        kind = (media or "").partition(";")[0]
        assert kind in content, f"{told} as {kind}; documented: {', '.join(content)}"
        if method == "HEAD" or "schema" not in content[kind]:
            return
        at = f"{pointer}/content/{_escaped(kind)}/schema"
        if kind == "application/json" or kind.endswith("+json"):
            self._valid(told, at, json.loads(body))
        else:
            self._valid(told, at, body.decode())
        if kind == "application/x-ndjson":  # which no schema of OpenAPI 3.1 can say: each line is a row of the list
            listed = self._document["paths"][place.removesuffix(":export")]["get"]["responses"]["200"]
            page = str(listed["content"]["application/json"]["schema"]["$ref"]).removeprefix("#")
            for line in body.splitlines():
                self._valid(told, f"{page}/properties/data/items", json.loads(line))

    def _valid(self, told: str, pointer: str, value: object) -> None:
        error = next(self._validator(pointer).iter_errors(value), None)
        if error is not None:
            raise AssertionError(
                f"{told}, which is not as documented: {'/'.join(map(str, error.instance_path))}: {error.message[:600]}"
            )

    def _compiled(self, pointer: str) -> Any:
        return jsonschema_rs.Draft202012Validator(
            {"$ref": f"{_ROOT}#{quote(pointer, safe='/~')}"},
            registry=self._registry,
            validate_formats=True,
            formats={"date": _is_day, "date-time": _is_moment},
        )

    def _at(self, pointer: str) -> Any:
        found: Any = self._document
        for step in pointer.strip("/").split("/"):
            found = found[step.replace("~1", "/").replace("~0", "~")]
        return found

    def examples(self) -> list[str]:
        """The names of the schemas that have examples, each of which is as the schema says."""
        schemas = self._document["components"]["schemas"]
        shown = [name for name, schema in schemas.items() if "examples" in schema]
        for name in shown:
            for example in schemas[name]["examples"]:
                self._valid(f"the example of {name}", f"/components/schemas/{_escaped(name)}", example)
        return shown


class Judges:
    """All versions of an API: the judge is chosen by the address."""

    def __init__(self, documents: Iterable[Mapping[str, Any]]) -> None:
        listed = list(documents)
        self._judges = {_prefix(document): Judge(document) for document in listed}
        self._first = next(iter(self._judges.values()))

    def __call__(self, method: str, path: str, status: int, headers: Mapping[str, str], body: bytes) -> None:
        judge = next((one for prefix, one in self._judges.items() if path.startswith(prefix)), self._first)
        judge(method, path, status, headers, body)


def _prefix(document: Mapping[str, Any]) -> str:
    """`/api/v2/`: what most of its paths begin with; others belong to no version."""
    version = f"/{document['info']['version']}/"
    return next((path.partition(version)[0] + version for path in document["paths"] if version in path), "/")


def _pattern(path: str) -> str:
    return re.sub(r"\\\{[^/{}]+?\\\}", "[^/]+?", re.escape(path))


def _escaped(step: str) -> str:
    return step.replace("~", "~0").replace("/", "~1")
