"""Several columns of text that the API shows as one value: an address, a name, as one version of the API had it.

Read, the parts that are there are joined by the separator. Written, the text is taken apart again, at the first
separators: what would not read as it was sent is refused. So both ways lose nothing, and a version that shows the
columns one by one stands beside over the same rows.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from shared_models.annotations import bare, is_optional, name_of
from shared_models.inputs import Taker, taker_of
from shared_models.snapshot import Column, ColumnType
from shared_models.spelling import cast_to, quoted_text, type_name
from shared_models.values import TEXTUAL, Expression, Value, as_text, plain_text

_TEXTS = frozenset({"text", "varchar", "bpchar", "citext"})


def joined(columns: Sequence[Column], separator: str, annotation: Any) -> Value:
    """Raises ValueError for what is no text, or no separator.

    Optional: null where no part is there. Else that is the empty string.
    """
    types = [column.type for column in columns]
    if len(columns) < 2 or len({column.name for column in columns}) < len(columns):
        raise ValueError("Joined needs two or more columns, each once")
    if unfit := next((one for one in types if one.name not in _TEXTS or one.is_array), None):
        raise ValueError(f"Joined is for text, not for {unfit.sql}")
    if bare(annotation)[0] is not str:
        raise ValueError(f"Joined gives str, not {name_of(bare(annotation)[0])}")
    if not separator or "\0" in separator:
        raise ValueError("Joined needs a separator")
    optional = is_optional(annotation)
    nothing: Expression = sa.literal_column("''")

    def read(column: Expression) -> Expression:
        """`column` is the first; the others stand beside it in whatever row it is of."""
        row = column.table.c
        parts = [sa.func.nullif(as_text(row[one.name]), nothing) for one in columns]
        whole = sa.func.concat_ws(sa.literal_column(quoted_text(separator)), *parts)
        return sa.func.nullif(whole, nothing) if optional else whole

    return Value(
        schema={"type": "string"},
        spelling="text",
        read=read,
        parse=plain_text,
        bind=lambda parameter: cast_to(parameter, "text"),
        operators=TEXTUAL,
        lossy=optional,
        by_reading=True,
        take=_taker(columns, separator, optional=optional),
        put=lambda parameter: part_of(parameter, 0, types[0]),
    )


def part_of(parameter: Expression, number: int, column_type: ColumnType) -> Expression:
    """SQL: what one column gets of a text that `take` took apart."""
    part: Expression = cast_to(parameter, "json").op("->>")(sa.literal_column(str(number), sa.Integer))
    return cast_to(part, type_name(column_type))


def _taker(columns: Sequence[Column], separator: str, *, optional: bool) -> Taker:
    takers = [taker_of(column.type, {"type": "string"}, plain_text) for column in columns]

    def take(value: Any) -> str:
        if not isinstance(value, str):
            raise ValueError("a string")
        if optional and not value:
            raise ValueError("null, where there is none")
        parts = value.split(separator, len(columns) - 1)
        if separator.join(part for part in parts if part) != value:
            raise ValueError(
                f"up to {len(columns)} parts with {json.dumps(separator)} between them, none of them empty"
            )
        parts += [""] * (len(columns) - len(parts))
        pairs = zip(parts, columns, takers, strict=True)
        return json.dumps([_stored(part, column, taker) for part, column, taker in pairs])

    return take


def _stored(part: str, column: Column, taker: Taker | None) -> str | None:
    if not part:
        return None if column.nullable else ""
    assert taker is not None  # noqa: S101 - text can be taken
    return taker(part)
