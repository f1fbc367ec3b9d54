"""What kinds of requests and answers have been seen: the currency of the gate where calls are few.

A shape says which parameters were sent and of what class their values were, never a value itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl

from api_gateway.evidence.media import ContentType
from api_gateway.evidence.observation import Observation
from api_gateway.routes import Route

MAX_PARAMETERS = 16
MAX_NAME = 40

_CLASSES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(pattern))
    for name, pattern in (
        ("empty", r"\s*"),
        ("zero", r"0+"),
        ("integer", r"[0-9]{1,18}"),
        ("negative", r"-[0-9]{1,18}"),
        ("decimal", r"[+-]?[0-9]*[.,][0-9]+"),
        ("date", r"[0-9]{4}-[0-9]{2}-[0-9]{2}"),
        ("time", r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.+Z-]+"),
        ("uuid", r"(?i)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
        ("flag", r"(?i)y|n|yes|no|true|false"),
        ("word", r"[A-Za-z]+"),
        ("code", r"[A-Za-z0-9][A-Za-z0-9_.:/-]*"),
    )
)


def value_class(value: str) -> str:
    """`integer` for 4711, `date` for 2024-02-29, `code` for NS-10023, `other text` for names outside ASCII."""
    if len(value) > 200:
        return "long"
    for name, pattern in _CLASSES:
        if pattern.fullmatch(value):
            return name
    return "text" if value.isascii() else "other text"


def request_shape(
    route: Route,
    query: str,
    *,
    form: Mapping[str, str] | None = None,
    headers: Iterable[str] = (),
    method: str | None = None,
) -> str:
    """One line: `GET since=date token=code`. Discriminators are the route's own and left out.

    `query` is the raw query string; `headers` names the request headers that the route looks at and were sent.
    """
    pairs = [*parse_qsl(query, keep_blank_values=True, encoding="latin-1"), *(form or {}).items()]
    classes: dict[str, str] = {}
    for name, value in pairs:
        if name not in route.query and name not in route.form:
            classes[name[:MAX_NAME]] = "repeated" if name in classes else value_class(value)
    steps = [f"{name}={kind}" for name, kind in sorted(classes.items())[:MAX_PARAMETERS]]
    if len(classes) > MAX_PARAMETERS:
        steps.append("…")
    steps += [f"{name.lower()}:" for name in sorted(headers)]
    return " ".join([method or route.method, *steps])


def outcome_class(answer: Observation) -> str:
    """Status, media type, what the body is like from afar: `200 application/xml <orders>`, `200 text/plain ERR|AUTH`.

    Old endpoints say "not found" with status 200, so the status alone does not tell outcomes apart.
    """
    if answer.status is None:
        return str(answer.failure)
    kind = ContentType.parse(answer.header("content-type"))
    look = _look(answer.body[:2000], kind.reading) if "content-encoding" not in dict(answer.headers) else ""
    return " ".join(part for part in (str(answer.status), kind.media_type, look) if part)


def _look(start: bytes, reading: str) -> str:
    text = start.decode("latin-1")
    if reading == "xml":
        found = re.search(r"<([A-Za-z_][\w.-]{0,40})", text)
        return f"<{found[1]}>" if found else ""
    if reading == "json":
        names = re.findall(r'[{,]\s*"([A-Za-z_][\w-]{0,30})"\s*:', text.partition("[")[0] or text)
        return "{" + ",".join(names[:3]) + "}" if text.lstrip()[:1] == "{" else text.lstrip()[:1]
    if reading in ("text", "csv"):
        found = re.match(r"([A-Z]{2,12}(?:[|:][A-Z]{2,12})?)\b", text)
        return found[1] if found else ""
    return ""
