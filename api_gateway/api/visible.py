"""Whose rows: a rule of the contract as conditions of a statement, and the values that the principal fills in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.selectable import NamedFromClause

from api_gateway.api.compared import joined
from api_gateway.consumers import Principal
from shared_models import rows
from shared_models.meanings import stored_text
from shared_models.prepared import parameter
from shared_models.resources import BoundResource, Link, Resources
from shared_models.snapshot import ColumnType
from shared_models.spelling import cast_to, constant, type_name
from shared_models.values import Expression


@dataclass(frozen=True, slots=True)
class Place:
    """A value of the principal, as the type of the column it is compared with."""

    reference: rows.Reference
    column_type: ColumnType

    def text(self, principal: Principal) -> str | None:
        """None, which equals nothing, when the principal has no such value or one that the column cannot hold."""
        name = self.reference.name
        value = principal.code if name is None else principal.values.get(name)
        if value is None or "\0" in value:
            return None
        try:
            return stored_text(value, self.column_type)
        except ValueError:
            return None


class Places:
    """Collects the places of one statement; the same value of the same type is one parameter."""

    def __init__(self) -> None:
        self.found: dict[str, Place] = {}

    def parameter(self, reference: rows.Reference, column_type: ColumnType) -> Expression:
        place = Place(reference, column_type)
        name = next((n for n, known in self.found.items() if known == place), None)
        if name is None:
            name = f"p{len(self.found)}"
            self.found[name] = place
        return cast_to(parameter(name), type_name(column_type))


def visible(
    resource: BoundResource, row: NamedFromClause[Any], kind: str, resources: Resources, places: Places
) -> list[Expression]:
    """Conditions that leave the rows which a principal of this kind sees."""
    builder = _Visible(kind, resources, places)
    return builder.conditions(resource, row)


class _Visible:
    def __init__(self, kind: str, resources: Resources, places: Places) -> None:
        self.kind, self.resources, self.places, self.depth = kind, resources, places, 0

    def conditions(self, resource: BoundResource, row: NamedFromClause[Any]) -> list[Expression]:
        found: list[Expression] = []
        if resource.soft_delete is not None:
            column, deleted = resource.soft_delete
            found.append(row.c[column].is_distinct_from(deleted))
        if not isinstance(resource.rows, rows.AllRows):
            found.append(self._rule(resource.rows, resource, row))
        return found

    def _rule(self, rule: rows.Rows, resource: BoundResource, row: NamedFromClause[Any]) -> Expression:
        match rule:
            case rows.AllRows():
                return sa.true()
            case rows.Where(conditions):
                return sa.and_(*(self._equals(resource, row, name, value) for name, value in conditions))
            case rows.Through(parent):
                return self._through(resource.links[parent], row)
            case rows.ByKind():
                return self._rule(self._for_kind(rule), resource, row)
            case rows.Both(left, right):
                return sa.and_(self._rule(left, resource, row), self._rule(right, resource, row))
            case rows.Either(left, right):
                return sa.or_(self._rule(left, resource, row), self._rule(right, resource, row))
            case _:
                return sa.false()

    def _for_kind(self, rule: rows.ByKind) -> rows.Rows:
        rules: Mapping[str, rows.Rows] = {"consumer": rule.consumer, "account": rule.account, "staff": rule.staff}
        return rules.get(self.kind, rows.NoRows())

    def _equals(self, resource: BoundResource, row: NamedFromClause[Any], name: str, value: Any) -> Expression:
        column = resource.table.column(name)
        assert column is not None  # noqa: S101 - binding looked it up
        wanted: Expression
        if isinstance(value, rows.Reference):
            wanted = self.places.parameter(value, column.type)
        else:
            wanted = constant(stored_text(value, column.type), type_name(column.type))
        equal: Expression = row.c[name].op("=", is_comparison=True)(wanted)
        return equal

    def _through(self, link: Link, row: NamedFromClause[Any]) -> Expression:
        target = self.resources.of(link.target)
        self.depth += 1
        parent = target.source.alias(f"{row.name}_{self.depth}")
        pairs = joined(row, parent, link.pairs)
        inside = self.conditions(target, parent)
        return sa.exists(sa.select(sa.literal_column("1")).select_from(parent).where(*pairs, *inside).correlate(row))
