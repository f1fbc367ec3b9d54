"""A contract bound to a snapshot: every name of the API with the column, the type and the rule behind it.

`shared_models.binding` makes these values, and says what does not fit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import sqlalchemy as sa

from shared_models.containing import Containing
from shared_models.contract import DEFAULT_DEPTH, Function, Now, Resource, Total, Verb
from shared_models.joining import part_of
from shared_models.lifecycle import Deprecated
from shared_models.rows import Reference, Rows
from shared_models.snapshot import Column, Table
from shared_models.tables import Sources
from shared_models.values import Expression, Value, stored


@dataclass(frozen=True)
class Field:
    """`name` is the API's. `nullable`: JSON null is possible; `stored_null`: NULL in the table is.

    write   may a request give it? "create": only for a new row
    limits  what a written value must hold besides, as JSON Schema
    also    the other columns of a value that several are joined to
    """

    name: str
    attribute: str
    column: Column
    value: Value
    is_key: bool
    nullable: bool
    stored_null: bool
    filterable: bool
    sortable: bool
    description: str | None = None
    write: bool | Literal["create"] = False
    containing: Containing | None = None
    limits: Mapping[str, Any] = field(default_factory=dict)
    also: tuple[Column, ...] = ()

    @property
    def columns(self) -> tuple[Column, ...]:
        return (self.column, *self.also)

    @cached_property
    def column_names(self) -> frozenset[str]:
        return frozenset(column.name for column in self.columns)

    @property
    def has_default(self) -> bool:
        """Does the database have a value where a new row gives none?"""
        return all(column.has_default for column in self.columns)

    def written(self, parameter: Expression) -> dict[str, Expression]:
        """SQL by column: from a parameter, text as `value.take` gives it, to what is stored."""
        if not self.also:
            return {self.column.name: stored(self.value, parameter)}
        return {column.name: part_of(parameter, n, column.type) for n, column in enumerate(self.columns)}

    @property
    def takes_null(self) -> bool:
        return self.stored_null or self.value.none is not None

    @cached_property
    def operators(self) -> frozenset[str]:
        if not self.filterable:
            return frozenset()
        more = {"null": self.nullable, "contains": self.containing is not None}
        return self.value.operators | {operator for operator, has in more.items() if has}

    @property
    def operators_behind_parent(self) -> frozenset[str]:
        """A parent that is not there has nothing but nulls."""
        return self.operators | {"null"} if self.filterable else frozenset()


@dataclass(frozen=True)
class Link:
    """Rows of another resource that `include` brings along. `pairs`: (column here, column there).

    `writable`: a new row brings them along; `numbered`: their field that counts them.
    """

    name: str
    attribute: str
    kind: Literal["parent", "children"]
    target: type[Resource]
    pairs: tuple[tuple[str, str], ...]
    limit: int = 1
    description: str | None = None
    writable: bool = False
    numbered: str | None = None


@dataclass(frozen=True)
class Filled:
    """A column that we fill: with a constant (text that PostgreSQL reads), a value of the principal, or the time."""

    column: Column
    value: str | Reference | Now


@dataclass(frozen=True)
class Writing:
    """What a resource says about writing. `on_create` holds `on_write` too; `on_delete` is of a soft delete."""

    scope: str | None = None
    on_create: tuple[Filled, ...] = ()
    on_write: tuple[Filled, ...] = ()
    on_delete: tuple[Filled, ...] = ()
    natural_key: tuple[Field, ...] = ()
    if_match: bool = False
    max_rows: int = 100


@dataclass(frozen=True)
class BoundSearch:
    """Columns of text, and the configuration that reads them; or `stored`, the column of what it has read."""

    columns: tuple[str, ...]
    language: str
    stored: str | None = None


@dataclass(frozen=True)
class Aggregate:
    """A function of a field, or what rows are grouped by.

    schema   JSON Schema of what is shown, null aside
    of       SQL: from the column to what is computed, or equal in a group
    shown    SQL: from there to what PostgreSQL shall write as JSON
    """

    field: Field
    schema: Mapping[str, Any]
    of: Callable[[Expression], Expression]
    shown: Callable[[Expression], Expression]


@dataclass(frozen=True)
class BoundAggregates:
    """By the names that a request says."""

    functions: Mapping[Function, Mapping[str, Aggregate]]
    by: Mapping[str, Aggregate]


@dataclass(frozen=True)
class Sort:
    """`nulls` None: where PostgreSQL puts them, last ascending and first descending."""

    field: str
    descending: bool = False
    nulls: Literal["first", "last"] | None = None

    @property
    def nulls_first(self) -> bool:
        return self.descending if self.nulls is None else self.nulls == "first"


@dataclass(frozen=True)
class Lost:
    """A link that leads to what the schema does not give any more; asking for it is refused, all else goes on.

    scope    what the principal needs for what is there: without it the link is as unknown as ever
    columns  of this table, that lead to a parent; none for children
    is_open  does everybody see all of its rows?
    """

    scope: str | None
    columns: frozenset[str]
    is_open: bool
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class NewRow:
    """How a new row is read from a request.

    takers    what is plainly written: by name, from a value that is not null to the text that is stored
    required  fields that need a value, or make one where none is given
    """

    takers: Mapping[str, Callable[[Any], str]]
    required: tuple[Field, ...]


@dataclass(frozen=True)
class BoundResource:
    """lost        links that are out of service, by name: they are not among `links`
    stopped     verbs that are out of service, and why
    soft_delete a column, and the value in it of rows that are not there
    """

    cls: type[Resource]
    name: str
    path: str | None
    table: Table
    sources: Sources
    fields: Mapping[str, Field]
    links: Mapping[str, Link]
    rows: Rows
    scope: str | None
    verbs: tuple[Verb, ...]
    sort: tuple[Sort, ...] = ()
    soft_delete: tuple[str, sa.ColumnElement[Any]] | None = None
    description: str | None = None
    include_depth: int = DEFAULT_DEPTH
    totals: tuple[Total, ...] = ()
    search: BoundSearch | None = None
    aggregates: BoundAggregates | None = None
    columns: frozenset[str] = field(default_factory=frozenset)
    writing: Writing = Writing()
    deprecated: Deprecated | None = None
    lost: Mapping[str, Lost] = field(default_factory=dict)
    stopped: Mapping[str, tuple[Finding, ...]] = field(default_factory=dict)

    @property
    def source(self) -> sa.Table:
        """The table as SQLAlchemy Core."""
        return self.sources.of(self.table)

    @property
    def is_writable(self) -> bool:
        """Does it have a verb that writes?"""
        return bool({"create", "update", "upsert", "delete"}.intersection(self.verbs))

    @property
    def scopes(self) -> tuple[str | None, ...]:
        """What a principal may need here."""
        return (self.scope, self.writing.scope) if self.is_writable else (self.scope,)

    @cached_property
    def written_links(self) -> tuple[Link, ...]:
        """The children that a new row may bring along."""
        return tuple(link for link in self.links.values() if link.writable)

    @cached_property
    def _new_rows(self) -> dict[tuple[frozenset[str], frozenset[str]], NewRow]:
        return {}

    def new_row(self, taken: frozenset[str], covered: frozenset[str]) -> NewRow:
        """taken     columns that the row does not say itself
        covered   columns that have a value though the row says none
        """
        found = self._new_rows.get((taken, covered))
        if found is None:
            found = self._new_rows[taken, covered] = NewRow(
                {
                    f.name: f.value.take
                    for f in self.fields.values()
                    if f.write and f.value.take is not None and f.name not in self.lost and not f.column_names & taken
                },
                tuple(
                    f
                    for f in self.fields.values()
                    if f.write and not f.column_names & covered and not f.has_default and not f.stored_null
                ),
            )
        return found

    @cached_property
    def key(self) -> tuple[Field, ...]:
        return tuple(f for f in self.fields.values() if f.is_key)

    @cached_property
    def order(self) -> tuple[Sort, ...]:
        """The order that makes pages possible: the key, else every sortable field."""
        ordered = self.key or tuple(f for f in self.fields.values() if f.sortable)
        return tuple(Sort(f.name) for f in ordered)


@dataclass(frozen=True)
class Finding:
    """What of a contract does not fit, and where: one line a person can act on.

    Where it concerns a part of the resource only: `verbs` that cannot be served, or the `link` that leads nowhere.
    """

    file: str
    line: int
    resource: str
    table: str
    column: str | None
    message: str
    verbs: tuple[str, ...] = ()
    link: str | None = None

    def __str__(self) -> str:
        place = self.table if self.column is None else f"{self.table}.{self.column}"
        return f"{self.file}:{self.line}: {self.resource} ({place}): {self.message}"


class ContractError(Exception):
    """The contract does not fit the snapshot. `findings` are in the order of the contract."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__("\n".join(map(str, findings)))
        self.findings = findings


@dataclass(frozen=True)
class Resources:
    """All of a contract. `unavailable`: paths whose resource does not fit the schema any more, and why."""

    bound: Mapping[type[Resource], BoundResource]
    unavailable: Mapping[str, tuple[Finding, ...]] = field(default_factory=dict)

    def __iter__(self) -> Iterator[BoundResource]:
        return iter(self.bound.values())

    def of(self, cls: type[Resource]) -> BoundResource:
        return self.bound[cls]

    def same(self, cls: type[Resource]) -> BoundResource | None:
        """The resource, or what another version of the contract calls by the same name."""
        found = self.bound.get(cls)
        return found or next((resource for resource in self if resource.name == cls.__name__), None)

    @cached_property
    def by_path(self) -> Mapping[str, BoundResource]:
        return {resource.path: resource for resource in self if resource.path is not None}

    def findings(self) -> Iterator[Finding]:
        """Everything that does not fit, of whole resources and of parts."""
        for found in self.unavailable.values():
            yield from found
        for resource in self:
            for stopped in resource.stopped.values():
                yield from stopped
            for lost in resource.lost.values():
                yield from lost.findings

    def columns(self) -> Mapping[tuple[str, str], frozenset[str]]:
        """Every column that reading needs, by (schema, table)."""
        needed: dict[tuple[str, str], frozenset[str]] = {}
        for resource in self:
            place = (resource.table.schema, resource.table.name)
            kept = {resource.search.stored} if resource.search is not None and resource.search.stored else set()
            needed[place] = needed.get(place, frozenset()) | resource.columns | kept
        return needed
