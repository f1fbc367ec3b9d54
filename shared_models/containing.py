"""What `contains` means of a type: elements of an array, a part of a jsonb, pairs of an hstore, a point of a range.

array     `a,b`             holds every one of these elements
jsonb     `{"a": [1]}`      holds this (PostgreSQL's `@>`)
hstore    `{"a": "b"}`      holds these pairs
range     `2024-02-29`      this point lies within it
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID

from shared_models.snapshot import ColumnType
from shared_models.spelling import cast_to, quoted, type_name
from shared_models.values import Expression, Schema, value_of

_NATURAL: Mapping[str, Any] = {
    **dict.fromkeys(("int2", "int4", "int8"), int),
    **dict.fromkeys(("float4", "float8"), float),
    "numeric": Decimal,
    "bool": bool,
    "date": date,
    "timestamptz": datetime,
    "time": time,
    "interval": timedelta,
    "uuid": UUID,
}
_POINTS: Mapping[str, str] = {
    "integer": "int4",
    "bigint": "int8",
    "numeric": "numeric",
    "date": "date",
    "timestamp without time zone": "timestamp",
    "timestamp with time zone": "timestamptz",
}
_DIGITS = 1000


@dataclass(frozen=True, slots=True, eq=False)
class Containing:
    """schema: of the operand. `parse` gives PostgreSQL's text of `spelling`; it raises ValueError."""

    schema: Schema
    spelling: str
    parse: Callable[[Sequence[str]], str]
    takes_list: bool = False
    operator: str = "@>"

    def holds(self, stored: Expression, operand: Expression) -> Expression:
        return stored.op(self.operator, is_comparison=True)(cast_to(operand, self.spelling))


@lru_cache(maxsize=2048)
def containing_of(column_type: ColumnType) -> Containing | None:
    """None: nothing can be asked for in this way. Equal types share one answer."""
    if column_type.is_array:
        return _array(column_type)
    if column_type.name == "jsonb":
        return Containing({"type": "string", "contentMediaType": "application/json"}, "jsonb", _one(_json))
    if column_type.name == "hstore":
        operator = f"OPERATOR({quoted(column_type.schema)}.@>)"
        schema = {"type": "string", "contentMediaType": "application/json"}
        return Containing(schema, type_name(column_type), _one(_hstore), operator=operator)
    if column_type.kind in ("range", "multirange") and column_type.subtype in _POINTS:
        point = ColumnType(column_type.subtype or "", _POINTS[column_type.subtype or ""])
        value = value_of(point, _NATURAL.get(point.name, str))
        return Containing(value.schema, type_name(point), _one(value.parse))
    return None


def _one(parse: Callable[[str], str]) -> Callable[[Sequence[str]], str]:
    return lambda texts: parse(texts[0])


def _array(column_type: ColumnType) -> Containing | None:
    element = replace(column_type, arrays=0)
    try:
        value = value_of(element, _NATURAL.get(element.name, str))
    except ValueError:
        return None
    if "eq" not in value.operators or column_type.arrays > 1:
        return None

    def parse(texts: Sequence[str]) -> str:
        return "{" + ",".join(_quoted(value.parse(text)) for text in texts) + "}"

    return Containing(value.schema, type_name(column_type), parse, takes_list=True)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _json(text: str) -> str:
    try:
        found = json.loads(text, parse_constant=_refused, parse_float=_number, parse_int=_number)
        written = json.dumps(found, ensure_ascii=False)
        written.encode()
    except (ValueError, RecursionError):
        raise ValueError("JSON") from None
    if "\\u0000" in written:
        raise ValueError("JSON without NUL")
    return text


def _hstore(text: str) -> str:
    _json(text)
    found = json.loads(text)
    if not isinstance(found, dict) or not all(value is None or isinstance(value, str) for value in found.values()):
        raise ValueError("a JSON object of strings and nulls")
    return ",".join(f"{_quoted(k)}=>{'NULL' if v is None else _quoted(v)}" for k, v in found.items())


def _refused(_text: str) -> None:
    raise ValueError


def _number(text: str) -> str:
    if len(text) > _DIGITS or abs(Decimal(text).adjusted()) > _DIGITS:
        raise ValueError
    return text
