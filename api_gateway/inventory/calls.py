"""One call, as a log or the edge tells it, and how its target is taken apart. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from api_gateway.evidence.rules import Rules

Headers = tuple[tuple[bytes, bytes], ...]

_RULES = Rules()
_TELLS_APART = frozenset(
    {
        "act", "action", "cmd", "command", "controller", "do", "event", "func", "function", "method", "mod", "mode",
        "module", "op", "operation", "task", "view",
    }
)  # fmt: skip
_VALUE = re.compile(r"[A-Za-z][A-Za-z_.-]{1,39}")
_STATIC = re.compile(r"(?i).*\.(?:css|js|mjs|map|png|jpe?g|gif|svg|ico|webp|avif|woff2?|ttf|eot|otf|mp4|webm)")


class Call(NamedTuple):
    """`target`: as it came, latin-1. `at`: seconds since 1970. `user`: of basic authentication, "" for none.

    times: how many calls this one stands for. headers: as in ASGI, where they are known.
    """

    method: str
    target: str
    status: int
    at: float
    address: str
    user: str = ""
    times: int = 1
    headers: Headers = ()


def path_and_query(target: str) -> tuple[str, str] | None:
    """Of an origin or absolute form (RFC 9112 section 3.2), without a fragment; None for any other."""
    if not target.startswith("/"):
        scheme, separator, rest = target.partition("://")
        if not separator or scheme.lower() not in ("http", "https"):
            return None
        authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
        target = rest[len(authority) :]
        target = target if target.startswith("/") else f"/{target}"
    path, _, query = target.partition("#")[0].partition("?")
    return path, query


def is_static(path: str) -> bool:
    """Pictures, scripts, styles: no endpoint, whoever serves them."""
    return _STATIC.fullmatch(path) is not None


def parameters(query: str) -> Iterable[tuple[str, str]]:
    """Names and values as they were sent; names decoded."""
    for piece in query.replace(";", "&").split("&") if query else ():
        name, _, value = piece.partition("=")
        if name:
            yield (name if "%" not in name and "+" not in name else plain(name)), value


def plain(text: str) -> str:
    return unquote_to_bytes(text.replace("+", " ").encode("latin-1", "replace")).decode("utf-8", "replace")


def tells_apart(name: str, value: str) -> bool:
    """Whether this parameter is likely to choose what the application does: `action=price`."""
    return name in _TELLS_APART and _VALUE.fullmatch(value) is not None


@lru_cache(maxsize=4096)
def is_secret(name: str) -> bool:
    return _RULES.hides(name)
