"""What a snapshot is made of: columns and their types, keys, indexes, triggers, policies; types, sequences, functions.

Expressions are PostgreSQL's own spelling with an empty search path, so every name in them is qualified. A
`digest` stands for a text that is long, or that servers of different versions spell differently: equal digests,
equal meaning.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

TypeKind = Literal["base", "enum", "composite", "range", "multirange", "pseudo"]
Initially = Literal["immediate", "deferred"]
Fires = Literal["origin", "replica", "always", "never"]


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
    """`origin` is (schema, table, column) of the base column that a view's column passes on unchanged.

    `nullable` False is proven for every row: a NOT NULL that was declared NOT VALID (PostgreSQL 18) proves nothing.
    """

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
    """`overlaps` False: the last column is a range, and equal others may not overlap in it (WITHOUT OVERLAPS)."""

    name: str
    columns: tuple[str, ...]
    deferrable: bool = False
    nulls_distinct: bool = True
    initially: Initially = "immediate"
    overlaps: bool = True


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """`period`: the last pair of columns are ranges of which the target's cover ours (PostgreSQL 18): no equality.

    `clears`: the columns that ON DELETE SET NULL or SET DEFAULT touches, where not all.
    """

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
    initially: Initially = "immediate"
    match: Literal["simple", "full"] = "simple"
    clears: tuple[str, ...] = ()
    period: bool = False


@dataclass(frozen=True, slots=True)
class Check:
    """`inherited` False: children of the table do not have it (NO INHERIT)."""

    name: str
    expression: str
    columns: tuple[str, ...] = ()
    validated: bool = True
    enforced: bool = True
    inherited: bool = True


@dataclass(frozen=True, slots=True)
class Exclusion:
    name: str
    definition: str


@dataclass(frozen=True, slots=True)
class Index:
    """`columns` are the key's columns in order, None where an expression stands.

    `operator_classes`: one for each of `columns`, None where it is the type's own; empty when all are.
    """

    name: str
    columns: tuple[str | None, ...]
    method: str = "btree"
    unique: bool = False
    include: tuple[str, ...] = ()
    predicate: str | None = None
    definition: str = ""
    valid: bool = True
    nulls_distinct: bool = True
    operator_classes: tuple[str | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Trigger:
    """`security_definer` False: it runs with the rights of whoever writes, so it may fail for the API.

    columns    of UPDATE OF; empty: every UPDATE
    fires      `origin`: for everybody but a replica that applies changes, which is the usual
    arguments  that CREATE TRIGGER gives to the function
    constraint CREATE CONSTRAINT TRIGGER, with when it runs
    """

    name: str
    timing: Literal["before", "after", "instead of"]
    events: tuple[str, ...]
    each: Literal["row", "statement"]
    function: str
    security_definer: bool = False
    fires: Fires = "origin"
    condition: str | None = None
    columns: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    constraint: Initially | None = None

    @property
    def enabled(self) -> bool:
        """Does it run for what the API writes?"""
        return self.fires in ("origin", "always")


@dataclass(frozen=True, slots=True)
class Rule:
    name: str
    event: str
    instead: bool
    definition: str
    fires: Fires = "origin"


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


@dataclass(frozen=True, slots=True)
class Query:
    """What a view shows, and with whose rights.

    digest            of the query; equal on every server version
    security_invoker  the reader needs privileges on what the view reads; else its owner's count (PostgreSQL 15)
    check_option      rows written through the view must be visible in it
    """

    digest: str
    security_invoker: bool = False
    security_barrier: bool = False
    check_option: Literal["local", "cascaded"] | None = None


@dataclass(frozen=True, slots=True)
class Enum:
    schema: str
    name: str
    labels: tuple[str, ...]
    comment: str | None = None


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
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class Collation:
    """One that a column names and PostgreSQL does not bring. Not deterministic: unequal texts may compare equal."""

    schema: str
    name: str
    provider: Literal["libc", "icu", "builtin"]
    locale: str
    deterministic: bool = True


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
    """A function that a trigger, view, default, check or policy of the snapshot calls.

    digest    of its body: what it does has changed when this has
    open      may everybody execute it (PUBLIC, as PostgreSQL grants by itself)?
    """

    schema: str
    name: str
    arguments: str
    result: str
    language: str
    security_definer: bool = False
    volatility: Literal["immutable", "stable", "volatile"] = "volatile"
    open: bool = True
    digest: str = ""
