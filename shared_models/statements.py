"""From a SQLAlchemy Core statement to what psycopg runs: text with named placeholders, and their values."""

from __future__ import annotations

from typing import Any, cast

from sqlalchemy import Executable
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ClauseElement

DIALECT = PGDialect_psycopg()


def compile_statement(statement: Executable) -> tuple[bytes, dict[str, Any]]:
    """The statement's SQL (as bytes, which psycopg takes from programs) and its values in PostgreSQL's types."""
    element = cast("ClauseElement", statement)
    compiled = cast("SQLCompiler", element.compile(dialect=DIALECT, compile_kwargs={"render_postcompile": True}))
    values: dict[str, Any] = {}
    for name, value in compiled.params.items():
        bind = compiled.binds.get(name)
        convert = bind.type.dialect_impl(DIALECT).bind_processor(DIALECT) if bind is not None else None
        values[name] = convert(value) if convert is not None else value
    return compiled.string.encode(), values
