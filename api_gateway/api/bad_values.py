"""Which value was it? One that looked right and that the database cannot read is named like any other fault.

Only PostgreSQL knows every form of its types (`inet`, `ltree`, ranges, an extension's own). It is asked about each
value by itself, and only after it has refused the request.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import sqlalchemy as sa

from api_gateway.api.problems import bad_request, not_found, unreadable_row
from api_gateway.api.request import Reading
from api_gateway.api.shapes import GetShape
from api_gateway.errors import FieldError, Problem
from shared_models.database import Database
from shared_models.faults import BadValue
from shared_models.prepared import parameter, prepared
from shared_models.resources import Field
from shared_models.spelling import cast_to
from shared_models.values import Expression


async def refused(reading: Reading, database: Database) -> Problem:
    """The problem to answer with, once the database has refused a value. A key that cannot be one is 404.

    Where it reads each of the request's values, what it cannot read is of its own: no other request would help.
    """
    if isinstance(reading.shape, GetShape) and not await can_be_key(reading.resource.key, reading.values, database):
        return not_found()
    errors: dict[str, FieldError] = {}
    for name, (named, bind) in reading.origins.items():
        if named not in errors and not await _is_read(bind(parameter("value")), reading.values[name], database):
            told = "The database cannot read this value."
            errors[named] = FieldError("invalid_value", told, parameter=named)
    return bad_request(list(errors.values())) if errors else unreadable_row()


async def can_be_key(fields: Iterable[Field], values: Mapping[str, str | None], database: Database) -> bool:
    """Does the database read every part of a key, `k0`, `k1`, … of `values`?"""
    for n, field in enumerate(fields):
        if not await _is_read(cast_to(parameter("value"), field.value.spelling), values[f"k{n}"], database):
            return False
    return True


async def _is_read(value: Expression, text: str | None, database: Database) -> bool:
    try:
        await database.fetch(prepared(sa.select(value.is_(None))), {"value": text})
    except BadValue:
        return False
    return True
