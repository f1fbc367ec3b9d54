"""How a PostgreSQL type is written in a contract: the Python annotation that keeps every value exact."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from shared_models.contract import BigInt, Bytes
from shared_models.snapshot import Column, ColumnType
from shared_models.values import value_of

_ANNOTATIONS: Mapping[str, str] = {
    "bool": "bool",
    "bytea": "Bytes",
    "date": "date",
    "float4": "float",
    "float8": "float",
    "int2": "int",
    "int4": "int",
    "int8": "BigInt",
    "json": "Json",
    "jsonb": "Json",
    "numeric": "Decimal",
    "oid": "int",
    "time": "time",
    "timestamptz": "datetime",
    "uuid": "UUID",
}
_NOT_IN_ARRAYS = frozenset({"Bytes", "Json", "dict[str, Any]", "dict[str, str | None]"})
# Made by the server for itself: a search index, its identity of a row version.
_INTERNAL = frozenset({"tsvector", "tsquery", "gtsvector", "xid", "xid8", "cid", "tid", "pg_lsn", "txid_snapshot"})


# What `annotation` calls them, for asking shared_models whether there is an order.
_PYTHON: Mapping[str, Any] = {
    "bool": bool,
    "Bytes": Bytes,
    "date": date,
    "float": float,
    "int": int,
    "BigInt": BigInt,
    "Json": Any,
    "Decimal": Decimal,
    "time": time,
    "datetime": datetime,
    "UUID": UUID,
    "dict[str, Any]": dict,
    "dict[str, str | None]": dict,
}


def is_sortable(kind: ColumnType) -> bool:
    """Can a list be ordered by such a column? A key must be, and some column of every list."""
    return not kind.is_array and value_of(kind, _PYTHON.get(_element(kind, {}), str)).sortable


def unreadable(kind: ColumnType) -> str | None:
    """Why a column of this type is no value for an API, or None."""
    if kind.name in _INTERNAL:
        return f"{kind.sql} is for the server's own use"
    if kind.kind == "pseudo":
        return f"{kind.sql} has no values of its own"
    return None


_BEYOND = re.compile(r"-?infinity|.* BC|[0-9]{5,}-.*")
_ENDLESS = re.compile(r"'-?infinity'(::.*)?", re.IGNORECASE)


def with_beyond(shown: str, column: Column, values: Iterable[str]) -> str:
    """`date | str` where the default, or one of these values, is none that RFC 3339 can say."""
    if shown not in ("date", "datetime"):
        return shown
    is_endless = _ENDLESS.fullmatch(column.default or "") is not None or any(map(_BEYOND.fullmatch, values))
    return f"{shown} | str" if is_endless else shown


def annotation(kind: ColumnType, enums: Mapping[tuple[str, str], str]) -> str:
    """Such as `int`, `Decimal`, `list[str | None]`; `enums` names the drafted aliases of enum types.

    What JSON or Python have no exact type for (naive local times, intervals, ranges, addresses, money, bit strings,
    xml, …) is `str`: PostgreSQL's own text of the value.
    """
    element = _element(kind, enums)
    if kind.arrays == 0:
        return element
    # One array type holds any number of dimensions, and a domain may hide a second layer: only the leaf is certain.
    certain = kind.arrays == 1 and element not in _NOT_IN_ARRAYS and kind.name != "oid"
    return f"list[{element} | None]" if certain else "list[Any]"


def _element(kind: ColumnType, enums: Mapping[tuple[str, str], str]) -> str:
    if kind.kind == "enum":
        return enums.get((kind.schema, kind.name), "str")
    if kind.kind == "composite":
        return "dict[str, Any]"
    if kind.name == "hstore":
        return "dict[str, str | None]"
    if kind.kind == "base" and kind.schema == "pg_catalog":
        return _ANNOTATIONS.get(kind.name, "str")
    return "str"
