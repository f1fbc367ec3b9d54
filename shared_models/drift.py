"""What changed between two snapshots, and whether it can break somebody.

breaking   a reader may miss something it was promised, or a writer that was right yesterday may be refused
additive   everything else: worth a look, worth a new snapshot, no reason to stop
"""

from __future__ import annotations

from collections.abc import Iterator

from shared_models.differences import Drift, Kind, listed, pairs, verb
from shared_models.drift_behaviour import behaviour
from shared_models.drift_objects import objects
from shared_models.snapshot import Column, ColumnType, ForeignKey, Snapshot, Table

__all__ = ["Drift", "Kind", "compare"]


def compare(old: Snapshot, new: Snapshot) -> list[Drift]:
    """Every difference from `old` (the committed snapshot) to `new` (the live schema), breaking ones first."""
    found = [*_tables(old, new), *objects(old, new)]
    return sorted(found, key=lambda d: (d.kind != "breaking", d.schema, d.table or "", d.column or "", d.message))


def _tables(old: Snapshot, new: Snapshot) -> Iterator[Drift]:
    for schema in sorted(set(new.schemas) ^ set(old.schemas)):
        gone = schema in old.schemas
        yield Drift("breaking" if gone else "additive", schema, None, None, f"schema {'gone' if gone else 'is new'}")
    for (schema, name), before, after in pairs(old.tables, new.tables, lambda table: (table.schema, table.name)):
        if after is None:
            yield Drift("breaking", schema, name, None, f"{before.kind} gone")
        elif before is None:
            yield Drift("additive", schema, name, None, f"new {after.kind}")
        elif before != after:
            yield from _table(before, after)


def _table(old: Table, new: Table) -> Iterator[Drift]:
    def found(kind: Kind, message: str, column: str | None = None) -> Drift:
        return Drift(kind, new.schema, new.name, column, message)

    if old.kind != new.kind:
        yield found("breaking", f"was a {old.kind}, is a {new.kind}")
    for name, before, after in pairs(old.columns, new.columns, lambda column: column.name):
        if after is None:
            yield found("breaking", "column gone", name)
        elif before is None:
            refused = not after.nullable and not after.has_default and not new.is_view
            wanted = ", not null without a default: writes that leave it out are refused" if refused else ""
            yield found("breaking" if refused else "additive", f"new column {after.type.sql}{wanted}", name)
        elif before != after:
            yield from (found(kind, message, name) for kind, message in _column(before, after))
    if [c.name for c in old.columns if new.column(c.name)] != [c.name for c in new.columns if old.column(c.name)]:
        yield found("additive", "columns stand in another order")
    if old.primary_key != new.primary_key:
        yield found("breaking", f"primary key was {listed(old.primary_key)}, is {listed(new.primary_key)}")
    elif old.primary_key_deferrable != new.primary_key_deferrable:
        late = new.primary_key_deferrable
        yield found("breaking" if late else "additive", f"primary key is {'' if late else 'no longer '}checked late")
    elif old.primary_key_name != new.primary_key_name:
        yield found("additive", f"primary key was named {old.primary_key_name}, is named {new.primary_key_name}")
    yield from (found(kind, message) for kind, message in _constraints(old, new))
    yield from (found(kind, message) for kind, message in behaviour(old, new))


def _column(old: Column, new: Column) -> Iterator[tuple[Kind, str]]:
    if old.type != new.type and not _same_but_labels(old.type, new.type):
        kind: Kind = "additive" if _is_wider(old.type, new.type) else "breaking"
        yield kind, f"type was {old.type.sql}, is {new.type.sql}"
    if new.nullable and not old.nullable:
        yield "breaking", "may be null now"
    if old.nullable and not new.nullable:
        yield ("additive" if new.has_default else "breaking"), "must not be null now"
    if old.is_writable and not new.is_writable:
        yield "breaking", "can no longer be written: the server computes it"
    elif (old.identity, old.generated, old.expression) != (new.identity, new.generated, new.expression):
        yield "additive", "is computed differently by the server"
    if old.default != new.default:
        missing = new.default is None and not new.nullable and not new.has_default
        yield ("breaking" if missing else "additive"), f"default was {old.default}, is {new.default}"
    if old.origin != new.origin:
        yield "additive", f"comes from {listed(new.origin or ())}, came from {listed(old.origin or ())}"
    if old.collation != new.collation:
        yield "additive", f"collation was {old.collation}, is {new.collation}: it sorts and compares differently"
    if old.comment != new.comment:
        yield "additive", "comment changed"


def is_compatible(old: ColumnType, new: ColumnType) -> bool:
    """Does whoever was written for the old type read the new one right? Labels of an enum aside."""
    return old == new or _same_but_labels(old, new) or _is_wider(old, new)


def _same_but_labels(old: ColumnType, new: ColumnType) -> bool:
    """A changed enum is reported once, with its labels, not once per column of it."""
    return old.kind == new.kind == "enum" and (old.schema, old.name, old.arrays) == (new.schema, new.name, new.arrays)


def _is_wider(old: ColumnType, new: ColumnType) -> bool:
    """Does every old value fit the new type, under the same JSON form?"""
    if (old.name, old.schema, old.arrays) != (new.name, new.schema, new.arrays) or old.name in ("bpchar", "bit"):
        return False
    if old.name == "numeric" and new.precision is not None:
        return old.scale == new.scale and old.precision is not None and old.precision <= new.precision
    return new.length is None or (old.length is not None and old.length <= new.length)


def _promises_as_much(old: ForeignKey, new: ForeignKey) -> bool:
    """Does every row that had its target row still have it?"""

    def ends(key: ForeignKey) -> tuple[object, ...]:
        return key.columns, key.target_schema, key.target_table, key.target_columns, key.period

    kept = all(getattr(new, promise) or not getattr(old, promise) for promise in ("validated", "enforced"))
    return ends(old) == ends(new) and kept


def _constraints(old: Table, new: Table) -> Iterator[tuple[Kind, str]]:
    for name, was, now in pairs(old.uniques, new.uniques, lambda unique: unique.name):
        if was != now:
            yield ("additive" if was is None else "breaking"), f"unique constraint {name} {verb(was, now)}"
    for name, before, after in pairs(old.foreign_keys, new.foreign_keys, lambda key: key.name):
        if before != after:
            kind: Kind = "additive" if before is None or (after and _promises_as_much(before, after)) else "breaking"
            yield kind, f"foreign key {name} {verb(before, after)}"
    for what, parts in (("check", "checks"), ("exclusion", "exclusions"), ("index", "indexes")):
        for name, before, after in pairs(getattr(old, parts), getattr(new, parts), lambda part: part.name):
            if before != after:
                yield "additive", f"{what} {name} {verb(before, after)}"
