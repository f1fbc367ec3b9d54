"""From a shape to its statement: one SELECT whose rows are the documents, written as JSON by PostgreSQL itself.

    list    rows of: document, and as text the stored values it is ordered by (for the cursor)
    groups  rows of: document (`aggregate_select`)
    get     one row of: the fields asked for; all fields where that is not the same; what is included, where it is

Rows that are not the principal's are excluded in the statement, at every depth. Parameters: `f0`, `f1`… filters,
`k0`… the key or the cursor, `limit`, `skip`, and the principal's own values.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.selectable import NamedFromClause

from api_gateway.api.aggregate_select import groups
from api_gateway.api.compared import compared
from api_gateway.api.keyset import after, order
from api_gateway.api.query import MAX_LIMIT
from api_gateway.api.searching import found
from api_gateway.api.shapes import AggregateShape, CountShape, GetShape, Included, ListShape, Shape
from api_gateway.api.sorting import distinct
from api_gateway.api.sources import Sources, number
from api_gateway.api.visible import Place
from api_gateway.api.where import where
from shared_models.prepared import Prepared, parameter, prepared
from shared_models.resources import BoundResource, Link, Resources
from shared_models.spelling import cast_to
from shared_models.values import Expression, as_text

_KEPT = 500
COUNTED = 10_000  # rows that an estimate counts before it stops


@dataclass(frozen=True, slots=True)
class Statement:
    """`places`: what the principal has to say, parameter by parameter."""

    prepared: Prepared
    places: Mapping[str, Place]


class Statements:
    """The statements of a contract by shape; the least recently used are forgotten."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._made: OrderedDict[Shape, Statement] = OrderedDict()

    def of(self, shape: Shape) -> Statement:
        found = self._made.get(shape)
        if found is not None:
            self._made.move_to_end(shape)
            return found
        made = statement_of(shape, self._resources)
        self._made[shape] = made
        if len(self._made) > _KEPT:
            self._made.popitem(last=False)
        return made


def statement_of(shape: Shape, resources: Resources) -> Statement:
    resource = resources.by_path[shape.path]
    builder = _Builder(Sources(resources, shape.kind))
    select: sa.Select[Any]
    match shape:
        case ListShape():
            select = builder.page(resource, shape)
        case CountShape():
            select = builder.count(resource, shape)
        case GetShape():
            select = builder.get(resource, shape)
        case AggregateShape():
            select = groups(resource, shape, builder.sources)
    return Statement(prepared(select), builder.sources.places.found)


def every_row(
    resource: BoundResource, shape: ListShape, resources: Resources, *, limited: bool
) -> tuple[sa.Select[Any], Mapping[str, Place]]:
    """All rows of a list in its order, a column for each field: no page. Parameters as a page has them."""
    builder = _Builder(Sources(resources, shape.kind))
    return builder.every_row(resource, shape, limited=limited), builder.sources.places.found


class _Builder:
    def __init__(self, sources: Sources) -> None:
        self.sources = sources

    def get(self, resource: BoundResource, shape: GetShape) -> sa.Select[Any]:
        row = self.sources.alias(resource)
        key = [
            compared(field, row.c[field.column.name], "=", cast_to(parameter(f"k{n}"), field.value.spelling))
            for n, field in enumerate(resource.key)
        ]
        parts = [self._fields(resource, row, shape.fields)]
        if shape.fields:
            parts.append(self._fields(resource, row, ()))
        if shape.include:
            parts.append(self._inclusions(resource, row, shape.include))
        whole: sa.FromClause = row
        documents: list[Expression] = []
        for n, columns in enumerate(parts):
            document = sa.select(*columns).correlate(row).lateral(f"document{n}")
            whole, documents = whole.join(document, sa.true()), [*documents, _as_json(document)]
        return sa.select(*documents).select_from(whole).where(*key, *self.sources.visible(resource, row))

    def page(self, resource: BoundResource, shape: ListShape) -> sa.Select[Any]:
        """The page first, on stored columns, so that an index can give its order; then its documents.

        Two limits: of the number the planner knows the most, so that it plans once for all values; the value says how
        many rows are made. With the value alone PostgreSQL would plan anew each time, for longer than it runs.
        """
        row = self.sources.alias(resource)
        stored = sorted(resource.columns)
        page = sa.select(*(row.c[name] for name in stored)).select_from(row)
        page = page.where(*self.sources.visible(resource, row), *where(shape.conditions, resource, row, self.sources))
        page = page.where(*found(resource, row, searched=shape.searched))
        if shape.after is not None:
            page = page.where(after(resource, row, shape.sorts, shape.after, or_at=shape.counted))
        if shape.counted:
            page = page.offset(cast_to(parameter("skip"), "bigint"))
        page = page.order_by(*order(resource, row, shape.sorts)).limit(number(MAX_LIMIT + 1))
        rows = page.subquery("page")
        columns = self._document(resource, rows, shape.fields, shape.include)
        document = sa.select(*columns).correlate(rows).lateral("document")
        positions = [as_text(rows.c[resource.fields[sort.field].column.name]) for sort in shape.sorts]
        answer = sa.select(_as_json(document), *(p.label(f"k{n}") for n, p in enumerate(positions)))
        answer = answer.select_from(rows.join(document, sa.true())).order_by(*order(resource, rows, shape.sorts))
        return answer.limit(cast_to(parameter("limit"), "bigint"))

    def count(self, resource: BoundResource, shape: CountShape) -> sa.Select[Any]:
        """Of rows that are the principal's own, so no count tells of others."""
        row = self.sources.alias(resource)
        rows = sa.select(number(1).label("one")).select_from(row).where(*self.sources.visible(resource, row))
        rows = rows.where(*where(shape.conditions, resource, row, self.sources))
        rows = rows.where(*found(resource, row, searched=shape.searched))
        if not shape.exact:
            rows = rows.limit(number(COUNTED + 1))
        return sa.select(sa.cast(sa.func.count(), sa.Text)).select_from(rows.subquery("counted"))

    def every_row(self, resource: BoundResource, shape: ListShape, *, limited: bool) -> sa.Select[Any]:
        row = self.sources.alias(resource)
        select = sa.select(*self._document(resource, row, shape.fields, shape.include)).select_from(row)
        select = select.where(
            *self.sources.visible(resource, row), *where(shape.conditions, resource, row, self.sources)
        )
        select = select.where(*found(resource, row, searched=shape.searched))
        if shape.after is not None:
            select = select.where(after(resource, row, shape.sorts, shape.after, or_at=shape.counted))
        if shape.counted:
            select = select.offset(cast_to(parameter("skip"), "bigint"))
        if limited:
            select = select.limit(cast_to(parameter("limit"), "bigint"))
        return select.order_by(*order(resource, row, shape.sorts))

    def _document(
        self,
        resource: BoundResource,
        row: NamedFromClause[Any],
        fields: tuple[str, ...],
        include: Iterable[Included],
    ) -> list[Expression]:
        return self._fields(resource, row, fields) + self._inclusions(resource, row, include)

    def _fields(self, resource: BoundResource, row: NamedFromClause[Any], names: tuple[str, ...]) -> list[Expression]:
        shown = [resource.fields[name] for name in names] if names else resource.fields.values()
        return [field.value.read(row.c[field.column.name]).label(field.name) for field in shown]

    def _inclusions(
        self, resource: BoundResource, row: NamedFromClause[Any], include: Iterable[Included]
    ) -> list[Expression]:
        return [self._included(resource.links[part.name], row, part).label(part.name) for part in include]

    def _included(self, link: Link, outer: NamedFromClause[Any], part: Included) -> Expression:
        target, row, belongs = self.sources.linked(link, outer)
        select = sa.select(*self._document(target, row, part.fields, part.inner)).select_from(row).correlate(outer)
        select = select.where(*belongs, *where(part.where, target, row, self.sources))
        if link.kind == "parent":
            parent = select.limit(number(1)).subquery(f"{row.name}_document")
            return sa.select(_row_as_json(parent)).select_from(parent).scalar_subquery()
        most = number(link.limit) if part.limit is None else cast_to(parameter(part.limit), "bigint")
        children = select.order_by(*order(target, row, part.sorts or distinct(target.sort, target))).limit(most)
        lines = children.subquery(f"{row.name}_documents")
        whole = sa.func.json_agg(_row_as_json(lines))
        nothing: Expression = sa.literal_column("'[]'::pg_catalog.json")
        return sa.select(sa.func.coalesce(whole, nothing)).select_from(lines).scalar_subquery()


def _as_json(document: NamedFromClause[Any]) -> Expression:
    return sa.cast(_row_as_json(document), sa.Text)


def _row_as_json(document: NamedFromClause[Any]) -> Expression:
    """`document.*`: `document` alone would be the column of that name, where a table has one."""
    return sa.func.row_to_json(sa.literal_column(f'"{document.name}".*'))
