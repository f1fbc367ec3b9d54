"""The shape of a writing request: everything that decides on its statement, and nothing of its values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Brought:
    """Children of one link that give a value to the same fields."""

    link: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class InsertShape:
    """`fields`: those the request gives, in the contract's order. `journal`: is it written in the same statement?"""

    path: str
    kind: str
    fields: tuple[str, ...]
    brought: tuple[Brought, ...] = ()
    journal: bool = True


@dataclass(frozen=True, slots=True)
class LockShape:
    """The row as it is, which then nobody else changes. `natural`: named by its natural key."""

    path: str
    kind: str
    natural: bool = False


@dataclass(frozen=True, slots=True)
class UpdateShape:
    """`reset`: fields that go back to the column's default. `removal`: a soft delete."""

    path: str
    kind: str
    fields: tuple[str, ...]
    reset: tuple[str, ...] = ()
    removal: bool = False
    journal: bool = True


@dataclass(frozen=True, slots=True)
class DeleteShape:
    path: str
    kind: str
    journal: bool = True


WriteShape = InsertShape | LockShape | UpdateShape | DeleteShape
