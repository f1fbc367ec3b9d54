"""From a snapshot to SQLAlchemy Core tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeDecorator, TypeEngine

from shared_models.snapshot import Column, ColumnType, Table
from shared_models.spelling import Hosted, Spelled, type_name


class Padded(TypeDecorator[str]):
    """`character(n)`: the blanks that fill it up are nobody's data."""

    impl = sa.CHAR
    cache_ok = True

    def process_result_value(self, value: str | None, dialect: object) -> str | None:
        return None if value is None else value.rstrip(" ")


_SIMPLE: dict[str, Callable[[ColumnType], TypeEngine[Any]]] = {
    "int2": lambda _: sa.SmallInteger(),
    "int4": lambda _: sa.Integer(),
    "int8": lambda _: sa.BigInteger(),
    "oid": lambda _: postgresql.OID(),
    "numeric": lambda t: sa.Numeric(t.precision, t.scale),
    "float4": lambda _: sa.REAL(),
    "float8": lambda _: sa.Double(),
    "bool": lambda _: sa.Boolean(),
    "text": lambda _: sa.Text(),
    "name": lambda _: sa.String(63),
    "varchar": lambda t: sa.String(t.length),
    "bpchar": lambda t: Padded(t.length),
    "date": lambda _: sa.Date(),
    "time": lambda _: sa.Time(),
    "timetz": lambda _: sa.Time(timezone=True),
    "timestamp": lambda _: sa.DateTime(),
    "timestamptz": lambda _: sa.DateTime(timezone=True),
    "interval": lambda _: sa.Interval(),
    "uuid": lambda _: sa.Uuid(),
    "bytea": lambda _: sa.LargeBinary(),
    "json": lambda _: sa.JSON(),
    "jsonb": lambda _: postgresql.JSONB(),
    "inet": lambda _: postgresql.INET(),
    "cidr": lambda _: postgresql.CIDR(),
    "macaddr": lambda _: postgresql.MACADDR(),
}


def core_type(column_type: ColumnType) -> TypeEngine[Any]:
    """The nearest type of SQLAlchemy; one that it does not have is written down as PostgreSQL spells it."""
    if column_type.kind == "base" and column_type.schema != "pg_catalog":
        hosted = Hosted(type_name(column_type, element=True), column_type.schema)
        return sa.ARRAY(hosted) if column_type.is_array else hosted
    make = _SIMPLE.get(column_type.name)
    element = make(column_type) if make is not None else Spelled(column_type.sql.split("[")[0])
    return sa.ARRAY(element) if column_type.is_array else element


class Sources:
    """The Core tables of one contract, each made when a statement first needs it: most of a thousand never are."""

    def __init__(self) -> None:
        self._metadata = sa.MetaData()
        self._made: dict[tuple[str, str], sa.Table] = {}
        self._lock = Lock()

    def of(self, table: Table) -> sa.Table:
        place = (table.schema, table.name)
        with self._lock:
            if place not in self._made:
                self._made[place] = core_table(table, self._metadata)
            return self._made[place]


def core_table(table: Table, metadata: sa.MetaData, keys: Mapping[str, str] | None = None) -> sa.Table:
    """`keys`: another attribute of `table.c` than the name, by column."""
    columns = [_core_column(column, table, (keys or {}).get(column.name)) for column in table.columns]
    return sa.Table(table.name, metadata, *columns, schema=table.schema, quote=True, quote_schema=True)


def _core_column(column: Column, table: Table, key: str | None) -> sa.Column[Any]:
    return sa.Column(
        column.name,
        core_type(column.type),
        key=key,
        primary_key=column.name in table.primary_key,
        nullable=column.nullable,
        autoincrement=False,
        quote=True,
        server_default=sa.FetchedValue() if column.has_default else None,
    )
