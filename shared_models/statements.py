"""From a SQLAlchemy Core statement to what psycopg runs: text with named placeholders, and their values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from psycopg import AsyncConnection, Connection
from psycopg.rows import dict_row
from sqlalchemy import Executable
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ClauseElement
from sqlalchemy.types import TypeDecorator

from shared_models.qualified import Dialect

DIALECT = Dialect(label_length=72)  # type: ignore[no-untyped-call]  # SQLAlchemy leaves its dialects untyped

Row = dict[str, Any]


def compiled(statement: Executable) -> tuple[bytes, dict[str, Any]]:
    """The statement's SQL (as bytes, which psycopg takes from programs) and its values in PostgreSQL's types."""
    element = cast("ClauseElement", statement)
    compiler = cast("SQLCompiler", element.compile(dialect=DIALECT, compile_kwargs={"render_postcompile": True}))
    values: dict[str, Any] = {}
    for name, value in compiler.params.items():
        bind = compiler.binds.get(name)
        convert = bind.type.dialect_impl(DIALECT).bind_processor(DIALECT) if bind is not None else None
        values[name] = convert(value) if convert is not None else value
    return compiler.string.encode(), values


def run(connection: Connection[Any], statement: Executable) -> Sequence[Row]:
    """Run one statement; its rows by column name, none when it returns none. Raises psycopg.Error."""
    with connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(*compiled(statement))
        return as_typed(statement, cursor.fetchall()) if cursor.description is not None else []


async def run_async(connection: AsyncConnection[Any], statement: Executable) -> Sequence[Row]:
    """As `run`, on an asynchronous connection."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(*compiled(statement))
        return as_typed(statement, await cursor.fetchall()) if cursor.description is not None else []


def as_typed(statement: Executable, rows: list[Row]) -> list[Row]:
    """The rows as the columns' own types read them; psycopg has read PostgreSQL's types already."""
    columns = getattr(statement, "exported_columns", None)
    own = {} if columns is None else {n: c.type for n, c in columns.items() if isinstance(c.type, TypeDecorator)}
    for row in rows:
        for name, kind in own.items():
            if name in row:
                row[name] = kind.process_result_value(row[name], DIALECT)
    return rows
