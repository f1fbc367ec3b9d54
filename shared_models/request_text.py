"""Texts with which a request may name a value: each parser gives what PostgreSQL reads, or says what it expects."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime

Parser = Callable[[str], str]


def matching(pattern: str, expected: str) -> Parser:
    """A parser that takes what the whole pattern matches."""
    form = re.compile(pattern)

    def parse(text: str) -> str:
        if not form.fullmatch(text):
            raise ValueError(expected)
        return text

    return parse


def whole_number(low: int, high: int) -> Parser:
    form = re.compile(r"-?[0-9]{1,20}")

    def parse(text: str) -> str:
        if not form.fullmatch(text) or not low <= int(text) <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return str(int(text))

    return parse


def one_of(labels: Iterable[str]) -> Parser:
    known = tuple(labels)

    def parse(text: str) -> str:
        if text not in known:
            raise ValueError("one of " + ", ".join(known))
        return text

    return parse


_BEYOND_DATE = re.compile(r"[0-9]{4,7}-[0-9]{2}-[0-9]{2}( BC)?|-?infinity", re.ASCII)
_BEYOND_INSTANT = re.compile(
    r"[0-9]{4,6}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})( BC)?|-?infinity",
    re.ASCII,
)


def _is_beyond(text: str, form: re.Pattern[str]) -> bool:
    """What RFC 3339 cannot say and PostgreSQL can: infinity, years before 1, years after 9999."""
    return form.fullmatch(text) is not None and not re.match(r"[0-9]{4}-(?!.*BC)", text)


def parse_date(text: str) -> str:
    """RFC 3339, or PostgreSQL's own text for what that cannot say."""
    if _is_beyond(text, _BEYOND_DATE):
        return text
    try:
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text, re.ASCII):
            raise ValueError
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise ValueError("a date, such as 2024-02-29") from None


_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+ -]\d\d:\d\d)", re.ASCII)


def parse_instant(text: str) -> str:
    """RFC 3339, or PostgreSQL's own text for what that cannot say.

    A blank before the offset is a `+` that the caller forgot to encode.
    """
    if _is_beyond(text, _BEYOND_INSTANT):
        return text
    try:
        if not _INSTANT.fullmatch(text):
            raise ValueError
        head, tail = text[:-6], text[-6:]
        tail = tail.replace(" ", "+") if not text.endswith(("Z", "z")) else tail.upper()
        moment = datetime.fromisoformat(head.upper() + tail)
        return moment.astimezone(UTC).isoformat(sep=" ")  # PostgreSQL knows no offset of 16 hours and more
    except (ValueError, OverflowError):
        raise ValueError("a moment with its offset, such as 2024-02-29T13:45:00Z") from None
