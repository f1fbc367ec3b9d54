"""Rows that are not what the contract promises: each kind counted, with the keys of a few.

One statement per table and one per relation, each bounded by a timeout: a table too large to be counted is a note.
Nothing of a row but its key is ever shown.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import sqlalchemy as sa
from psycopg import errors

from api_gateway.api.compared import joined
from api_gateway.check.calendar import promising, suspects
from api_gateway.check.disagreement import Code, Disagreement
from api_gateway.check.subject import Live, Subject
from shared_models.annotations import bare, choices
from shared_models.calendar import beyond
from shared_models.contract import Codes, Flag, NoneWhen
from shared_models.meanings import stored_text
from shared_models.places import Places
from shared_models.resources import BoundResource, Field, Link, Resources
from shared_models.snapshot import Snapshot
from shared_models.spelling import constant
from shared_models.statements import run
from shared_models.values import as_text

TIMEOUT = "2s"  # of one statement
BUDGET = 6.0  # seconds for all of them: what comes later is said not to be checked
EXAMPLES = 5


Row = Callable[[], sa.FromClause]


@dataclass(frozen=True, slots=True)
class _Promise:
    """Rows for which `broken` is true break it."""

    code: Code
    attribute: str
    columns: tuple[str, ...]
    broken: sa.ColumnElement[bool]
    message: str
    advice: str


def unkept_promises(subject: Subject, live: Live) -> Iterator[Disagreement]:
    """Nothing where rows may not be read, or where the live schema is not the one that the contract was bound to."""
    if subject.contract is None or not live.may_read_rows:
        return
    resources = subject.contract.together()
    deadline = time.monotonic() + BUDGET
    there = [resource for resource in resources if _is_there(resource, live.snapshot)]
    dated = suspects(there, live, TIMEOUT)
    for resource in resources:
        if time.monotonic() > deadline:
            yield _not_checked(resource, [], f"were not looked at: the {BUDGET:g} s for all rows were over")
        elif _is_there(resource, live.snapshot):
            row = _row_of(resource)
            promises = [*_of_fields(resource, row)]
            if (resource.table.schema, resource.table.name) in dated:
                promises += _of_calendar(resource, row)
            yield from _examined(resource, row, promises, live)
            for link in resource.links.values():
                if _is_there(resources.of(link.target), live.snapshot):
                    promises = [*_of_parent(resource, row, link, resources, live.snapshot)]
                    yield from _examined(resource, row, promises, live)
            yield from _repeated_keys(resource, live)


def _row_of(resource: BoundResource) -> Row:
    """Made once, when there is something to look at: most resources of a draft promise nothing of their rows."""
    return cache(lambda: resource.source.alias("t"))


def _is_there(resource: BoundResource, live: Snapshot) -> bool:
    """Foreign tables are left alone: to count them is somebody else's server's work."""
    table = live.table(resource.table.schema, resource.table.name)
    is_whole = table is not None and all(table.column(name) is not None for name in resource.columns)
    return is_whole and table is not None and table.is_filled and table.kind != "foreign table"


def _of_fields(resource: BoundResource, row: Row) -> Iterator[_Promise]:
    for field in resource.fields.values():
        if _is_coded(resource, field):
            column = row().c[field.column.name]
            known_as_none = _sentinels(resource, field)
            unknown = sa.and_(column.is_not(None), field.value.read(column).is_(None))
            broken = sa.and_(unknown, column.not_in(known_as_none)) if known_as_none else unknown
            yield _Promise(
                "rows_unknown_code",
                field.attribute,
                (field.column.name,),
                broken,
                "hold a value that the contract does not list: the API reads it as null",
                "Add the codes that mean something to the contract, or give `unknown=` a name.",
            )
        if field.stored_null and not field.nullable:
            yield _Promise(
                "rows_null",
                field.attribute,
                (field.column.name,),
                row().c[field.column.name].is_(None),
                "are null where the contract promises a value",
                "Write `… | None`, or leave these rows out of the view.",
            )


def _of_calendar(resource: BoundResource, row: Row) -> Iterator[_Promise]:
    for field in promising(resource):
        column = row().c[field.column.name]
        broken = beyond(field.value, column)
        if known_as_none := _sentinels(resource, field):
            broken = sa.and_(broken, column.not_in(known_as_none))
        read = "null" if field.nullable else "PostgreSQL's own word"
        yield _Promise(
            "rows_beyond_calendar",
            field.attribute,
            (field.column.name,),
            broken,
            f"hold a date that RFC 3339 cannot say: the API reads it as {read}",
            "Write `date | str` or `datetime | str`, or say what such a date means with NoneWhen.",
        )


def _is_coded(resource: BoundResource, field: Field) -> bool:
    info = resource.cls.model_fields[field.attribute]
    is_listed = choices(bare(info.annotation)[0]) is not None and field.column.type.kind != "enum"
    return field.value.lossy and (is_listed or any(isinstance(marker, (Codes, Flag)) for marker in info.metadata))


def _sentinels(resource: BoundResource, field: Field) -> list[sa.ColumnElement[Any]]:
    info = resource.cls.model_fields[field.attribute]
    values = [value for marker in info.metadata if isinstance(marker, NoneWhen) for value in marker.values]
    return [constant(stored_text(value, field.column.type), field.value.spelling) for value in values]


def _of_parent(
    resource: BoundResource, row: Row, link: Link, resources: Resources, live: Snapshot
) -> Iterator[_Promise]:
    """Rows that point to nobody. What a validated foreign key guarantees is not counted."""
    own = tuple(name for name, _ in link.pairs)
    if link.kind != "parent" or _is_guaranteed(resource, link, resources, live):
        return
    parent = resources.of(link.target).source.alias("p")
    meets = sa.and_(*joined(row(), parent, link.pairs))
    exists = sa.exists(sa.select(sa.literal_column("1")).select_from(parent).where(meets)).correlate(row())
    yield _Promise(
        "rows_orphaned",
        link.attribute,
        own,
        sa.and_(*(row().c[name].is_not(None) for name in own), sa.not_(exists)),
        f"point to no {link.target.__name__}: it is null there, and Rows.through({link.attribute!r}) hides them",
        "Repair them, or tell the consumers that the parent may be null.",
    )


def _is_guaranteed(resource: BoundResource, link: Link, resources: Resources, live: Snapshot) -> bool:
    table, target = live.table(resource.table.schema, resource.table.name), resources.of(link.target).table
    return table is not None and any(
        key.validated
        and key.enforced
        and (key.target_schema, key.target_table) == (target.schema, target.name)
        and set(zip(key.columns, key.target_columns, strict=True)) == set(link.pairs)
        for key in table.foreign_keys
    )


def _examined(resource: BoundResource, row: Row, promises: list[_Promise], live: Live) -> Iterator[Disagreement]:
    if not promises:
        return
    counts = [sa.func.count().filter(promise.broken).label(f"n{number}") for number, promise in enumerate(promises)]
    try:
        counted = _ask(live, sa.select(*counts).select_from(row()))[0]
        for number, promise in enumerate(promises):
            if count := int(counted[f"n{number}"]):
                yield _found(resource, promise, count, _examples(resource, row, promise, live))
    except errors.QueryCanceled:
        columns = sorted({name for promise in promises for name in promise.columns})
        yield _not_checked(resource, columns, f"could not be counted within {TIMEOUT}")
    except errors.InsufficientPrivilege:
        yield _not_checked(resource, [], "may not be read by this login")


def _examples(resource: BoundResource, row: Row, promise: _Promise, live: Live) -> list[str]:
    if not resource.key:
        return []
    keys = [row().c[field.column.name] for field in resource.key]
    query = sa.select(*(as_text(key).label(f"k{n}") for n, key in enumerate(keys)))
    rows = _ask(live, query.select_from(row()).where(promise.broken).order_by(*keys).limit(EXAMPLES))
    return [_told(one) for one in rows]


def _repeated_keys(resource: BoundResource, live: Live) -> Iterator[Disagreement]:
    table = live.snapshot.table(resource.table.schema, resource.table.name)
    names = {field.column.name for field in resource.key}
    if resource.path is None:  # it has no address; what includes it tells its rows apart
        return
    if not names or table is None or any(set(key) <= names for key in table.unique_keys()):
        return
    row = resource.source.alias("t")
    keys = [row.c[field.column.name] for field in resource.key]
    texts = [as_text(key).label(f"k{n}") for n, key in enumerate(keys)]
    repeated = sa.select(*texts).select_from(row).group_by(*keys).having(sa.func.count() > 1)
    whole = repeated.subquery()
    try:
        count = int(_ask(live, sa.select(sa.func.count().label("n")).select_from(whole))[0]["n"])
        rows = _ask(live, repeated.order_by(*keys).limit(EXAMPLES)) if count else []
    except errors.QueryCanceled:
        yield _not_checked(resource, sorted(names), f"could not be counted within {TIMEOUT}")
        return
    except errors.InsufficientPrivilege:
        return
    if count:
        promise = _Promise(
            "rows_key_repeated",
            resource.key[0].attribute,
            tuple(field.column.name for field in resource.key),
            sa.true(),
            "have a key that another row has too: one address for several rows",
            "Choose columns for Key that name one row each, or list only.",
        )
        yield _found(resource, promise, count, [_told(one) for one in rows])


def _told(key: Mapping[str, str | None]) -> str:
    return ",".join("null" if part is None else part for part in key.values())


def _ask(live: Live, query: sa.Executable) -> list[dict[str, Any]]:
    with live.connection.transaction():
        live.connection.execute(f"SET LOCAL statement_timeout = '{TIMEOUT}'".encode())
        live.connection.execute(b"SET LOCAL transaction_read_only = on")
        return list(run(live.connection, query))


def _found(resource: BoundResource, promise: _Promise, count: int, examples: list[str]) -> Disagreement:
    place = Places().finding(resource.cls, resource.table.qualified, None, promise.message, promise.attribute)
    told = f" (such as {', '.join(examples)})" if examples else ""
    return Disagreement(
        code=promise.code,
        severity="warning",
        between="contract and rows",
        message=f"{resource.name}: {count:,} rows{told} {promise.message}",
        advice=promise.advice,
        file=place.file,
        line=place.line,
        table=resource.table.qualified,
        column=", ".join(promise.columns),
        details={"count": count, "keys": examples},
    )


def _not_checked(resource: BoundResource, columns: list[str], why: str) -> Disagreement:
    return Disagreement(
        code="rows_not_checked",
        severity="note",
        between="contract and rows",
        message=f"{resource.name}: its rows {why}",
        advice="`--no-data` leaves rows alone; the API reads such rows as null or not at all, and never fails on them.",
        table=resource.table.qualified,
        column=", ".join(columns) or None,
    )
