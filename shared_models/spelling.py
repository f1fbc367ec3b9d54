"""Names, literals and types as SQL text, quoted so that nothing of the schema or the contract can be misread."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.types import UserDefinedType

from shared_models.snapshot import ColumnType


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def quoted_text(text: str) -> str:
    """A string literal. Backslashes mean themselves: the pool sets `standard_conforming_strings`."""
    return "'" + text.replace("'", "''") + "'"


def type_name(column_type: ColumnType, *, element: bool = False) -> str:
    """The type without length or precision: comparing must not round or cut. `element`: of an array's element."""
    name = f"{quoted(column_type.schema)}.{quoted(column_type.name)}"
    return name + ("" if element else "[]" * column_type.arrays)


class Spelled(UserDefinedType[object]):
    """A type that SQLAlchemy need not understand, only write down."""

    cache_ok = True

    def __init__(self, spelling: str) -> None:
        self.spelling = spelling

    def get_col_spec(self, **_: object) -> str:
        return self.spelling


class Hosted(Spelled):
    """A type that an extension or the host brings along, with its own operators in the schema `operators_of`."""

    cache_ok = True

    def __init__(self, spelling: str, operators_of: str | None) -> None:
        super().__init__(spelling)
        self.operators_of = operators_of


def constant(text: str, spelling: str) -> sa.ColumnElement[object]:
    """A literal of a type: part of the statement, not a parameter."""
    return sa.literal_column(f"CAST({quoted_text(text)} AS {spelling})", Spelled(spelling))


def cast_to(expression: sa.ColumnElement[object], spelling: str) -> sa.ColumnElement[object]:
    return sa.cast(expression, Spelled(spelling))
