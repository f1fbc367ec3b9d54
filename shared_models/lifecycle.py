"""What will go, and when: said in the contract, in routes.py, and on every answer that is concerned.

Deprecated(since=date(2026, 9, 1), sunset=date(2027, 9, 1), link="https://partners.example/moving-to-v2")
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from email.utils import format_datetime

_URI = re.compile(r"(?:https?://[A-Za-z0-9]|/(?!/))[!#-;=?-\[\]_a-z~]*")


@dataclass(frozen=True, slots=True)
class Deprecated:
    """Something that callers should leave. A day means its beginning, in UTC; a moment must have a zone.

    since      from when on it should not be used any more; may lie ahead (RFC 9745)
    sunset     when it is expected to answer no longer (RFC 8594); not before `since`
    link       a page for people: what changes, and what to do
    successor  what to call instead: a path, or a whole address
    """

    since: date
    sunset: date | None = None
    link: str | None = None
    successor: str | None = None

    def __post_init__(self) -> None:
        """Raises ValueError for dates that cannot be, and for what is no address."""
        begins = _moment(self.since)
        if self.sunset is not None and _moment(self.sunset) < begins:
            raise ValueError(f"sunset {self.sunset} is before {self.since}, the day since which it is deprecated")
        for name, target in (("link", self.link), ("successor", self.successor)):
            if target is not None and not _URI.fullmatch(target):
                raise ValueError(f"{name}={target!r} must begin with https:// or /, and hold no blanks")

    def within(self, whole: Deprecated | None) -> Deprecated:
        """Of a part of something that is deprecated itself: the earlier dates, and the part's own links."""
        if whole is None:
            return self
        sunsets = [day for day in (self.sunset, whole.sunset) if day is not None]
        return Deprecated(
            min(self.since, whole.since, key=_moment),
            min(sunsets, key=_moment) if sunsets else None,
            self.link or whole.link,
            self.successor or whole.successor,
        )

    def succeeded_by(self, path: str | None) -> Deprecated:
        """With this successor where none is named."""
        return self if self.successor is not None or path is None else replace(self, successor=path)

    def headers(self) -> tuple[tuple[str, str], ...]:
        """`Deprecation` as a structured date (RFC 9745), `Sunset` as an HTTP date (RFC 8594), `Link` (RFC 8288)."""
        found = [("deprecation", f"@{int(_moment(self.since).timestamp())}")]
        if self.sunset is not None:
            found.append(("sunset", format_datetime(_moment(self.sunset), usegmt=True)))
        links = []
        if self.link is not None:
            links.append(f'<{self.link}>; rel="deprecation"; type="text/html"')
        if self.link is not None and self.sunset is not None:
            links.append(f'<{self.link}>; rel="sunset"; type="text/html"')
        if self.successor is not None:
            links.append(f'<{self.successor}>; rel="successor-version"')
        return (*found, ("link", ", ".join(links))) if links else tuple(found)

    def sentence(self) -> str:
        """For people who read the API document."""
        text = f"Deprecated since {_day(self.since)}"
        if self.sunset is not None:
            text += f", and gone after {_day(self.sunset)}"
        if self.successor is not None:
            text += f". Instead: `{self.successor}`"
        return f"{text}. See {self.link}" if self.link is not None else f"{text}."


def _moment(day: date) -> datetime:
    if not isinstance(day, datetime):
        return datetime(day.year, day.month, day.day, tzinfo=UTC)
    if day.tzinfo is None:
        raise ValueError(f"{day} must have a time zone, or be a day")
    return day.astimezone(UTC)


def _day(day: date) -> str:
    return _moment(day).date().isoformat()
