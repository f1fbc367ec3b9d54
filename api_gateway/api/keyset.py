"""The order of rows, and the rows behind one of them, in PostgreSQL's own order: nulls where the sort puts them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.selectable import NamedFromClause

from api_gateway.api.compared import compared
from shared_models.prepared import parameter
from shared_models.resources import BoundResource, Field, Sort
from shared_models.spelling import cast_to
from shared_models.values import Expression


def order(resource: BoundResource, row: NamedFromClause[Any], sorts: Iterable[Sort]) -> Iterable[Expression]:
    for sort in sorts:
        column = row.c[resource.fields[sort.field].column.name]
        ordered: Expression = column.desc() if sort.descending else column.asc()
        if sort.nulls is not None:
            ordered = ordered.nulls_first() if sort.nulls == "first" else ordered.nulls_last()
        yield ordered


def after(
    resource: BoundResource,
    row: NamedFromClause[Any],
    sorts: tuple[Sort, ...],
    nulls: tuple[bool, ...],
    *,
    or_at: bool,
) -> Expression:
    """Rows behind the one whose values are the parameters `k0`, `k1`…; `nulls` says which of these are null."""
    fields = [resource.fields[sort.field] for sort in sorts]
    columns = [row.c[field.column.name] for field in fields]
    values = [cast_to(parameter(f"k{n}"), field.value.spelling) for n, field in enumerate(fields)]
    same_way = len({sort.descending for sort in sorts}) == 1
    is_plain = not any(field.stored_null or field.value.operators_of for field in fields)
    if same_way and not or_at and is_plain:
        return _tuples(columns, values, ">" if not sorts[0].descending else "<")
    behind: list[Expression] = []
    for n, sort in enumerate(sorts):
        equal = [_equal(fields[m], columns[m], values[m], nulls[m]) for m in range(n)]
        behind.append(sa.and_(*equal, _beyond(columns[n], values[n], nulls[n], fields[n], sort)))
    if or_at:
        same = zip(fields, columns, values, nulls, strict=True)
        behind.append(sa.and_(*(_equal(*one) for one in same)))
    return sa.or_(*behind)


def _tuples(columns: Sequence[Expression], values: Sequence[Expression], sign: str) -> Expression:
    if len(columns) == 1:
        return columns[0].op(sign, is_comparison=True)(values[0])
    return sa.tuple_(*columns).op(sign, is_comparison=True)(sa.tuple_(*values))


def _equal(field: Field, column: Expression, value: Expression, null: bool) -> Expression:
    return column.is_(None) if null else compared(field, column, "=", value)


def _beyond(column: Expression, value: Expression, null: bool, field: Field, sort: Sort) -> Expression:
    if null:
        return column.is_not(None) if sort.nulls_first else sa.false()
    beyond = compared(field, column, "<" if sort.descending else ">", value)
    return beyond if sort.nulls_first or not field.stored_null else sa.or_(beyond, column.is_(None))
