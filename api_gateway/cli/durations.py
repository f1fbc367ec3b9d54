"""How long something is, as an operator types it: `30m`, `12h`, `90d`."""

from __future__ import annotations

import re
from datetime import timedelta

from api_gateway.errors import UsageError

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def duration(text: str) -> timedelta:
    """Raises UsageError."""
    found = re.fullmatch(r"([0-9]{1,6})([smhd])", text)
    if found is None:
        raise UsageError(f"{text!r} is no duration: a number and s, m, h or d, such as 90d.")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def written(seconds: float) -> str:
    """As `duration` reads it, in the largest unit that leaves no rest: `1d` for 86400."""
    sizes = {unit: timedelta(**{name: 1}).total_seconds() for unit, name in _UNITS.items()}
    unit = next((unit for unit in "dhm" if seconds % sizes[unit] == 0), "s")
    return f"{seconds / sizes[unit]:g}{unit}"
