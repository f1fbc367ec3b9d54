"""The shape of a reading request: everything that decides on its statement, and nothing of its values.

Equal shapes share one statement, which SQLAlchemy compiles and PostgreSQL plans once. Values are parameters `f0`, `f1`…
in the order in which the shape's conditions stand.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from shared_models.contract import Function
from shared_models.resources import Sort


@dataclass(frozen=True, slots=True)
class Condition:
    """A filter without its values, which are the parameters from `f<first>` on.

    path    the parents that lead to the field, nearest first
    count   of `in` is rounded up, so that lists of any length share few shapes
    """

    field: str
    operator: str
    count: int = 1
    first: int = 0
    path: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        return [f"f{n}" for n in range(self.first, self.first + self.count)]


@dataclass(frozen=True, slots=True)
class Group:
    """`or`, `and`, or `not`, which denies that all of it holds."""

    word: str
    items: tuple[Node, ...]


Node = Condition | Group


@dataclass(frozen=True, slots=True)
class Included:
    """A parent or children to bring along, and what to bring along with those.

    fields   of each of them; empty: all
    where, sorts, limit   of children: which, in what order, and the parameter that says how many at most
    """

    name: str
    inner: tuple[Included, ...] = ()
    fields: tuple[str, ...] = ()
    where: tuple[Node, ...] = ()
    sorts: tuple[Sort, ...] = ()
    limit: str | None = None


@dataclass(frozen=True, slots=True)
class GetShape:
    path: str
    kind: str
    fields: tuple[str, ...]
    include: tuple[Included, ...]
    hashed: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "hashed", hash((self.path, self.kind, self.fields, self.include)))

    def __hash__(self) -> int:
        """It is asked for again and again."""
        return self.hashed


@dataclass(frozen=True, slots=True)
class ListShape:
    """`sorts` end with what makes rows distinct. `after`: for each of them, is the cursor's value null? None: page one.

    `counted`: rows have no key, so equal ones are counted instead. `searched`: `q` holds words to be found.
    """

    path: str
    kind: str
    fields: tuple[str, ...]
    include: tuple[Included, ...]
    conditions: tuple[Node, ...]
    sorts: tuple[Sort, ...]
    after: tuple[bool, ...] | None = None
    counted: bool = False
    searched: bool = False
    hashed: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        what = (self.path, self.kind, self.fields, self.include, self.conditions, self.sorts)
        object.__setattr__(self, "hashed", hash((*what, self.after, self.counted, self.searched)))

    def __hash__(self) -> int:
        """It is asked for again and again, and made of many parts."""
        return self.hashed


@dataclass(frozen=True, slots=True)
class CountShape:
    """How many rows the list has. Not exact: as many as are counted cheaply, then as the planner estimates."""

    path: str
    kind: str
    conditions: tuple[Node, ...]
    searched: bool
    exact: bool


@dataclass(frozen=True, slots=True)
class AggregateShape:
    """A list summed up. `functions`: of which fields; `by`: what its rows are grouped by."""

    path: str
    kind: str
    functions: tuple[tuple[Function, tuple[str, ...]], ...]
    by: tuple[str, ...]
    conditions: tuple[Node, ...]
    searched: bool


Shape = GetShape | ListShape | CountShape | AggregateShape
