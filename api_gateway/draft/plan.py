"""The draft as a value, before it is text: what is exposed, what is proposed, what is left out and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

TableName = tuple[str, str]  # schema, name


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a person may put in the place of what is drafted, and what it rests on; `text` None: only worth knowing."""

    text: str | None
    evidence: str


@dataclass(frozen=True, slots=True)
class DraftField:
    """One line of a class. `alias` is the API's name where the attribute cannot be it; `marker` is its Python."""

    attribute: str
    alias: str | None
    annotation: str
    marker: str | None
    optional: bool
    column: str
    comment: str | None = None
    proposals: tuple[Proposal, ...] = ()


@dataclass(frozen=True, slots=True)
class DraftRelation:
    """A parent or children, from a foreign key; `proposed` ones are written as a comment with their `evidence`."""

    kind: Literal["parent", "children"]
    attribute: str
    alias: str | None
    target: TableName
    columns: tuple[str, ...]
    to: tuple[str, ...] = ()
    proposed: bool = False
    evidence: str = ""

    @property
    def ends(self) -> str:
        """What it joins, whatever it is called: `parent cust_no public.customer`."""
        return f"{self.kind} {','.join(self.columns)} {'.'.join(self.target)}"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A table, column or foreign key that the draft does not expose. `what` None: the whole table."""

    schema: str
    table: str
    what: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class DraftResource:
    class_name: str
    path: str
    schema: str
    table: str
    kind: str
    comment: str | None
    key: tuple[str, ...]
    fields: tuple[DraftField, ...]
    relations: tuple[DraftRelation, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    proposals: tuple[Proposal, ...] = ()

    @property
    def name(self) -> TableName:
        return self.schema, self.table


@dataclass(frozen=True, slots=True)
class DraftEnum:
    """An enum type as a name for its labels: `JobState = Literal["new", "done"]`."""

    name: str
    schema: str
    type: str
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Draft:
    """Every table of the snapshot is in `resources` or in `left_out`; every column of a resource likewise."""

    resources: tuple[DraftResource, ...]
    enums: tuple[DraftEnum, ...]
    left_out: tuple[LeftOut, ...]
    foreign_keys: int  # declared by the drafted tables
    related: int  # of them, those that became a relation
