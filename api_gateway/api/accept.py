"""Which of the media types that we have does the caller want (RFC 9110, section 12.5.1)?"""

from __future__ import annotations

import re
from collections.abc import Sequence

JSON = "application/json"
_QUALITY = re.compile(r"q\s*=\s*([01](?:\.[0-9]{0,3})?)")


def chosen(accept: str | None, offered: Sequence[str]) -> str | None:
    """The best of what is offered, the first among equals; None: nothing of it is wanted.

    No header, or an empty one, wants anything.
    """
    if accept is None or not accept.strip():
        return offered[0]
    ranges = [_range(part) for part in accept.lower().split(",") if part.strip()]
    qualities = [_quality(media, ranges) for media in offered]
    best = max(qualities)
    return offered[qualities.index(best)] if best > 0 else None


def _range(part: str) -> tuple[str, float]:
    media, *parameters = [piece.strip() for piece in part.split(";")]
    found = [match for parameter in parameters if (match := _QUALITY.fullmatch(parameter))]
    return media, float(found[0][1]) if found else 1.0


def _quality(media: str, ranges: list[tuple[str, float]]) -> float:
    """The most specific range that matches decides."""
    for pattern in (media, media.partition("/")[0] + "/*", "*/*"):
        matching = [quality for asked, quality in ranges if asked == pattern]
        if matching:
            return max(matching)
    return 0.0
