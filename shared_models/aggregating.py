"""What a list may be summed up to: functions of fields, and what rows are grouped by, bound to the columns behind them.

sum, avg   of numbers, exact: a string, or a number where the resource shows a float
min, max   of what has an order of its own, as the field is shown
by         any field that can be compared, `status`; and a date or moment by its calendar, `placed_at.month`

What the contract reads as null (a sentinel, a code that it does not list) is null here too, so no function counts it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

import sqlalchemy as sa

from shared_models.calendar import either
from shared_models.contract import Aggregates, Function
from shared_models.resources import Aggregate, BoundAggregates, BoundResource, Field
from shared_models.spelling import quoted_text
from shared_models.values import Expression, as_is, as_text

FUNCTIONS: tuple[Function, ...] = get_args(Function)
UNITS = ("day", "week", "month", "quarter", "year")

_NUMBERS = frozenset({"int2", "int4", "int8", "numeric", "float4", "float8", "money"})
_MOMENTS = frozenset({"date", "timestamp", "timestamptz"})
_ORDERED = _NUMBERS | _MOMENTS | {"text", "varchar", "bpchar", "time", "timetz", "interval", "inet", "oid"}
_LONGEST = 63  # of a name, to PostgreSQL
_EXACT = {"type": "string", "pattern": r"^(-?[0-9]+(\.[0-9]+)?|NaN|-?Infinity)$"}


def bind_aggregates(declared: Aggregates, resource: BoundResource, fault: Callable[[str], None]) -> BoundAggregates:
    """`fault` is told what cannot be."""
    if resource.path is None or "list" not in resource.verbs:
        fault("Aggregates need a path and the verb 'list', whose filters they take")
    functions: dict[Function, dict[str, Aggregate]] = {}
    for function in FUNCTIONS:
        for name in getattr(declared, function):
            field = resource.fields.get(name)
            if field is None:
                fault(f"Aggregates({function}={name!r}): there is no such field")
            elif not _may(function, field):
                fault(f"Aggregates({function}={name!r}): {field.column.type.sql} has no {function} here")
            else:
                functions.setdefault(function, {})[name] = _computed(function, field)
    by: dict[str, Aggregate] = {}
    for name in declared.by:
        plain, dot, unit = name.partition(".")
        field = resource.fields.get(plain)
        if field is None or (dot and unit not in UNITS) or len(name) > _LONGEST:
            fault(f"Aggregates(by={name!r}): there is no such field, or unit ({', '.join(UNITS)})")
        elif dot and field.column.type.name not in _MOMENTS:
            fault(f"Aggregates(by={name!r}): {field.column.type.sql} has no calendar")
        elif field.also or field.column.type.is_array or not {"eq"} <= field.value.operators:
            fault(f"Aggregates(by={name!r}): rows cannot be grouped by {field.column.type.sql}")
        else:
            by[name] = _by_unit(field, unit) if dot else _by_value(field)
    return BoundAggregates(functions, by)


def _may(function: Function, field: Field) -> bool:
    column_type = field.column.type
    if field.also or column_type.is_array:
        return False
    if column_type.kind == "enum":
        return function in ("min", "max") and "enum" in field.value.schema
    if "enum" in field.value.schema:  # codes: their order is nobody's
        return False
    return column_type.name in (_NUMBERS if function in ("sum", "avg") else _ORDERED)


def _computed(function: Function, field: Field) -> Aggregate:
    call = getattr(sa.func, function)
    if function in ("min", "max"):
        return Aggregate(field, field.value.schema, lambda column: call(_known(field, column)), field.value.read)
    is_float = {"type": "number"} in field.value.schema.get("anyOf", ())
    is_money = field.column.type.name == "money"

    def of(column: Expression) -> Expression:
        known = _known(field, column)
        computed: Expression = call(sa.cast(known, sa.Numeric) if is_money else known)
        return computed

    return Aggregate(field, field.value.schema if is_float else _EXACT, of, as_is if is_float else as_text)


def _known(field: Field, column: Expression) -> Expression:
    """The column, null where the contract reads it as null."""
    if not field.value.lossy:
        return column
    return sa.case((field.value.read(column).is_not(None), column))


def _by_value(field: Field) -> Aggregate:
    """What reads alike is one group; what is read one to one is grouped as it is stored."""
    value = field.value
    if value.lossy or value.by_reading:
        return Aggregate(field, value.schema, value.read, as_is)
    return Aggregate(field, value.schema, as_is, value.read)


def _by_unit(field: Field, unit: str) -> Aggregate:
    """Its first day, on the calendar of the local time; of a moment with a zone in UTC."""
    name: Expression = sa.literal_column(quoted_text(unit))
    zone: Expression = sa.literal_column("'UTC'")

    def of(column: Expression) -> Expression:
        known = _known(field, column)
        wall = sa.func.timezone(zone, known) if field.column.type.name == "timestamptz" else known
        return sa.cast(sa.func.date_trunc(name, sa.cast(wall, sa.TIMESTAMP())), sa.Date)

    is_beyond = "format" not in field.value.schema  # then its months may be, too
    return Aggregate(field, either("date") if is_beyond else {"type": "string", "format": "date"}, of, as_is)
