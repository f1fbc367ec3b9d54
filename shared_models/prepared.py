"""A statement that SQLAlchemy Core compiled once, for psycopg to prepare and run many times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from psycopg import DataError
from sqlalchemy import BindParameter, bindparam
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ClauseElement
from sqlalchemy.types import NullType

from shared_models.qualified import OurDialect

# SQLAlchemy shortens labels that come within six characters of the limit: a column's name may have all 63.
_NUMBERED = OurDialect(paramstyle="numeric_dollar", label_length=69)  # type: ignore[no-untyped-call]  # SQLAlchemy


@dataclass(frozen=True, slots=True)
class Prepared:
    """`sql` with `$1`, `$2`, …, which stand for the values of `names` in this order; all are sent as text."""

    sql: bytes
    names: tuple[str, ...]

    def arguments(self, values: Mapping[str, str | None]) -> list[str | None]:
        return [values[name] for name in self.names]

    def encoded(self, values: Mapping[str, str | None]) -> list[bytes | None]:
        """As libpq takes them. Raises psycopg.DataError for text that PostgreSQL cannot hold."""
        try:
            found = [None if (value := values[name]) is None else value.encode() for name in self.names]
        except UnicodeEncodeError:
            raise DataError("half of a surrogate pair") from None
        if any(value is not None and b"\0" in value for value in found):
            raise DataError("PostgreSQL text cannot hold NUL")
        return found


def parameter(name: str) -> BindParameter[Any]:
    """A place for a value that comes with the request. Cast it: PostgreSQL reads the text as that type."""
    return bindparam(name, type_=NullType())


def prepared(statement: ClauseElement) -> Prepared:
    """Compile. Raises ValueError for a value inside the statement that is neither a parameter nor a literal."""
    compiler = cast("SQLCompiler", statement.compile(dialect=_NUMBERED))
    stray = [name for name, bind in compiler.binds.items() if not bind.required]
    if stray:
        raise ValueError(f"values that are no parameters: {', '.join(stray)}")
    return Prepared(compiler.string.encode(), tuple(compiler.positiontup or ()))
