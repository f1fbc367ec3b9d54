"""The shape of a reading request: everything that decides on its statement, and nothing of its values.

Equal shapes share one statement, which SQLAlchemy compiles and PostgreSQL plans once.
"""

from __future__ import annotations

from dataclasses import dataclass

from shared_models.resources import Sort


@dataclass(frozen=True, slots=True)
class Condition:
    """A filter without its values. `count` (of `in`) is rounded up, so that lists of any length share few shapes."""

    field: str
    operator: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class Included:
    """A parent or children to bring along, and what to bring along with those."""

    name: str
    inner: tuple[Included, ...] = ()


@dataclass(frozen=True, slots=True)
class GetShape:
    path: str
    kind: str
    fields: tuple[str, ...]
    include: tuple[Included, ...]


@dataclass(frozen=True, slots=True)
class ListShape:
    """`sorts` end with what makes rows distinct. `after`: for each of them, is the cursor's value null? None: page one.

    `counted`: rows have no key, so equal ones are counted instead.
    """

    path: str
    kind: str
    fields: tuple[str, ...]
    include: tuple[Included, ...]
    conditions: tuple[Condition, ...]
    sorts: tuple[Sort, ...]
    after: tuple[bool, ...] | None = None
    counted: bool = False


Shape = GetShape | ListShape
