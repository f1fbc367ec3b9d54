"""What a resource lets a request write: the fields, what we fill in besides, and what of it cannot be.

bind_writing    the class keywords about writing, bound to the table
check_writing   what of a contract's writing the table does not allow, once every resource is known
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shared_models import contract as c
from shared_models.meanings import stored_text
from shared_models.resources import BoundResource, Field, Filled, Link, Writing
from shared_models.rows import KINDS, Reference, implied
from shared_models.snapshot import Column, Table

Fault = Callable[[str, str | None], None]
"""A message, and the column it is about."""

_CLOCKS = frozenset({"timestamp", "timestamptz", "date"})
WRITING = ("create", "update", "upsert", "delete")
_NEW, _GIVING = ("create", "upsert"), ("create", "update", "upsert")


def bind_writing(
    definition: c.Definition, table: Table, fields: Mapping[str, Field], zone: str, fault: Fault
) -> Writing:
    """Faults are told, and what has one is left out."""
    always = _filled(definition.on_write, table, zone, fault)
    natural = tuple(fields[name] for name in definition.natural_key if name in fields)
    for name in definition.natural_key:
        if name not in fields:
            fault(f"natural_key: there is no field {name!r}", None)
        elif fields[name].also:
            fault(f"natural_key: {name!r} is joined of several columns: name those one by one", None)
    also: tuple[Filled, ...] = ()
    if definition.soft_delete is not None:
        mark = {definition.soft_delete.column: definition.soft_delete.deleted}
        also = _filled({**mark, **definition.soft_delete.also}, table, zone, fault)
    if not 1 <= definition.max_rows <= 1000:
        fault("max_rows must be from 1 to 1000", None)
    return Writing(
        scope=definition.write_scope,
        on_create=(*_filled(definition.on_create, table, zone, fault), *always),
        on_write=always,
        on_delete=(*also, *always),
        natural_key=natural,
        if_match=definition.if_match,
        max_rows=definition.max_rows,
    )


def _filled(fills: Mapping[str, c.Fill], table: Table, zone: str, fault: Fault) -> tuple[Filled, ...]:
    found = []
    for name, value in fills.items():
        column = table.column(name)
        if column is None:
            fault("there is no such column", name)
            continue
        try:
            found.append(_fill(column, value, zone))
        except ValueError as error:
            fault(str(error), name)
    return tuple(found)


def _fill(column: Column, value: c.Fill, zone: str) -> Filled:
    if not column.is_writable:
        raise ValueError("the database makes this column's value itself")
    if isinstance(value, c.Now):
        if column.type.name not in _CLOCKS or column.type.is_array:
            raise ValueError(f"Now() is for a timestamp or a date, not for {column.type.sql}")
        try:
            ZoneInfo(value.zone or zone)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"there is no time zone {value.zone!r}") from None
        return Filled(column, c.Now(value.zone or zone, whole_seconds=value.whole_seconds))
    return Filled(column, value if isinstance(value, Reference) else stored_text(value, column.type))


@dataclass(frozen=True, slots=True)
class Unwritable:
    """What stands against these verbs; `attribute` and `column` are what it is about."""

    message: str
    verbs: tuple[str, ...]
    attribute: str | None = None
    column: str | None = None


def check_writing(resource: BoundResource, bound: Mapping[type[c.Resource], BoundResource]) -> Iterator[Unwritable]:
    for field in resource.fields.values():
        place = (field.attribute, field.column.name)
        if field.write and not all(column.is_writable for column in field.columns):
            message = "the database makes this column's value itself: it cannot be written"
            yield Unwritable(message, _GIVING, *place)
        elif field.write and field.value.take is None:
            yield Unwritable(f"{field.column.type.sql} can be read only; as str it can be written", _GIVING, *place)
    verbs = tuple(verb for verb in WRITING if verb in resource.verbs)
    if not verbs:
        return
    if resource.path is None:
        yield Unwritable("verbs that write need a path", verbs)
    if resource.table.kind == "materialized view":
        yield Unwritable("a materialized view cannot be written", verbs)
    yield from _check_rules(resource, verbs)
    if not resource.key:
        yield Unwritable(f"{', '.join(sorted(verbs))}: a row that is written needs a key", verbs)
    yield from _check_change(resource, verbs)
    if "create" in verbs or "upsert" in verbs:
        for text, column in _missing(resource, frozenset()):
            yield Unwritable(text, _NEW, None, column)
        for link in resource.written_links:
            yield from _check_children(link, bound[link.target])
    if "upsert" in verbs:
        yield from _check_upsert(resource)


_EVENTS = {"create": {"insert"}, "update": {"update"}, "upsert": {"insert", "update"}, "delete": {"delete"}}
_WHOLE_RULE = re.compile(r".*? ON \w+ +TO +(?:(?! WHERE ).)*? DO INSTEAD +(?!NOTHING|\().* RETURNING .*", re.DOTALL)


def _check_rules(resource: BoundResource, verbs: Iterable[str]) -> Iterator[Unwritable]:
    """A row and its journal are written by one statement, inside of which PostgreSQL follows only such rules."""
    for rule in resource.table.rules:
        soft = {"update"} if resource.soft_delete is not None else {"delete"}
        hit = tuple(v for v in verbs if rule.event in (soft if v == "delete" else _EVENTS[v]))
        text = " ".join(rule.definition.split())
        if hit and rule.fires != "never" and not (rule.instead and _WHOLE_RULE.fullmatch(text)):
            message = (
                f"the rule {rule.name!r} stands before: PostgreSQL follows none in such a statement but a DO INSTEAD"
                " of a single command with RETURNING and without a condition; write an operation"
            )
            yield Unwritable(f"{', '.join(sorted(hit))}: {message}", hit)


def _check_change(resource: BoundResource, verbs: Iterable[str]) -> Iterator[Unwritable]:
    if "update" in verbs and not any(field.write is True for field in resource.fields.values()):
        yield Unwritable("update: no field says write=True", ("update",))
    twice = {filled.column.name for filled in resource.writing.on_create}
    for field in resource.fields.values():
        place = (field.attribute, field.column.name)
        if field.write and not twice.isdisjoint(field.column_names):
            yield Unwritable("on_create or on_write fills this column already", _GIVING, *place)
        if field.write is True and field.is_key:
            yield Unwritable('a key names its row as long as it is there: write="create"', _GIVING, *place)


def _missing(resource: BoundResource, given: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Columns that a new row needs and nobody gives."""
    covered = {name for field in resource.fields.values() if field.write for name in field.column_names}
    covered |= {filled.column.name for filled in resource.writing.on_create} | given
    covered |= {name for kind in KINDS for name in implied(resource.rows, kind)}
    for column in resource.table.columns:
        if column.nullable or column.has_default or column.name in covered:
            continue
        yield "a new row needs this column: write a field for it, or fill it with on_create", column.name


def _check_children(link: Link, target: BoundResource) -> Iterator[Unwritable]:
    given = frozenset(other for _, other in link.pairs)
    for text, column in _missing(target, given):
        yield Unwritable(f"{target.name}.{column}: {text}", _NEW, link.attribute)
    numbered = target.fields.get(link.numbered) if link.numbered is not None else None
    if link.numbered is not None and (numbered is None or numbered.column.type.name not in ("int2", "int4", "int8")):
        yield Unwritable(f"numbered={link.numbered!r} is no whole number of {target.name}", _NEW, link.attribute)
    if not target.key:
        yield Unwritable(f"{target.name} needs a key, so that its rows have an order", _NEW, link.attribute)


def _check_upsert(resource: BoundResource) -> Iterator[Unwritable]:
    named = resource.writing.natural_key or resource.key
    for field in named:
        if not field.write:
            message = 'upsert: the caller chooses the key: write="create"'
            yield Unwritable(message, ("upsert",), field.attribute, field.column.name)
    columns = {field.column.name for field in named} | implied(resource.rows, "consumer").keys()
    if not any(set(key) <= columns for key in _keys(resource.table)):
        message = "upsert: nothing in the database makes this key unique, so two requests could both create it"
        yield Unwritable(message, ("upsert",))


def _keys(table: Table) -> list[tuple[str, ...]]:
    return [*table.unique_keys(), *(unique.columns for unique in table.uniques if not unique.deferrable)]
