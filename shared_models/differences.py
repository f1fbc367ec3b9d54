"""One difference between two snapshots, and the words for telling it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

Kind = Literal["additive", "breaking"]
Named = TypeVar("Named")


@dataclass(frozen=True, slots=True)
class Drift:
    """`schema`, `table` and `column` say where, as far as the place is that narrow."""

    kind: Kind
    schema: str
    table: str | None
    column: str | None
    message: str


def pairs(old: Iterable[Named], new: Iterable[Named], key: Callable[[Named], Any]) -> Iterator[tuple[Any, Any, Any]]:
    """(key, before, after) for everything on either side, None where one side has nothing."""
    before: Mapping[Any, Named] = {key(part): part for part in old}
    after: Mapping[Any, Named] = {key(part): part for part in new}
    for name in sorted(before.keys() | after.keys()):
        yield name, before.get(name), after.get(name)


def verb(before: object, after: object) -> str:
    return "is new" if before is None else "gone" if after is None else "changed"


def listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "nothing"
