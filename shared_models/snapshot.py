"""The schema as a value: what PostgreSQL's catalogs say, frozen, comparable, committed as `schema.lock.json`.

    Snapshot
    ├── Table     name, kind, comment; columns, keys, foreign keys, checks, indexes, triggers, rules, policies
    ├── Enum, Domain, Composite    the types that columns are made of
    └── Sequence, Function         what columns, triggers and views lean on

`shared_models.catalog` reads one, `shared_models.drift` compares two. Expressions are PostgreSQL's own
spelling with an empty search path, so every name in them is qualified. What changes without anybody changing
the schema (row estimates, sizes, the server's version) is marked volatile: never written, never compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

from shared_models.frozen_json import decode, encode

TableKind = Literal["table", "partitioned table", "view", "materialized view", "foreign table"]
TypeKind = Literal["base", "enum", "composite", "range", "multirange", "pseudo"]

volatile: Mapping[str, Any] = {"volatile": True}


@dataclass(frozen=True, slots=True)
class ColumnType:
    """A column's type with domains and arrays resolved: `name` is the element's own name in pg_type.

    sql        as PostgreSQL spells it: `numeric(12,2)`, `character(8)`, `c14.lang`, `integer[]`
    name       `numeric`, `bpchar`, `text`, `int4`: never a domain's name, never `_int4`
    schema     where `name` lives; `pg_catalog` for what is built in
    arrays     layers of array types around the element; PostgreSQL does not bound the dimensions of one layer
    length     of character, character varying (characters), bit, bit varying (bits)
    precision  of numeric (digits), of time, timestamp, interval (digits of a second); `scale` may be negative
    domain     `schema.name` of the outermost domain; its checks are in `Snapshot.domains`
    labels     of an enum, in the enum's order
    subtype    of a range or multirange: `sql` of the bounds' type
    """

    sql: str
    name: str
    schema: str = "pg_catalog"
    kind: TypeKind = "base"
    arrays: int = 0
    length: int | None = None
    precision: int | None = None
    scale: int | None = None
    domain: str | None = None
    subtype: str | None = None
    labels: tuple[str, ...] = field(default=(), metadata={"derived": True})

    @property
    def is_array(self) -> bool:
        return self.arrays > 0

    @property
    def is_padded(self) -> bool:
        """`character(n)` is filled with blanks that nobody meant: the API trims them."""
        return self.name == "bpchar" and not self.is_array


@dataclass(frozen=True, slots=True)
class Column:
    """`origin` is (schema, table, column) of the base column that a view's column passes on unchanged."""

    name: str
    type: ColumnType
    nullable: bool = True
    default: str | None = None
    identity: Literal["always", "by default"] | None = None
    generated: Literal["stored", "virtual"] | None = None
    expression: str | None = None
    collation: str | None = None
    comment: str | None = None
    origin: tuple[str, str, str] | None = None

    @property
    def has_default(self) -> bool:
        """May an INSERT leave the column out and still get a value from the server?"""
        return self.default is not None or self.identity is not None or self.generated is not None

    @property
    def is_writable(self) -> bool:
        return self.generated is None and self.identity != "always"


@dataclass(frozen=True, slots=True)
class Unique:
    name: str
    columns: tuple[str, ...]
    deferrable: bool = False
    nulls_distinct: bool = True


@dataclass(frozen=True, slots=True)
class ForeignKey:
    name: str
    columns: tuple[str, ...]
    target_schema: str
    target_table: str
    target_columns: tuple[str, ...]
    on_update: str = "no action"
    on_delete: str = "no action"
    deferrable: bool = False
    validated: bool = True
    enforced: bool = True


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    expression: str
    columns: tuple[str, ...] = ()
    validated: bool = True


@dataclass(frozen=True, slots=True)
class Exclusion:
    name: str
    definition: str


@dataclass(frozen=True, slots=True)
class Index:
    """`columns` are the key's columns in order, None where an expression stands."""

    name: str
    columns: tuple[str | None, ...]
    method: str = "btree"
    unique: bool = False
    include: tuple[str, ...] = ()
    predicate: str | None = None
    definition: str = ""
    valid: bool = True
    nulls_distinct: bool = True


@dataclass(frozen=True, slots=True)
class Trigger:
    """`security_definer` False: it runs with the rights of whoever writes, so it may fail for the API."""

    name: str
    timing: Literal["before", "after", "instead of"]
    events: tuple[str, ...]
    each: Literal["row", "statement"]
    function: str
    security_definer: bool = False
    enabled: bool = True
    condition: str | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    name: str
    event: str
    instead: bool
    definition: str


@dataclass(frozen=True, slots=True)
class Policy:
    """A row security policy."""

    name: str
    command: str
    permissive: bool
    roles: tuple[str, ...]
    using: str | None = None
    check: str | None = None


@dataclass(frozen=True, slots=True)
class Privilege:
    """What a role that is neither the owner nor Banyan's may do; `column` None means the whole table."""

    grantee: str
    privilege: str
    column: str | None = None


@dataclass(frozen=True)
class Table:
    """Anything that can stand in FROM. `row_estimate`: the planner's, -1 if never analyzed; `size`: bytes."""

    schema: str
    name: str
    kind: TableKind = "table"
    comment: str | None = None
    columns: tuple[Column, ...] = ()
    primary_key: tuple[str, ...] = ()
    primary_key_name: str | None = None
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
    partition_of: tuple[str, str] | None = None
    inherits: tuple[tuple[str, str], ...] = ()
    reads: tuple[tuple[str, str], ...] = ()
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
        candidates = [self.primary_key] if self.primary_key else []
        candidates += [unique.columns for unique in self.uniques if not unique.deferrable]
        candidates += [
            tuple(column for column in index.columns if column is not None)
            for index in self.indexes
            if index.unique and index.valid and index.predicate is None and None not in index.columns
        ]
        deferred = {unique.columns for unique in self.uniques if unique.deferrable}
        sound = [key for key in candidates if key and key not in deferred and all(map(self._is_not_null, key))]
        return tuple(dict.fromkeys(sound))

    def _is_not_null(self, name: str) -> bool:
        column = self.column(name)
        return column is not None and not column.nullable


@dataclass(frozen=True, slots=True)
class Enum:
    schema: str
    name: str
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Domain:
    schema: str
    name: str
    type: str
    nullable: bool = True
    default: str | None = None
    checks: tuple[Check, ...] = ()
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class Composite:
    """A row type: from CREATE TYPE, or a table's row used as a column's type. `fields`: (name, type)."""

    schema: str
    name: str
    fields: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Sequence:
    schema: str
    name: str
    type: str
    start: int
    increment: int
    minimum: int
    maximum: int
    cycle: bool = False
    owned_by: tuple[str, str, str] | None = None


@dataclass(frozen=True, slots=True)
class Function:
    """A function that a trigger or a view of the snapshot calls."""

    schema: str
    name: str
    arguments: str
    result: str
    language: str
    security_definer: bool = False


@dataclass(frozen=True)
class Snapshot:
    """The schemas asked for, sorted throughout: equal schemas give equal snapshots and equal files."""

    schemas: tuple[str, ...]
    tables: tuple[Table, ...] = ()
    enums: tuple[Enum, ...] = ()
    domains: tuple[Domain, ...] = ()
    composites: tuple[Composite, ...] = ()
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
        """Raises ValueError naming the place when the text is no snapshot."""
        snapshot = decode(cls, text)
        labels = {(enum.schema, enum.name): enum.labels for enum in snapshot.enums}
        tables = tuple(replace(t, columns=tuple(_labelled(t.columns, labels))) for t in snapshot.tables)
        return replace(snapshot, tables=tables)


def _labelled(columns: Iterable[Column], labels: Mapping[tuple[str, str], tuple[str, ...]]) -> Iterable[Column]:
    """Enum labels stand once in the file, under `enums`, and are put back into each column's type here."""
    for column in columns:
        kind = column.type
        known = labels.get((kind.schema, kind.name)) if kind.kind == "enum" else None
        yield replace(column, type=replace(kind, labels=known)) if known else column
