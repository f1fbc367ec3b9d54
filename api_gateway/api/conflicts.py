"""What the database refused, in the contract's terms: which fields, where in the body. Never the database's own words.

A conflict with a row that the principal does not see says no more than that there is one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import sqlalchemy as sa

from api_gateway.api.calls import Call
from api_gateway.api.incoming import escaped
from api_gateway.api.problems import of_fault, out_of_service
from api_gateway.api.visible import Places, visible
from api_gateway.errors import FieldError, Problem
from shared_models.database import Database
from shared_models.faults import BadValue, ConstraintViolated
from shared_models.prepared import parameter, prepared
from shared_models.resources import BoundResource, Field, Resources
from shared_models.snapshot import Table
from shared_models.spelling import cast_to
from shared_models.values import stored

Texts = Mapping[str, str | None]
_LEADS_NOWHERE = "It refers to something that is not there."


def outside_rows(at: str) -> Problem:
    errors = [FieldError("outside_rows", "This row would not be one of yours.", pointer=at)] if at else []
    return Problem(403, "outside_rows", "The row would not be one of yours.", errors=errors)


def lost_parents(resource: BoundResource, names: Iterable[str], at: str) -> Problem:
    """As if the parents were not there at all."""
    columns = {own for name in names for own, _ in resource.links[name].pairs}
    problem = of_fault(ConstraintViolated("foreign_key"))
    problem.errors = fault(_writable(resource, columns), "conflict", _LEADS_NOWHERE, at)
    return problem


class RefusedRow(Exception):
    """The database refused a row. `texts`: what the request gave; `at`: where the row stands in the body."""

    def __init__(self, cause: ConstraintViolated | BadValue, texts: Texts, at: str = "") -> None:
        super().__init__(str(cause))
        self.cause, self.texts, self.at = cause, texts, at


async def refused(call: Call, resources: Resources, row: RefusedRow) -> Problem:
    """The problem that tells it. Asks the database, so the transaction must have ended."""
    cause, texts, at = row.cause, row.texts, row.at
    if isinstance(cause, ConstraintViolated) and _is_news(call, resources, cause):
        _database(call).suspect()
        return out_of_service()
    problem = of_fault(cause)
    if isinstance(cause, BadValue):
        problem.errors = await _unreadable(call, texts, at)
        if not problem.errors:  # each is fine by itself: a trigger, or an expression of the table, cannot take them
            problem = of_fault(ConstraintViolated("rule"))
    elif cause.table in (None, call.resource.table.name):  # else of a child, or of a table that a trigger writes
        problem.errors = await _violated(call, resources, cause, texts, at)
    if not problem.errors and (at or problem.code == "refused_by_database"):
        problem.errors = [FieldError("refused_by_database", "The database does not allow this row.", pointer=at)]
    return problem


def _is_news(call: Call, resources: Resources, cause: ConstraintViolated) -> bool:
    """A column that must be given now, as nobody knew: the schema has changed, and the request is not to blame."""
    if cause.kind != "not_null" or cause.column is None:
        return False
    written = [call.resource, *(resources.of(link.target) for link in call.resource.written_links)]
    for table in (resource.table for resource in written):
        if table.name == cause.table:
            known = table.column(cause.column)
            return known is None or known.nullable or known.has_default
    return False


async def _violated(
    call: Call, resources: Resources, cause: ConstraintViolated, texts: Texts, at: str
) -> list[FieldError]:
    fields = _writable(call.resource, _columns(call.resource.table, cause))
    given = {field.name: texts[field.name] for field in fields if field.name in texts}
    sent = [field for field in fields if field.name in given]
    match cause.kind:
        case "unique":
            is_seen = bool(given) and await _is_seen(call, resources, given)
            return fault(sent if is_seen else [], "conflict", "There is such a row already.", at)
        case "foreign_key":
            return fault(sent, "conflict", _LEADS_NOWHERE, at)
        case "not_null":
            return fault(fields, "missing", "The field is required.", at)
        case "check":
            return fault(fields, "refused_by_database", "A rule of the database does not allow this value.", at)
        case _:
            return []


def fault(fields: Iterable[Field], code: str, detail: str, at: str) -> list[FieldError]:
    return [FieldError(code, detail, pointer=f"{at}/{escaped(field.name)}") for field in fields]


def _writable(resource: BoundResource, columns: set[str]) -> list[Field]:
    return [field for field in resource.fields.values() if field.write and not columns.isdisjoint(field.column_names)]


async def _is_seen(call: Call, resources: Resources, given: Texts) -> bool:
    """Does the principal see a row with these values?"""
    resource, places = call.resource, Places()
    row = resource.source.alias("t1")
    fields = [resource.fields[name] for name in given]
    values = [f.written(parameter(f"w{n}")) for n, f in enumerate(fields)]
    same = [row.c[name] == one for written in values for name, one in written.items()]
    mine = visible(resource, row, call.principal.kind, resources, places)
    statement = prepared(sa.select(sa.literal_column("1")).select_from(row).where(*same, *mine).limit(_ONE))
    texts = {f"w{n}": text for n, text in enumerate(given.values())}
    texts |= {name: place.text(call.principal) for name, place in places.found.items()}
    return bool(await _database(call).fetch(statement, texts))


_ONE: sa.ColumnElement[int] = sa.literal_column("1", sa.Integer)


async def _unreadable(call: Call, texts: Texts, at: str) -> list[FieldError]:
    """Which values PostgreSQL cannot read as their column's type: each is tried by itself."""
    found = []
    for name, text in texts.items():
        field = call.resource.fields[name]
        exact = cast_to(stored(field.value, parameter("w0")), field.column.type.sql)
        try:
            await _database(call).fetch(prepared(sa.select(exact)), {"w0": text})
        except (BadValue, ConstraintViolated):
            detail = f"Expected: {field.column.type.name}, as the database reads it."
            found += fault([field], "invalid_value", detail, at)
    return found


def _database(call: Call) -> Database:
    database: Database = call.scope["state"]["read_database"]
    return database


def _columns(table: Table, fault: ConstraintViolated) -> set[str]:
    if fault.column is not None:
        return {fault.column}
    name = fault.constraint
    if name is not None and name == table.primary_key_name:
        return set(table.primary_key)
    named: list[tuple[str, tuple[str | None, ...]]] = [(unique.name, unique.columns) for unique in table.uniques]
    named += [(key.name, key.columns) for key in table.foreign_keys]
    named += [(check.name, check.columns) for check in table.checks]
    named += [(index.name, index.columns) for index in table.indexes]
    return {column for known, columns in named if known == name for column in columns if column is not None}
