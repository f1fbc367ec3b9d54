"""Comparing a column with a value, and the columns of a link with each other."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from shared_models.resources import Field
from shared_models.spelling import Hosted, quoted
from shared_models.values import Expression


def compared(field: Field, left: Expression, sign: str, right: Expression) -> Expression:
    """By the operator of the column's own type, wherever an extension has put it."""
    place = field.value.operators_of
    return left.op(sign if place is None else f"OPERATOR({quoted(place)}.{sign})", is_comparison=True)(right)


def joined(here: sa.FromClause, there: sa.FromClause, pairs: Iterable[tuple[str, str]]) -> list[Expression]:
    """Rows of both that belong together. A citext compares as such also with a column that is plain text."""
    return [_equal(here.c[own], there.c[other]) for own, other in pairs]


def _equal(one: Expression, other: Expression) -> Expression:
    if isinstance(one.type, Hosted) and not isinstance(other.type, Hosted):
        other = sa.cast(other, one.type)
    elif isinstance(other.type, Hosted) and not isinstance(one.type, Hosted):
        one = sa.cast(one, other.type)
    return one == other
