"""How values are put into words on the page: times as people say them, numbers, and strings that strangers chose."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime

SHOWN = 120
_STEPS = ((60, 1, "s"), (3600, 60, "min"), (86400, 3600, "h"))


def ago(moment: datetime, now: datetime) -> str:
    """`just now`, `12 s ago`, `3 min ago`, `5 h ago`, `yesterday`, `6 days ago`, `4 Mar 2024`; `in 3 h` for later."""
    seconds = (now - moment).total_seconds()
    if abs(seconds) < 5:
        return "just now"
    distance = _distance(abs(seconds))
    if distance is None:
        return f"{moment.day} {moment:%b %Y}"
    if seconds < 0:
        return f"in {distance}"
    return "yesterday" if distance == "1 day" else f"{distance} ago"


def _distance(seconds: float) -> str | None:
    for limit, unit, name in _STEPS:
        if seconds < limit:
            return f"{int(seconds // unit)} {name}"
    days = int(seconds // 86400)
    return None if days > 30 else "1 day" if days == 1 else f"{days} days"


def iso(moment: datetime) -> str:
    """For a `datetime` attribute: RFC 3339 in UTC, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def clock(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def count(number: int) -> str:
    """12,480; from a million on 1.2 M."""
    return f"{number:,}" if number < 1_000_000 else f"{number / 1_000_000:.1f} M"


def percent(part: int, whole: int) -> str:
    """`0 %` and `100 %` only when it is nothing and all of it."""
    if not whole:
        return "–"
    share = 100 * part / whole
    if 0 < share < 1:
        return "< 1 %"
    return "> 99 %" if 99 < share < 100 else f"{share:.0f} %"


def shown(text: object) -> str:
    """A string that somebody else chose: cut, and with what is invisible or turns the line around made visible.

    Escaping for HTML is the template's business.
    """
    whole = str(text)
    return visible(whole) if len(whole) <= SHOWN else f"{visible(whole[:SHOWN])}…"


def visible(text: str) -> str:
    """The same, whole."""
    return "".join(_visible(sign) for sign in text)


def _visible(sign: str) -> str:
    if sign == " " or (sign.isprintable() and not unicodedata.category(sign).startswith(("C", "Z"))):
        return sign
    return f"\\u{ord(sign):04x}"


def until(seconds: int) -> str:
    """How long to wait, for a person."""
    return f"{seconds} s" if seconds < 90 else f"{-(-seconds // 60)} min"
