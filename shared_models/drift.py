"""What changed between two snapshots, and whether it can break somebody.

breaking   a reader may miss something it was promised, or a writer that was right yesterday may be refused
additive   everything else: worth a look, worth a new snapshot, no reason to stop
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from shared_models.snapshot import Column, ColumnType, Snapshot, Table

Kind = Literal["additive", "breaking"]
Named = TypeVar("Named")


@dataclass(frozen=True, slots=True)
class Drift:
    """One difference. `schema`, `table` and `column` say where, as far as the place is that narrow."""

    kind: Kind
    schema: str
    table: str | None
    column: str | None
    message: str


def compare(old: Snapshot, new: Snapshot) -> list[Drift]:
    """Every difference from `old` (the committed snapshot) to `new` (the live schema), breaking ones first."""
    found = [*_tables(old, new), *_labels(old, new), *_domains(old, new), *_others(old, new)]
    return sorted(found, key=lambda d: (d.kind != "breaking", d.schema, d.table or "", d.column or "", d.message))


def _tables(old: Snapshot, new: Snapshot) -> Iterator[Drift]:
    for schema in sorted(set(new.schemas) ^ set(old.schemas)):
        gone = schema in old.schemas
        yield Drift("breaking" if gone else "additive", schema, None, None, f"schema {'gone' if gone else 'is new'}")
    for (schema, name), before, after in _pairs(old.tables, new.tables, lambda table: (table.schema, table.name)):
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
    for name, before, after in _pairs(old.columns, new.columns, lambda column: column.name):
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
        yield found("breaking", f"primary key was {_list(old.primary_key)}, is {_list(new.primary_key)}")
    yield from (found(kind, message) for kind, message in _constraints(old, new))
    yield from (found(kind, message) for kind, message in _behaviour(old, new))


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
        yield "additive", f"comes from {_list(new.origin or ())}, came from {_list(old.origin or ())}"
    if old.collation != new.collation:
        yield "additive", f"collation was {old.collation}, is {new.collation}: it sorts and compares differently"
    if old.comment != new.comment:
        yield "additive", "comment changed"


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


def _constraints(old: Table, new: Table) -> Iterator[tuple[Kind, str]]:
    for name, was, now in _pairs(old.uniques, new.uniques, lambda unique: unique.name):
        if was != now:
            yield ("additive" if was is None else "breaking"), f"unique constraint {name} {_verb(was, now)}"
    for name, before, after in _pairs(old.foreign_keys, new.foreign_keys, lambda key: key.name):
        if before != after:
            same_target = (
                before and after and (before.columns, before.target_table) == (after.columns, after.target_table)
            )
            kind: Kind = "additive" if before is None or same_target else "breaking"
            yield kind, f"foreign key {name} {_verb(before, after)}"
    for what, parts in (("check", "checks"), ("exclusion", "exclusions"), ("index", "indexes")):
        for name, before, after in _pairs(getattr(old, parts), getattr(new, parts), lambda part: part.name):
            if before != after:
                yield "additive", f"{what} {name} {_verb(before, after)}"


def _behaviour(old: Table, new: Table) -> Iterator[tuple[Kind, str]]:
    for what, parts in (("trigger", "triggers"), ("rule", "rules"), ("policy", "policies")):
        for name, before, after in _pairs(getattr(old, parts), getattr(new, parts), lambda part: part.name):
            if before != after:
                yield "additive", f"{what} {name} {_verb(before, after)}"
    if old.row_security != new.row_security:
        kind: Kind = "additive" if new.row_security is None else "breaking"
        yield kind, f"row security was {old.row_security or 'off'}, is {new.row_security or 'off'}"
    if old.reads != new.reads:
        yield "additive", "the view reads other relations"
    if (old.partition_of, old.inherits) != (new.partition_of, new.inherits):
        yield "additive", "partitioning or inheritance changed"
    if old.comment != new.comment:
        yield "additive", "comment changed"
    if old.privileges != new.privileges:
        yield "additive", "privileges of other roles changed"


def _labels(old: Snapshot, new: Snapshot) -> Iterator[Drift]:
    for (schema, name), before, after in _pairs(old.enums, new.enums, lambda enum: (enum.schema, enum.name)):
        if before is None or after is None or before == after:
            continue  # the columns of it say so themselves
        lost = [label for label in before.labels if label not in after.labels]
        added = [label for label in after.labels if label not in before.labels]
        if lost:
            yield Drift("breaking", schema, None, None, f"enum {name} lost {_list(map(repr, lost))}")
        if added:
            yield Drift("additive", schema, None, None, f"enum {name} gained {_list(map(repr, added))}")
        if not lost and not added:
            yield Drift("additive", schema, None, None, f"enum {name} has another order: it sorts differently")


def _domains(old: Snapshot, new: Snapshot) -> Iterator[Drift]:
    for (schema, name), before, after in _pairs(old.domains, new.domains, lambda domain: (domain.schema, domain.name)):
        if before is None or after is None or before == after:
            continue
        if before.checks != after.checks:
            yield Drift("additive", schema, None, None, f"domain {name} allows other values")
        if before.default != after.default:
            yield Drift(
                "additive", schema, None, None, f"domain {name}: default was {before.default}, is {after.default}"
            )


def _others(old: Snapshot, new: Snapshot) -> Iterator[Drift]:
    for what, parts in (("type", "composites"), ("sequence", "sequences")):
        identity: Callable[[Any], tuple[str, str]] = lambda part: (part.schema, part.name)  # noqa: E731
        for (schema, name), before, after in _pairs(getattr(old, parts), getattr(new, parts), identity):
            if before != after:
                yield Drift("additive", schema, None, None, f"{what} {name} {_verb(before, after)}")
    before_functions = {(f.schema, f.name, f.arguments): f for f in old.functions}
    for function in new.functions:
        before = before_functions.get((function.schema, function.name, function.arguments))
        if before is not None and before.security_definer != function.security_definer:
            rights = "its owner's" if function.security_definer else "the caller's"
            yield Drift(
                "additive", function.schema, None, None, f"function {function.name} runs with {rights} rights now"
            )


def _pairs(old: Iterable[Named], new: Iterable[Named], key: Callable[[Named], Any]) -> Iterator[tuple[Any, Any, Any]]:
    """(key, before, after) for everything on either side, None where one side has nothing."""
    before: Mapping[Any, Named] = {key(part): part for part in old}
    after: Mapping[Any, Named] = {key(part): part for part in new}
    for name in sorted(before.keys() | after.keys()):
        yield name, before.get(name), after.get(name)


def _verb(before: object, after: object) -> str:
    return "is new" if before is None else "gone" if after is None else "changed"


def _list(names: Iterable[str]) -> str:
    return ", ".join(names) or "nothing"
