"""Filters as SQL. A field that reads as null is unknown to every operator but `null`, also inside `not`.

A parent that is not there, or that the principal does not see, has nothing but nulls.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.selectable import NamedFromClause

from api_gateway.api.compared import compared
from api_gateway.api.shapes import Condition, Node
from api_gateway.api.sources import Sources, number
from shared_models.prepared import parameter
from shared_models.resources import BoundResource, Field
from shared_models.spelling import cast_to
from shared_models.values import Expression, as_text

_SIGNS = {"eq": "=", "ne": "<>", "lt": "<", "lte": "<=", "gt": ">", "gte": ">="}


def where(
    nodes: Iterable[Node], resource: BoundResource, row: NamedFromClause[Any], sources: Sources
) -> list[Expression]:
    """Conditions, all of which must hold."""
    builder = _Where(sources)
    return [builder.node(node, resource, row, denied=False) for node in nodes]


class _Where:
    """`denied`: somewhere inside a `not`, so that false and unknown must be told apart."""

    def __init__(self, sources: Sources) -> None:
        self.sources = sources

    def node(self, node: Node, resource: BoundResource, row: NamedFromClause[Any], *, denied: bool) -> Expression:
        if isinstance(node, Condition):
            return self.condition(node, resource, row, denied=denied)
        inside = denied or node.word == "not"
        items = [self.node(item, resource, row, denied=inside) for item in node.items]
        if node.word == "or":
            return sa.or_(*items)
        return sa.not_(sa.and_(*items).self_group()) if node.word == "not" else sa.and_(*items)

    def condition(
        self, condition: Condition, resource: BoundResource, row: NamedFromClause[Any], *, denied: bool
    ) -> Expression:
        if condition.path:
            return self._of_parent(condition, resource, row, denied=denied)
        field = resource.fields[condition.field]
        return _condition(field, row.c[field.column.name], condition.operator, condition.names, denied=denied)

    def _of_parent(
        self, condition: Condition, resource: BoundResource, row: NamedFromClause[Any], *, denied: bool
    ) -> Expression:
        if condition.operator == "null":  # nothing there is not null
            return sa.not_(self._of_parent(replace(condition, operator="not_null"), resource, row, denied=False))
        step, *rest = condition.path
        target, parent, belongs = self.sources.linked(resource.links[step], row)
        inner = self.condition(replace(condition, path=tuple(rest)), target, parent, denied=denied)
        if denied and condition.operator != "not_null":
            found = sa.select(inner).select_from(parent).where(*belongs).limit(number(1)).correlate(row)
            return found.scalar_subquery()
        return sa.exists(sa.select(number(1)).select_from(parent).where(*belongs, inner).correlate(row))


def _condition(field: Field, stored: Expression, operator: str, names: list[str], *, denied: bool) -> Expression:
    value = field.value
    read = value.read(stored)
    if operator in ("null", "not_null"):
        shown = read if value.lossy or value.by_reading else stored
        return shown.is_(None) if operator == "null" else shown.is_not(None)
    holds = _holds(field, stored, read, operator, names)
    if not value.lossy:
        return holds
    if denied:
        return sa.case((read.is_not(None), holds))
    return holds if _is_closed(field, operator) else sa.and_(holds, read.is_not(None))


def _holds(field: Field, stored: Expression, read: Expression, operator: str, names: list[str]) -> Expression:
    value = field.value
    if operator in ("like", "ilike"):
        text = read if value.by_reading else as_text(stored) if field.column.type.is_padded else stored
        sign = "LIKE" if operator == "like" else "ILIKE"
        return text.op(sign, is_comparison=True)(cast_to(parameter(names[0]), "text"))
    if operator == "contains":
        assert field.containing is not None  # noqa: S101 - it is among the operators
        return field.containing.holds(stored, parameter(names[0]))
    left = read if value.by_reading else stored
    bound = [value.bind(parameter(name)) for name in names]
    if operator == "in" and value.operators_of is not None:
        return sa.or_(*(compared(field, left, "=", one) for one in bound))
    return left.in_(bound) if operator == "in" else compared(field, left, _SIGNS[operator], bound[0])


def _is_closed(field: Field, operator: str) -> bool:
    """Equal to a value that is never read as null, a row cannot be read as null either."""
    return field.value.closed and operator in ("eq", "in")
