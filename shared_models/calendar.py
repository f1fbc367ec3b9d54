"""Dates and moments that RFC 3339 can say, and those that PostgreSQL holds besides: infinity, before 1, after 9999.

    date        promises `format: date`: what it cannot say is read as null where null may be, and never taken
    date | str  promises either form, and is read and taken exactly as PostgreSQL writes it
    str         promises no form

The same for `datetime`. A plain `date` that may not be null keeps PostgreSQL's word there: `check` names the rows.
"""

from __future__ import annotations

import re
import types
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin

import sqlalchemy as sa

from shared_models.inputs import Taker
from shared_models.request_text import parse_instant
from shared_models.spelling import constant

if TYPE_CHECKING:
    from shared_models.values import Expression, Value

_DAY = "(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})"
_BEYOND = {
    "date": f"^(-?infinity|[1-9][0-9]{{4,6}}-{_DAY}|[0-9]{{4}}-{_DAY} BC)$",
    "date-time": f"^(-?infinity|[1-9][0-9]{{4,5}}-{_DAY}T{_CLOCK}|[0-9]{{4}}-{_DAY}T{_CLOCK} BC)$",
}
_BOUNDS = {
    "date": ("pg_catalog.date", "0001-01-01", "9999-12-31"),
    "date-time": ("pg_catalog.timestamptz", "0001-01-01 00:00:00+00", "9999-12-31 23:59:59.999999+00"),
}
_PLAIN_YEAR = re.compile(r"(?!0000)[0-9]{4}-(?!.*BC)", re.ASCII)
_AT_THE_EDGE = ("9999-12-31", "0001-01-01")
_EXPECTED = {
    "date": "a date, such as 2024-02-29",
    "date-time": "a moment with its offset, such as 2024-02-29T13:45:00Z",
}


def moment_schema(form: str, plain: type, wanted: Any) -> Mapping[str, Any] | None:
    """JSON Schema of a date or moment that is annotated so; None: it cannot be."""
    if wanted is plain:
        return {"type": "string", "format": form}
    if wanted is str:
        return {"type": "string"}
    if get_origin(wanted) in (Union, types.UnionType) and set(get_args(wanted)) - {type(None)} == {plain, str}:
        return either(form)
    return None


def either(form: str) -> Mapping[str, Any]:
    """`form` of RFC 3339, or what that has no word for."""
    return {"anyOf": [{"type": "string", "format": form}, {"type": "string", "pattern": _BEYOND[form]}]}


def promised_form(value: Value) -> str | None:
    """`date` or `date-time` where the value is promised in that form."""
    form = value.schema.get("format")
    return form if form in _BOUNDS else None


def beyond(value: Value, column: Expression) -> sa.ColumnElement[bool]:
    """Of a value with a promised form: does the row hold what the form cannot say? False or unknown for NULL."""
    low, high, read = *_bounds(value), value.read(column)
    return sa.and_(column.is_not(None), read.is_(None)) if value.lossy else sa.or_(read < low, read > high)


def kept_promise(value: Value, *, nullable: bool) -> Value:
    """The value, which is read as null where its promised form cannot say it, if it may be null; it takes none such."""
    form = promised_form(value)
    if form is None:
        return value
    take = value.take and _refusing(value.take, form)
    if not nullable:
        return replace(value, take=take)
    low, high, plain = *_bounds(value), value.read

    def read(column: Expression) -> Expression:
        shown = plain(column)
        return sa.case((sa.and_(shown >= low, shown <= high), shown))

    return replace(value, read=read, lossy=True, take=take)


def _bounds(value: Value) -> tuple[Expression, Expression]:
    spelling, low, high = _BOUNDS[value.schema["format"]]
    return constant(low, spelling), constant(high, spelling)


def _refusing(take: Taker, form: str) -> Taker:
    def within(given: Any) -> str:
        text = take(given)
        if not _PLAIN_YEAR.match(given):
            raise ValueError(_EXPECTED[form])
        if form == "date-time" and given.startswith(_AT_THE_EDGE):  # of which the offset decides
            parse_instant(given)
        return text

    return within
