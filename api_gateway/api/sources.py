"""The tables of one statement: an alias for each use, and which of its rows the principal sees there."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.selectable import NamedFromClause

from api_gateway.api.compared import joined
from api_gateway.api.visible import Places, visible
from shared_models.resources import BoundResource, Link, Resources
from shared_models.values import Expression


class Sources:
    """`kind`: of the principal."""

    def __init__(self, resources: Resources, kind: str) -> None:
        self.resources, self.kind, self.places = resources, kind, Places()
        self._aliases = 0

    def alias(self, resource: BoundResource) -> NamedFromClause[Any]:
        self._aliases += 1
        return resource.source.alias(f"t{self._aliases}")

    def visible(self, resource: BoundResource, row: NamedFromClause[Any]) -> list[Expression]:
        return visible(resource, row, self.kind, self.resources, self.places)

    def linked(
        self, link: Link, outer: NamedFromClause[Any]
    ) -> tuple[BoundResource, NamedFromClause[Any], list[Expression]]:
        """What a link leads to: the resource, its alias, the conditions for a visible row that belongs to `outer`."""
        target = self.resources.of(link.target)
        row = self.alias(target)
        return target, row, joined(outer, row, link.pairs) + self.visible(target, row)


def number(value: int) -> Expression:
    """A number of ours, in the statement itself."""
    return sa.literal_column(str(value), sa.BigInteger)
