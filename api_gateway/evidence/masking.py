"""A request as it may be kept: enough to find it again, no secret in it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import parse_qsl, quote, unquote_to_bytes

from api_gateway.consumers.identify import api_keys
from api_gateway.evidence.difference import MASK, SHOWN
from api_gateway.evidence.rules import Rules
from api_gateway.routes import BasicAuth, ClientCertificate, FormToken, HeaderToken, PathToken, QueryToken, Route

_NOBODY = Rules()


def masked_target(route: Route, target: str) -> str:
    """The request target with the value of everything masked that names the caller or is called like a secret."""
    path, _, query = target.partition("?")
    if isinstance(route.consumer, PathToken):
        path = re.sub(rf"\{{{re.escape(route.consumer.name)}\}}", MASK, route.path)
    token = route.consumer.name if isinstance(route.consumer, (QueryToken, FormToken)) else None
    shown = []
    for name, value in parse_qsl(query, keep_blank_values=True, encoding="latin-1"):
        hidden = name == token or _NOBODY.hides(name)
        shown.append(f"{quote(name, safe='')[:40]}={MASK if hidden and value else quote(value[:80], safe='/:,.')}")
    return (path[:SHOWN] + ("?" + "&".join(shown[:20]) if shown else ""))[: SHOWN * 2]


def secrets_of(route: Route, target: str, headers: Iterable[tuple[bytes, bytes]]) -> frozenset[str]:
    """The values by which this request names its caller, as an answer might repeat them."""
    pairs = [(name.lower(), value) for name, value in headers]
    found = {key.decode("latin-1") for key in api_keys(pairs)}
    match route.consumer:
        case QueryToken(name):
            query = target.partition("?")[2]
            found |= {value for key, value in parse_qsl(query, encoding="latin-1") if key == name}
        case HeaderToken(name):
            found |= {value.decode("latin-1") for key, value in pairs if key == name.lower().encode()}
        case PathToken(name):
            pattern = re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(route.path).replace(rf"\{{{name}\}}", "([^/]+)"))
            path = re.fullmatch(pattern, unquote_to_bytes(target.partition("?")[0]).decode("latin-1"))
            found |= {path[1]} if path else set()
        case BasicAuth() | FormToken() | ClientCertificate() | None:
            pass
    return frozenset(found)
