"""Parameters that several requests take: each told once, as a component to which the requests refer."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from hashlib import blake2b
from typing import Any, TypeVar

from pydantic_core import to_json

from api_gateway.api.openapi.schemas import Json

Part = TypeVar("Part")


class Shared:
    """The components, filled while paths are written. A component's name tells what it is, and the last part how:

    limit, cursor, prefer          the same for every list
    placed_at.gte.date-time        a filter: field, operator, and what is compared with it; without operator: equal to
    parent.customer.number.text    a filter on a field of a parent
    Order.sort, Order.lines.where  of one resource

    So it does not depend on what else the API has, and tables with columns of one name and type share their filters.
    """

    def __init__(self) -> None:
        self.components: Json = {}
        self._made: dict[Hashable, list[Any]] = {}

    def refer(self, name: str, parameter: Json) -> Json:
        """The reference that stands for it."""
        if self.components.setdefault(name, parameter) != parameter:
            name = f"{name}-{digest(parameter)}"
            self.components[name] = parameter
        return {"$ref": f"#/components/parameters/{name}"}

    def remembered(self, key: Hashable, make: Callable[[], Iterable[Part]]) -> list[Part]:
        """What `make` gives, made once for each key: thousands of columns have a few hundred names and types."""
        found = self._made.get(key)
        if found is None:
            found = self._made[key] = list(make())
        return found


def digest(part: Json) -> str:
    return blake2b(to_json(part), digest_size=3).hexdigest()
