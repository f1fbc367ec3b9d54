"""Values of a write that no request gives: constants, the principal's own, the time."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from api_gateway.api.visible import Places
from shared_models.contract import Now
from shared_models.meanings import stored_text
from shared_models.resources import BoundResource, Filled
from shared_models.rows import Reference
from shared_models.spelling import cast_to, constant, quoted_text, type_name
from shared_models.values import Expression


def filled_value(filled: Filled, places: Places) -> Expression:
    column_type = filled.column.type
    if isinstance(filled.value, Reference):
        return places.parameter(filled.value, column_type)
    if isinstance(filled.value, Now):
        return _clock(filled.value, type_name(column_type), column_type.name == "timestamptz")
    return constant(filled.value, type_name(column_type))


def implied_value(resource: BoundResource, name: str, condition: Any, places: Places) -> Expression:
    """What every row of the principal holds in this column."""
    column = resource.table.column(name)
    assert column is not None  # noqa: S101 - binding looked it up
    if isinstance(condition, Reference):
        return places.parameter(condition, column.type)
    return constant(stored_text(condition, column.type), type_name(column.type))


def _clock(now: Now, spelling: str, is_instant: bool) -> Expression:
    moment: Expression = sa.func.now()
    if not is_instant:
        moment = sa.func.timezone(sa.literal_column(quoted_text(now.zone or "UTC")), moment)
    if now.whole_seconds:
        moment = sa.func.date_trunc(sa.literal_column("'second'"), moment)
    return cast_to(moment, spelling)
