"""Comparing a column with a value."""

from __future__ import annotations

from shared_models.resources import Field
from shared_models.spelling import quoted
from shared_models.values import Expression


def compared(field: Field, left: Expression, sign: str, right: Expression) -> Expression:
    """By the operator of the column's own type, wherever an extension has put it."""
    place = field.value.operators_of
    return left.op(sign if place is None else f"OPERATOR({quoted(place)}.{sign})", is_comparison=True)(right)
