"""May a request that a cookie authenticates change anything? Only when our own page sent it, says the browser. Pure.

Browsers attach cookies to what any site makes them send, and tell where it came from: `Sec-Fetch-Site` (Fetch
Metadata), else `Origin`. A request that tells neither has no browser behind it, and no business with a cookie.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_TOLD = (b"sec-fetch-site", b"origin", b"host")


def may_change(method: str, headers: Iterable[tuple[bytes, bytes]], trusted: Collection[str]) -> bool:
    """`trusted`: other origins whose pages may send the cookie along. Names of headers in lower case."""
    if method in SAFE:
        return True
    told: dict[bytes, str] = {}
    for name, value in headers:
        if name in _TOLD:
            if name in told:  # twice: somebody added one
                return False
            told[name] = value.decode("latin-1").strip()
    origin, site = told.get(b"origin"), told.get(b"sec-fetch-site")
    if origin is not None and origin in trusted:
        return True
    if site is not None:
        return site == "same-origin"
    if origin is None:
        return False
    scheme, separator, host = origin.partition("://")
    return bool(separator) and scheme in ("http", "https") and host.lower() == told.get(b"host", "").lower() != ""
