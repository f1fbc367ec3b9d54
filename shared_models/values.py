"""How each PostgreSQL type appears in JSON, and how a request names one of its values.

    int2, int4, int8, oid   number (BigInt: string)      bool               true, false
    numeric                 string; as float: number     date, timestamptz  RFC 3339 (see `calendar`)
    float4, float8          number (`"NaN"` as string)   timestamp          RFC 3339, through LocalTime only
    text, varchar, char(n)  string, padding trimmed      interval           ISO 8601 duration
    enum                    string                       bytea              base64
    json, jsonb             as it is                     arrays             arrays of the element
    hstore                  object of strings            money              string, as a decimal number
    everything else         PostgreSQL's own text

Everything is read exactly as it is stored: PostgreSQL writes the JSON, Python never sees the value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, get_args, get_origin
from uuid import UUID

import sqlalchemy as sa

from shared_models.annotations import bare, choices, name_of
from shared_models.calendar import either, moment_schema
from shared_models.contract import AsString
from shared_models.inputs import Taker, taker_of
from shared_models.request_text import Parser, matching, one_of, parse_date, parse_instant, whole_number
from shared_models.snapshot import ColumnType
from shared_models.spelling import cast_to, type_name

Expression = sa.ColumnElement[Any]
Schema = Mapping[str, Any]

EQUAL = frozenset({"eq", "ne", "in"})
ORDERED = EQUAL | {"lt", "lte", "gt", "gte"}
TEXTUAL = ORDERED | {"like", "ilike"}
NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class Value:
    """One column's way into JSON and back. Columns of one type and annotation share one; each equals only itself.

    schema     JSON Schema of what `read` gives, null aside
    read       SQL: from the stored value to what PostgreSQL shall write as JSON
    parse      a request's text -> text that PostgreSQL reads as `spelling`; raises ValueError saying what was expected
    bind       SQL: from a parameter (such text) to what the stored value is compared with
    spelling   the stored type
    operators  with which a list may be filtered; `null` is always one
    sortable   is there an order?
    lossy      may `read` give null for a stored value that is none?
    by_reading compare what is read instead of what is stored
    closed     `parse` gives no value that is read as null
    operators_of  schema of the type's own operators, where it is not the server's; the search path need not lead there
    take       a value of a JSON body -> text that PostgreSQL reads as `spelling`; None: it can be read only
    put        SQL: from a parameter (such text) to what is stored, where a cast to `spelling` is not enough
    none       what JSON null is stored as, where that is not NULL
    """

    schema: Schema
    spelling: str
    read: Callable[[Expression], Expression]
    parse: Parser
    bind: Callable[[Expression], Expression]
    operators: frozenset[str] = NOTHING
    sortable: bool = False
    lossy: bool = False
    by_reading: bool = False
    closed: bool = False
    take: Taker | None = None
    put: Callable[[Expression], Expression] | None = None
    none: str | None = None
    operators_of: str | None = None


def stored(value: Value, parameter: Expression) -> Expression:
    """SQL: from a parameter, text as `take` gives it, to what is stored."""
    return cast_to(parameter, value.spelling) if value.put is None else value.put(parameter)


def value_of(column_type: ColumnType, annotation: Any) -> Value:
    """The Value of a column that the contract annotates so. Raises ValueError: how it cannot be, and what can."""
    try:
        hash(annotation)
    except TypeError:  # it is Annotated with something that is not
        return _value_of(column_type, annotation)
    return _known_value_of(column_type, annotation)


def _value_of(column_type: ColumnType, annotation: Any) -> Value:
    wanted, markers = bare(annotation)
    if column_type.is_array:
        return _array(column_type, wanted)
    spelling = type_name(column_type)
    family = _family(column_type)
    found = family(column_type, wanted, markers)
    if found is None:
        raise ValueError(f"{column_type.sql} cannot be {name_of(wanted)}; {_advice(column_type)}")
    if column_type.name == "money":  # its text is the server's locale's, so it goes both ways as a numeric
        amount = replace(column_type, name="numeric", precision=19, scale=2)
        take = taker_of(amount, found.schema, found.parse)
        return replace(found, spelling=spelling, bind=_as_money, take=take, put=_as_money)
    return replace(
        found,
        spelling=spelling,
        bind=lambda parameter: cast_to(parameter, spelling),
        take=taker_of(column_type, found.schema, found.parse),
        operators_of=column_type.schema if column_type.kind == "base" and column_type.schema != "pg_catalog" else None,
    )


# Ten thousand columns are of a few dozen types.
_known_value_of = lru_cache(maxsize=2048)(_value_of)


def as_is(column: Expression) -> Expression:
    return column


def as_text(column: Expression) -> Expression:
    return sa.cast(column, sa.Text)


def plain_text(text: str) -> str:
    return text


def _value(
    schema: Schema,
    read: Callable[[Expression], Expression] = as_is,
    parse: Parser = plain_text,
    operators: frozenset[str] = NOTHING,
    sortable: bool | None = None,
) -> Value:
    ordered = "lt" in operators if sortable is None else sortable
    return Value(schema, "", read, parse, as_is, operators, ordered)


_RANGES = {
    "int2": (-(2**15), 2**15 - 1),
    "int4": (-(2**31), 2**31 - 1),
    "int8": (-(2**63), 2**63 - 1),
    "oid": (0, 2**32 - 1),
}
_SPECIAL = ("NaN", "Infinity", "-Infinity")
_FLOAT = matching(r"-?[0-9]{1,400}(\.[0-9]{1,400})?([eE][+-]?[0-9]{1,3})?|NaN|-?Infinity", "a number")
_DECIMAL = matching(r"-?[0-9]{1,1000}(\.[0-9]{1,1000})?|NaN|-?Infinity", "a decimal number")


def _integer(column_type: ColumnType, wanted: Any, markers: tuple[Any, ...]) -> Value | None:
    low, high = _RANGES[column_type.name]
    parse = whole_number(low, high)
    if wanted is int and any(isinstance(marker, AsString) for marker in markers):
        return _value({"type": "string", "pattern": "^-?[0-9]+$"}, as_text, parse, ORDERED)
    if wanted is int:
        width = "int64" if column_type.name in ("int8", "oid") else "int32"
        schema = {"type": "integer", "format": width, "minimum": low, "maximum": high}
        return _value(schema, _oid_as_number if column_type.name == "oid" else as_is, parse, ORDERED)
    if wanted is str:
        return _value({"type": "string"}, as_text, parse, ORDERED)
    return None


def _oid_as_number(column: Expression) -> Expression:
    return sa.cast(column, sa.BigInteger)


def _numeric(column_type: ColumnType, wanted: Any, markers: tuple[Any, ...]) -> Value | None:
    if wanted in (Decimal, str) or (wanted is int and any(isinstance(m, AsString) for m in markers)):
        pattern = r"^(-?[0-9]+(\.[0-9]+)?|NaN|-?Infinity)$"
        return _value({"type": "string", "pattern": pattern}, as_text, _DECIMAL, ORDERED)
    if wanted is float:
        return _value({"anyOf": [{"type": "number"}, {"enum": list(_SPECIAL)}]}, as_is, _DECIMAL, ORDERED)
    if wanted is int and column_type.precision is not None and (column_type.scale or 0) <= 0:
        return _value({"anyOf": [{"type": "integer"}, {"enum": ["NaN"]}]}, as_is, _DECIMAL, ORDERED)
    return None


def _float(_type: ColumnType, wanted: Any, _markers: tuple[Any, ...]) -> Value | None:
    if wanted is float:
        return _value({"anyOf": [{"type": "number"}, {"enum": list(_SPECIAL)}]}, as_is, _FLOAT, ORDERED)
    return _value({"type": "string"}, as_text, _FLOAT, ORDERED) if wanted is str else None


def _boolean(_type: ColumnType, wanted: Any, _markers: tuple[Any, ...]) -> Value | None:
    if wanted is bool:
        return _value({"type": "boolean"}, as_is, matching("true|false", "true or false"), EQUAL, sortable=True)
    return None


def _text(column_type: ColumnType, wanted: Any, _markers: tuple[Any, ...]) -> Value | None:
    if wanted is not str:
        return None
    schema: dict[str, Any] = {"type": "string"}
    if column_type.length is not None:
        schema["maxLength"] = column_type.length
    return _value(schema, as_text if column_type.is_padded else as_is, plain_text, TEXTUAL)


def _enum(column_type: ColumnType, wanted: Any, _markers: tuple[Any, ...]) -> Value | None:
    labels = column_type.labels
    declared = choices(wanted)
    if declared is None and wanted is not str:
        return None
    if declared is not None and set(declared) != set(labels):
        raise ValueError(f"{column_type.sql} has the labels {', '.join(labels)}; {name_of(wanted)} has others")
    return _value({"type": "string", "enum": list(labels)}, as_is, one_of(labels), ORDERED)


def _uuid(_type: ColumnType, wanted: Any, _markers: tuple[Any, ...]) -> Value | None:
    if wanted not in (UUID, str):
        return None
    form = "[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}"
    return _value({"type": "string", "format": "uuid"}, as_is, matching(form, "a UUID"), ORDERED)


def _date(_type: ColumnType, wanted: Any, _markers: tuple[Any, ...]) -> Value | None:
    schema = moment_schema("date", date, wanted)
    return None if schema is None else _value(schema, as_is, parse_date, ORDERED)


def _instant(_type: ColumnType, wanted: Any, _markers: tuple[Any, ...]) -> Value | None:
    schema = moment_schema("date-time", datetime, wanted)
    return None if schema is None else _value(schema, as_is, parse_instant, ORDERED)


def _naive(_type: ColumnType, wanted: Any, _markers: tuple[Any, ...]) -> Value | None:
    if wanted is not str:
        return None
    form = r"[0-9]{4,6}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?( BC)?|-?infinity"
    return _value({"type": "string"}, as_is, matching(form, "a local time, such as 2024-02-29T13:45:00"), ORDERED)


def _time(_type: ColumnType, wanted: Any, _markers: tuple[Any, ...]) -> Value | None:
    if wanted not in (time, str):
        return None
    form = r"([01][0-9]|2[0-4]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?"
    return _value({"type": "string"}, as_is, matching(form, "a time of day, such as 13:45:00"), ORDERED)


def _interval(_type: ColumnType, wanted: Any, _markers: tuple[Any, ...]) -> Value | None:
    if wanted not in (timedelta, str):
        return None
    form = r"P(?=.)(-?[0-9]{1,9}[YMWD])*(T(-?[0-9]{1,10}(\.[0-9]{1,6})?[HMS])+)?"
    return _value({"type": "string"}, as_is, matching(form, "an ISO 8601 duration, such as P1DT2H"), ORDERED)


def _as_base64(column: Expression) -> Expression:
    """PostgreSQL breaks base64 into lines; RFC 4648 does not."""
    lines = sa.func.encode(column, sa.literal_column("'base64'"))
    return sa.func.replace(lines, sa.literal_column("chr(10)"), sa.literal_column("''"))


def _bytes(_type: ColumnType, wanted: Any, _markers: tuple[Any, ...]) -> Value | None:
    if wanted is not bytes:
        return None
    schema = {"type": "string", "contentEncoding": "base64"}
    return _value(schema, _as_base64)


def _json(_type: ColumnType, wanted: Any, _markers: tuple[Any, ...]) -> Value | None:
    if wanted is str:
        return _value({"type": "string"}, as_text)
    return _value({}) if wanted is Any or get_origin(wanted) in (dict, list) or wanted in (dict, list) else None


def _hstore(_type: ColumnType, wanted: Any, _markers: tuple[Any, ...]) -> Value | None:
    schema = {"type": "object", "additionalProperties": {"type": ["string", "null"]}}
    if get_origin(wanted) is dict or wanted in (dict, Any):
        return _value(schema, lambda column: sa.cast(column, sa.JSON))
    return _value({"type": "string"}, as_text) if wanted is str else None


def _money(_type: ColumnType, wanted: Any, _markers: tuple[Any, ...]) -> Value | None:
    if wanted not in (Decimal, str):
        return None
    return _value({"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$"}, _money_as_text, _DECIMAL, ORDERED)


def _money_as_text(column: Expression) -> Expression:
    return sa.cast(sa.cast(column, sa.Numeric), sa.Text)


def _as_money(parameter: Expression) -> Expression:
    return cast_to(sa.cast(parameter, sa.Numeric), "pg_catalog.money")


_COMPARABLE = frozenset({"inet", "cidr", "macaddr", "macaddr8", "bit", "varbit", "pg_lsn", "ltree", "timetz", "xid8"})


def _other(column_type: ColumnType, wanted: Any, _markers: tuple[Any, ...]) -> Value | None:
    if column_type.kind == "composite":
        if wanted is Any or get_origin(wanted) is dict or wanted is dict:
            return _value({"type": "object"})
        return _value({"type": "string"}, as_text) if wanted is str else None
    if wanted is not str:
        return None
    has_order = column_type.name in _COMPARABLE or column_type.kind in ("range", "multirange")
    return _value({"type": "string"}, as_is, plain_text, ORDERED if has_order else NOTHING)


def _array(column_type: ColumnType, wanted: Any) -> Value:
    if wanted is str:
        as_literal = {"type": "string"}
        take = taker_of(column_type, as_literal, plain_text)
        return replace(_value(as_literal, as_text), spelling=type_name(column_type), take=take)
    if wanted is not list and get_origin(wanted) is not list:
        raise ValueError(f"{column_type.sql} cannot be {name_of(wanted)}; write list[…] or str")
    inner = get_args(wanted)[0] if get_args(wanted) else Any
    read, items = _elements(column_type, inner)
    schema = {"type": "array", "items": items}
    take = taker_of(column_type, schema, plain_text)
    return replace(_value(schema, read), spelling=type_name(column_type), take=take)


def _elements(column_type: ColumnType, inner: Any) -> tuple[Callable[[Expression], Expression], Schema]:
    """Any element may be null, and PostgreSQL does not bound the dimensions: an element may be an array again."""
    if bare(inner)[0] is Any:
        return as_is, {}
    element = value_of(replace(column_type, arrays=0), inner)
    form = element.schema.get("format")
    shown = either(form)["anyOf"] if form in ("date", "date-time") else element.schema.get("anyOf", [element.schema])
    items = {"anyOf": [*shown, {"type": "null"}, {"type": "array", "items": {}}]}
    if element.read is as_is:
        return as_is, items
    if element.read is as_text:
        return (lambda column: sa.cast(column, sa.ARRAY(sa.Text))), items
    raise ValueError(f"{column_type.sql} cannot be list[{name_of(inner)}]; write list[Any]")


_Family = Callable[[ColumnType, Any, tuple[Any, ...]], Value | None]

_FAMILIES: dict[str, _Family] = {
    **dict.fromkeys(_RANGES, _integer),
    **dict.fromkeys(("float4", "float8"), _float),
    **dict.fromkeys(("text", "varchar", "bpchar", "name", "char", "citext"), _text),
    **dict.fromkeys(("json", "jsonb"), _json),
    "numeric": _numeric,
    "bool": _boolean,
    "uuid": _uuid,
    "date": _date,
    "timestamptz": _instant,
    "timestamp": _naive,
    "time": _time,
    "interval": _interval,
    "bytea": _bytes,
    "hstore": _hstore,
    "money": _money,
}


def _family(column_type: ColumnType) -> _Family:
    return _enum if column_type.kind == "enum" else _FAMILIES.get(column_type.name, _other)


_ADVICE = {
    "numeric": "write Decimal (a string in JSON) or float (a number)",
    "bool": "write bool",
    "timestamp": "write datetime with LocalTime(…), or str",
    "timestamptz": "write datetime, or `datetime | str` for infinity and years that RFC 3339 cannot say",
    "date": "write date, or `date | str` for infinity and years that RFC 3339 cannot say",
    "bytea": "write Bytes",
    "json": "write Json",
    "jsonb": "write Json",
    "hstore": "write dict[str, str | None]",
    "money": "write Decimal (a string in JSON)",
}


def _advice(column_type: ColumnType) -> str:
    if column_type.name in _RANGES:
        return "write int, or BigInt for a string in JSON"
    if column_type.name in ("float4", "float8"):
        return "write float"
    return _ADVICE.get(column_type.name, "write str")
