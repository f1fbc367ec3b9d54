"""The schema as a value: what PostgreSQL's catalogs say, frozen, comparable, committed as `schema.lock.json`.

    Snapshot
    ├── Table     name, kind, comment; columns, keys, foreign keys, checks, indexes, triggers, rules, policies
    ├── Enum, Domain, Composite, Collation    what columns are made of
    └── Sequence, Function                    what columns, triggers and views lean on

`shared_models.catalog` reads one, `shared_models.drift` compares two. What changes without anybody changing the
schema (row estimates, sizes, the server's version) is marked volatile: never written, never compared. Left out
because each installation has its own: owners, tablespaces, storage parameters, privileges on schemas (PostgreSQL 15
changed what a new database grants), and the options of foreign tables (they may hold secrets).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from shared_models.frozen_json import decode, encode
from shared_models.snapshot_excerpt import excerpt
from shared_models.snapshot_parts import (
    Check,
    Collation,
    Column,
    ColumnType,
    Composite,
    Domain,
    Enum,
    Exclusion,
    Fires,
    ForeignKey,
    Function,
    Index,
    Initially,
    Policy,
    Privilege,
    Query,
    Rule,
    Sequence,
    Trigger,
    TypeKind,
    Unique,
)

__all__ = [
    "Check",
    "Collation",
    "Column",
    "ColumnType",
    "Composite",
    "Domain",
    "Enum",
    "Exclusion",
    "Fires",
    "ForeignKey",
    "Function",
    "Index",
    "Initially",
    "Policy",
    "Privilege",
    "Query",
    "Rule",
    "Sequence",
    "Snapshot",
    "Table",
    "TableKind",
    "Trigger",
    "TypeKind",
    "Unique",
    "Write",
]

TableKind = Literal["table", "partitioned table", "view", "materialized view", "foreign table"]
Write = Literal["insert", "update", "delete"]

volatile: Mapping[str, Any] = {"volatile": True}
EVERY_WRITE: tuple[Write, ...] = ("insert", "update", "delete")


@dataclass(frozen=True)
class Table:
    """Anything that can stand in FROM.

    primary_key_deferrable  it is checked late, so ON CONFLICT cannot use it
    accepts                 the writes that PostgreSQL would carry out, given the privileges; few views take any
    partition_key, _bound   `RANGE (day)`; `FOR VALUES FROM ('2026-01-01') TO ('2026-02-01')`
    unlogged                emptied by a crash, and absent from replicas
    server                  of a foreign table
    row_estimate            the planner's, -1 if never analyzed; of a partitioned table: of its partitions
    size                    bytes of the heap when it was last vacuumed or analyzed
    """

    schema: str
    name: str
    kind: TableKind = "table"
    comment: str | None = None
    columns: tuple[Column, ...] = ()
    primary_key: tuple[str, ...] = ()
    primary_key_name: str | None = None
    primary_key_deferrable: bool = False
    uniques: tuple[Unique, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    checks: tuple[Check, ...] = ()
    exclusions: tuple[Exclusion, ...] = ()
    indexes: tuple[Index, ...] = ()
    triggers: tuple[Trigger, ...] = ()
    rules: tuple[Rule, ...] = ()
    row_security: Literal["enabled", "forced"] | None = None
    policies: tuple[Policy, ...] = ()
    privileges: tuple[Privilege, ...] = ()
    partition_key: str | None = None
    partition_of: tuple[str, str] | None = None
    partition_bound: str | None = None
    inherits: tuple[tuple[str, str], ...] = ()
    reads: tuple[tuple[str, str], ...] = ()
    query: Query | None = None
    accepts: tuple[Write, ...] = EVERY_WRITE
    unlogged: bool = False
    server: str | None = None
    extension: str | None = None
    row_estimate: int = field(default=-1, compare=False, metadata=volatile)
    size: int = field(default=0, compare=False, metadata=volatile)
    is_filled: bool = field(default=True, compare=False, metadata=volatile)  # a materialized view may never have been

    @cached_property
    def _columns(self) -> Mapping[str, Column]:
        return {column.name: column for column in self.columns}

    def column(self, name: str) -> Column | None:
        return self._columns.get(name)

    @property
    def qualified(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def is_view(self) -> bool:
        return self.kind in ("view", "materialized view")

    def unique_keys(self) -> tuple[tuple[str, ...], ...]:
        """Sets of columns that name one row each, primary key first: never null, total, not deferrable."""
        candidates = [self.primary_key] if self.primary_key and not self.primary_key_deferrable else []
        candidates += [unique.columns for unique in self.uniques if not unique.deferrable]
        candidates += [
            tuple(column for column in index.columns if column is not None)
            for index in self.indexes
            if index.unique and index.valid and index.predicate is None and None not in index.columns
        ]
        deferred = {unique.columns for unique in self.uniques if unique.deferrable}
        deferred |= {self.primary_key} if self.primary_key_deferrable else set()
        sound = [key for key in candidates if key and key not in deferred and all(map(self._is_not_null, key))]
        return tuple(dict.fromkeys(sound))

    def _is_not_null(self, name: str) -> bool:
        column = self.column(name)
        return column is not None and not column.nullable


@dataclass(frozen=True)
class Snapshot:
    """The schemas asked for, sorted throughout: equal schemas give equal snapshots and equal files."""

    schemas: tuple[str, ...]
    tables: tuple[Table, ...] = ()
    enums: tuple[Enum, ...] = ()
    domains: tuple[Domain, ...] = ()
    composites: tuple[Composite, ...] = ()
    collations: tuple[Collation, ...] = ()
    sequences: tuple[Sequence, ...] = ()
    functions: tuple[Function, ...] = ()
    server_version: int = field(default=0, compare=False, metadata=volatile)  # 180001 is 18.1

    @cached_property
    def _tables(self) -> Mapping[tuple[str, str], Table]:
        return {(table.schema, table.name): table for table in self.tables}

    def table(self, schema: str, name: str) -> Table | None:
        return self._tables.get((schema, name))

    def to_json(self) -> str:
        """The committed form: one line per column, key, index …; defaults left out; ends with a newline."""
        return encode(self)

    @classmethod
    def from_json(cls, text: str) -> Snapshot:
        """The committed form read back. Raises ValueError naming the place when the text is no snapshot."""
        return decode(cls, text)._labelled()

    @classmethod
    def read(cls, path: Path, only: Collection[tuple[str, str]] | None = None) -> Snapshot:
        """A committed file. `only`: of these tables, as (schema, name), and the sequences that are theirs.

        Of a large file the rest is never held in memory. Raises ValueError naming the place when it is no snapshot,
        OSError when it cannot be read.
        """
        if only is None:
            return cls.from_json(path.read_text("utf-8"))
        with suppress(ValueError), path.open(encoding="utf-8") as file:  # the whole tells a fault's place better
            return decode(cls, excerpt(file, only))._labelled()._restricted(frozenset(only))
        return cls.from_json(path.read_text("utf-8"))._restricted(frozenset(only))

    def _restricted(self, only: frozenset[tuple[str, str]]) -> Snapshot:
        tables = tuple(table for table in self.tables if (table.schema, table.name) in only)
        sequences = tuple(s for s in self.sequences if s.owned_by is not None and s.owned_by[:2] in only)
        return replace(self, tables=tables, sequences=sequences)

    def _labelled(self) -> Snapshot:
        """Enum labels stand once in the file, under `enums`, and are put back into each column's type."""
        labels = {(enum.schema, enum.name): enum.labels for enum in self.enums}
        if not labels:
            return self
        tables = tuple(replace(t, columns=tuple(_labelled(t.columns, labels))) for t in self.tables)
        return replace(self, tables=tables)


def _labelled(columns: Iterable[Column], labels: Mapping[tuple[str, str], tuple[str, ...]]) -> Iterable[Column]:
    for column in columns:
        kind = column.type
        known = labels.get((kind.schema, kind.name)) if kind.kind == "enum" else None
        yield replace(column, type=replace(kind, labels=known)) if known else column
