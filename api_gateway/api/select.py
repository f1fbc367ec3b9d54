"""From a shape to its statement: one SELECT whose rows are the documents, written as JSON by PostgreSQL itself.

    list    rows of: document, and as text the stored values it is ordered by (for the cursor)
    get     one row of: the fields asked for; all fields where that is not the same; what is included, where it is

Rows that are not the principal's are excluded in the statement, at every depth. Parameters: `f0`, `f1`… filters,
`k0`… the key or the cursor, `limit`, `skip`, and the principal's own values.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.selectable import NamedFromClause

from api_gateway.api.shapes import Condition, GetShape, Included, ListShape, Shape
from api_gateway.api.visible import Place, Places, visible
from shared_models.prepared import Prepared, parameter, prepared
from shared_models.resources import BoundResource, Field, Link, Resources, Sort
from shared_models.spelling import cast_to, quoted
from shared_models.values import Expression, as_text

_KEPT = 2000


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
    builder = _Builder(resources, shape.kind)
    select = builder.page(resource, shape) if isinstance(shape, ListShape) else builder.get(resource, shape)
    return Statement(prepared(select), builder.places.found)


class _Builder:
    def __init__(self, resources: Resources, kind: str) -> None:
        self.resources, self.kind, self.places = resources, kind, Places()
        self._aliases = 0

    def get(self, resource: BoundResource, shape: GetShape) -> sa.Select[Any]:
        row = self._alias(resource)
        key = [
            _compared(field, row.c[field.column.name], "=", cast_to(parameter(f"k{n}"), field.value.spelling))
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
        return sa.select(*documents).select_from(whole).where(*key, *self._visible(resource, row))

    def page(self, resource: BoundResource, shape: ListShape) -> sa.Select[Any]:
        """The page first, on stored columns, so that an index can give its order; then its documents."""
        row = self._alias(resource)
        stored = sorted(resource.columns)
        page = sa.select(*(row.c[name] for name in stored)).select_from(row)
        page = page.where(*self._visible(resource, row), *_conditions(resource, row, shape.conditions))
        if shape.after is not None:
            page = page.where(_after(resource, row, shape.sorts, shape.after, or_at=shape.counted))
        if shape.counted:
            page = page.offset(cast_to(parameter("skip"), "bigint"))
        page = page.order_by(*_order(resource, row, shape.sorts)).limit(cast_to(parameter("limit"), "bigint"))
        rows = page.subquery("page")
        columns = self._document(resource, rows, shape.fields, shape.include)
        document = sa.select(*columns).correlate(rows).lateral("document")
        positions = [as_text(rows.c[resource.fields[sort.field].column.name]) for sort in shape.sorts]
        answer = sa.select(_as_json(document), *(p.label(f"k{n}") for n, p in enumerate(positions)))
        return answer.select_from(rows.join(document, sa.true())).order_by(*_order(resource, rows, shape.sorts))

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
        return [self._included(resource.links[part.name], row, part.inner).label(part.name) for part in include]

    def _included(self, link: Link, outer: NamedFromClause[Any], inner: tuple[Included, ...]) -> Expression:
        target = self.resources.of(link.target)
        row = self._alias(target)
        select = sa.select(*self._document(target, row, (), inner)).select_from(row).correlate(outer)
        select = select.where(*(outer.c[own] == row.c[other] for own, other in link.pairs), *self._visible(target, row))
        if link.kind == "parent":
            parent = select.limit(_number(1)).subquery(f"{row.name}_document")
            return sa.select(_row_as_json(parent)).select_from(parent).scalar_subquery()
        children = select.order_by(*_order(target, row, target.sort + target.order)).limit(_number(link.limit))
        lines = children.subquery(f"{row.name}_documents")
        whole = sa.func.json_agg(_row_as_json(lines))
        nothing: Expression = sa.literal_column("'[]'::json")
        return sa.select(sa.func.coalesce(whole, nothing)).select_from(lines).scalar_subquery()

    def _visible(self, resource: BoundResource, row: NamedFromClause[Any]) -> list[Expression]:
        return visible(resource, row, self.kind, self.resources, self.places)

    def _alias(self, resource: BoundResource) -> NamedFromClause[Any]:
        self._aliases += 1
        return resource.source.alias(f"t{self._aliases}")


def _as_json(document: NamedFromClause[Any]) -> Expression:
    return sa.cast(_row_as_json(document), sa.Text)


def _row_as_json(document: NamedFromClause[Any]) -> Expression:
    """`document.*`: `document` alone would be the column of that name, where a table has one."""
    return sa.func.row_to_json(sa.literal_column(f'"{document.name}".*'))


def _number(number: int) -> Expression:
    """A number that is part of the statement."""
    return sa.literal_column(str(number), sa.Integer)


def _order(resource: BoundResource, row: NamedFromClause[Any], sorts: Iterable[Sort]) -> list[Expression]:
    columns = ((row.c[resource.fields[sort.field].column.name], sort.descending) for sort in sorts)
    return [column.desc() if descending else column.asc() for column, descending in columns]


def _conditions(
    resource: BoundResource, row: NamedFromClause[Any], conditions: tuple[Condition, ...]
) -> Iterable[Expression]:
    taken = 0
    for condition in conditions:
        names = [f"f{taken + n}" for n in range(condition.count)]
        taken += condition.count
        field = resource.fields[condition.field]
        yield _condition(field, row.c[field.column.name], condition.operator, names)


def _condition(field: Field, stored: Expression, operator: str, names: list[str]) -> Expression:
    value = field.value
    read = value.read(stored)
    if operator in ("null", "not_null"):
        shown = read if value.lossy else stored
        return shown.is_(None) if operator == "null" else shown.is_not(None)
    if operator in ("like", "ilike"):
        text, pattern = (
            (as_text(stored) if field.column.type.is_padded else stored),
            cast_to(parameter(names[0]), "text"),
        )
        compared: Expression = text.op("LIKE" if operator == "like" else "ILIKE", is_comparison=True)(pattern)
        return sa.and_(compared, read.is_not(None)) if value.lossy else compared
    left = read if value.by_reading else stored
    bound = [value.bind(parameter(name)) for name in names]
    if operator == "in" and value.operators_of is not None:
        compared = sa.or_(*(_compared(field, left, "=", one) for one in bound))
    elif operator == "in":
        compared = left.in_(bound)
    else:
        sign = {"eq": "=", "ne": "<>", "lt": "<", "lte": "<=", "gt": ">", "gte": ">="}[operator]
        compared = _compared(field, left, sign, bound[0])
    return sa.and_(compared, read.is_not(None)) if value.lossy and not _is_closed(field, operator) else compared


def _compared(field: Field, left: Expression, sign: str, right: Expression) -> Expression:
    """By the operator of the column's own type, wherever an extension has put it."""
    place = field.value.operators_of
    return left.op(sign if place is None else f"OPERATOR({quoted(place)}.{sign})", is_comparison=True)(right)


def _is_closed(field: Field, operator: str) -> bool:
    """Equal to a value that is never read as null, a row cannot be read as null either."""
    return field.value.closed and operator in ("eq", "in")


def _after(
    resource: BoundResource,
    row: NamedFromClause[Any],
    sorts: tuple[Sort, ...],
    nulls: tuple[bool, ...],
    *,
    or_at: bool,
) -> Expression:
    """Rows behind the cursor in PostgreSQL's own order: nulls last ascending, first descending."""
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
        behind.append(sa.and_(*equal, _beyond(columns[n], values[n], nulls[n], fields[n], sort.descending)))
    if or_at:
        same = zip(fields, columns, values, nulls, strict=True)
        behind.append(sa.and_(*(_equal(*one) for one in same)))
    return sa.or_(*behind)


def _tuples(columns: Sequence[Expression], values: Sequence[Expression], sign: str) -> Expression:
    if len(columns) == 1:
        return columns[0].op(sign, is_comparison=True)(values[0])
    return sa.tuple_(*columns).op(sign, is_comparison=True)(sa.tuple_(*values))


def _equal(field: Field, column: Expression, value: Expression, null: bool) -> Expression:
    return column.is_(None) if null else _compared(field, column, "=", value)


def _beyond(column: Expression, value: Expression, null: bool, field: Field, descending: bool) -> Expression:
    if descending:
        return column.is_not(None) if null else _compared(field, column, "<", value)
    if null:
        return sa.false()
    greater = _compared(field, column, ">", value)
    return sa.or_(greater, column.is_(None)) if field.stored_null else greater
