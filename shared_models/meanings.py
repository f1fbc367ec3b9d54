"""What a stored value means where the legacy schema does not say it: codes, flags, local times, sentinels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import sqlalchemy as sa
from pydantic import TypeAdapter, ValidationError

from shared_models.annotations import bare, name_of
from shared_models.calendar import moment_schema
from shared_models.request_text import one_of, parse_instant
from shared_models.snapshot import ColumnType
from shared_models.spelling import Spelled, cast_to, constant, quoted_text, type_name
from shared_models.values import EQUAL, ORDERED, Expression, Value, value_of

_NATURAL: dict[str, Any] = {"int2": int, "int4": int, "int8": int, "oid": int, "numeric": Decimal, "bool": bool}


def stored_text(value: Any, column_type: ColumnType) -> str:
    """A constant of the contract as PostgreSQL reads it. Raises ValueError when the column cannot hold it."""
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, bool) and column_type.name != "bool":
        raise ValueError(f"{value!r} is no value of {column_type.sql}")
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if isinstance(value, (date, datetime, time)):
        text = value.isoformat()
    if column_type.length is not None and len(text.rstrip(" ") if column_type.is_padded else text) > column_type.length:
        raise ValueError(f"{value!r} is longer than {column_type.sql}")
    if column_type.name in _NATURAL or column_type.kind == "enum":
        try:
            return value_of(column_type, _NATURAL.get(column_type.name, str)).parse(text)
        except ValueError as error:
            raise ValueError(f"{value!r} is no value of {column_type.sql}: {error} expected") from None
    return text


def coded(column_type: ColumnType, annotation: Any, values: Mapping[Any, Any], unknown: Any) -> Value:
    """Stored codes under other names; a code that is not listed is read as `unknown`. Raises ValueError."""
    spelling = type_name(column_type)
    names = {stored_text(code, column_type): _json_value(value, annotation) for code, value in values.items()}
    other = None if unknown is None else _json_value(unknown, annotation)
    known = list(dict.fromkeys([*names.values(), *([other] if other is not None else [])]))
    if len({type(name) for name in known}) != 1:
        raise ValueError("all the names must be strings, or all numbers, or all true and false")
    one_to_one = other is None and len(set(names.values())) == len(names)
    codes = {_request_text(name): code for code, name in names.items()}
    takes = one_of(_request_text(name) for name in known)
    result = _sql_type(known[0])
    stored = {_request_text(name): code for code, name in reversed(names.items())}  # the first code that is listed

    def take(value: Any) -> str:
        text = _request_text(value) if type(value) is type(known[0]) else ""
        if text not in stored:
            raise ValueError("one of " + ", ".join(stored))
        return stored[text]

    def read(column: Expression) -> Expression:
        cases = [(column == constant(code, spelling), _sql_constant(name)) for code, name in names.items()]
        if other is not None:  # no code at all is still none
            cases.append((column.is_(None), sa.null()))
        return sa.case(*cases, else_=_sql_constant(other))

    def parse(text: str) -> str:
        return codes[takes(text)] if one_to_one else takes(text)

    return Value(
        schema={"type": _json_type(known[0]), "enum": known},
        spelling=spelling,
        read=read,
        parse=parse,
        bind=lambda parameter: cast_to(parameter, spelling if one_to_one else result),
        operators=EQUAL,
        sortable=True,
        lossy=other is None,
        by_reading=not one_to_one,
        closed=True,
        take=take,
    )


def local(column_type: ColumnType, annotation: Any, zone: str) -> Value:
    """A timestamp without zone as the moment that a clock on the wall of `zone` showed. Raises ValueError."""
    if column_type.name != "timestamp" or column_type.is_array:
        raise ValueError(f"LocalTime is for timestamp without time zone, not for {column_type.sql}")
    wanted = bare(annotation)[0]
    schema = moment_schema("date-time", datetime, wanted)
    if schema is None or wanted is str:
        raise ValueError(f"LocalTime gives datetime, not {name_of(wanted)}")
    try:
        clock = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"there is no time zone {zone!r}") from None
    name: Expression = sa.literal_column(quoted_text(zone))
    return Value(
        schema=schema,
        spelling=type_name(column_type),
        read=lambda column: sa.func.timezone(name, column),
        parse=parse_instant,
        bind=lambda parameter: sa.func.timezone(name, sa.cast(parameter, sa.TIMESTAMP(timezone=True))),
        operators=ORDERED,
        sortable=True,
        take=lambda value: _on_the_wall(value, clock),
    )


def _on_the_wall(value: Any, clock: ZoneInfo) -> str:
    """What the clock shows at that moment. Of an hour that it shows twice, only the later can be told from it again."""
    if not isinstance(value, str):
        raise ValueError("a string")
    text = parse_instant(value)
    if text in ("infinity", "-infinity"):
        return text
    moment = datetime.fromisoformat(text)
    try:
        wall = moment.astimezone(clock).replace(tzinfo=None)
    except OverflowError:
        raise ValueError("a moment between the years 1 and 9999") from None
    if wall.replace(tzinfo=clock, fold=1).astimezone(UTC) != moment:
        raise ValueError(
            "a moment that the clock on the wall shows once: this hour comes twice, and the later is meant"
        )
    return wall.isoformat(sep=" ")


def without(value: Value, column_type: ColumnType, sentinels: Iterable[Any]) -> Value:
    """The value, with stored sentinels read as null, which is written as the first of them.

    Raises ValueError for one the column cannot hold.
    """
    texts = [stored_text(sentinel, column_type) for sentinel in sentinels]
    constants = [constant(text, value.spelling) for text in texts]
    inner = value.take

    def read(column: Expression) -> Expression:
        return sa.case((column.in_(constants), sa.null()), else_=value.read(column))

    def take(given: Any) -> str:
        text = inner(given) if inner is not None else ""
        if text in texts:
            raise ValueError("null, where there is none")
        return text

    return replace(value, read=read, lossy=True, take=take if inner is not None else None, none=texts[0])


def _json_value(value: Any, annotation: Any) -> Any:
    try:
        TypeAdapter(annotation).validate_python(value)
    except ValidationError:
        raise ValueError(f"{value!r} is no {name_of(bare(annotation)[0])}") from None
    plain = value.value if isinstance(value, Enum) else value
    if not isinstance(plain, (str, int)):
        raise ValueError(f"{value!r} must be a string, a whole number, true or false")
    return plain


def _request_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _json_type(value: Any) -> str:
    return "boolean" if isinstance(value, bool) else "integer" if isinstance(value, int) else "string"


def _sql_type(value: Any) -> str:
    return {"boolean": "boolean", "integer": "bigint", "string": "pg_catalog.text"}[_json_type(value)]


def _sql_constant(value: Any) -> Expression:
    if value is None:
        return sa.null()
    return sa.literal_column(f"{quoted_text(_request_text(value))}::{_sql_type(value)}", Spelled(_sql_type(value)))
