"""From contract and operations to the database's own permissions: exactly the columns that are needed, role by role.

banyan_api    SELECT on what the contract shows, INSERT and UPDATE on what it lets a request write, all three on what
              operations touch; SELECT on what they write too, for the journal
banyan_read   SELECT on all of that: candidates
banyan_owner  what banyan.toml says of accounts: their password hashes, which neither of the others sees
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from shared_models.resources import BoundResource, Resources
from shared_models.rows import KINDS, implied
from shared_models.snapshot import Snapshot
from shared_models.spelling import quoted
from shared_models.state import API, READ

Privilege = Literal["SELECT", "INSERT", "UPDATE"]
Columns = Mapping[str, Sequence[str]]
Handler = TypeVar("Handler", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """One row as in information_schema.column_privileges."""

    grantee: str
    table_schema: str
    table_name: str
    column_name: str
    privilege_type: str


@dataclass(frozen=True, slots=True)
class Touches:
    """What a handler reads and writes besides the contract: columns by table. `schema.table`, or a table of `public`.

    `delete` lists tables: PostgreSQL grants DELETE on a whole table only. `secret`: written, and never journalled.
    """

    select: Columns
    insert: Columns
    update: Columns
    delete: Sequence[str] = ()
    secret: Columns = field(default_factory=dict)

    def journalled(self, schema: str, table: str) -> list[str]:
        """The columns of a table that the journal may hold: all that is declared, without the secret ones."""
        place = (schema, table)
        named = [columns for part in (self.select, self.insert, self.update) for columns in _of_place(part, place)]
        return sorted({name for columns in named for name in columns} - self.hidden(schema, table))

    def hidden(self, schema: str, table: str) -> set[str]:
        return {name for columns in _of_place(self.secret, (schema, table)) for name in columns}


def touches(
    *steps: Callable[..., Any],
    select: Columns | None = None,
    insert: Columns | None = None,
    update: Columns | None = None,
    delete: Sequence[str] = (),
    secret: Columns | None = None,
) -> Callable[[Handler], Handler]:
    """Declare what an operation or a mimic touches; its triggers' needs too, where they run with invoker's rights.

    What it writes is journalled, and for that may be read. `secret`: columns of those that never are.
    `steps`: functions it calls, which declare themselves what they touch.
    """

    def declare(handler: Handler) -> Handler:
        own = Touches(select or {}, insert or {}, update or {}, delete, secret or {})
        declared = _together([own, *touches_of(steps)])
        handler.__banyan_touches__ = declared  # type: ignore[attr-defined]  # functions hold more
        return handler

    return declare


def _together(parts: Sequence[Touches]) -> Touches:
    return Touches(
        _all_columns(part.select for part in parts),
        _all_columns(part.insert for part in parts),
        _all_columns(part.update for part in parts),
        tuple(dict.fromkeys(table for part in parts for table in part.delete)),
        _all_columns(part.secret for part in parts),
    )


def _all_columns(parts: Iterable[Columns]) -> dict[str, list[str]]:
    found: dict[str, dict[str, None]] = {}
    for part in parts:
        for table, columns in part.items():
            found.setdefault(table, {}).update(dict.fromkeys(columns))
    return {table: list(columns) for table, columns in found.items()}


def touches_of(handlers: Iterable[Callable[..., Any]]) -> list[Touches]:
    return [found for handler in handlers if isinstance(found := getattr(handler, "__banyan_touches__", None), Touches)]


def leaves_out(handler: Callable[..., Any], table: str, column: str) -> bool:
    """Does the handler say which columns of `table` its new rows give, and this one is not among them?"""
    given = [
        names for one in touches_of([handler]) for place, names in one.insert.items() if place_of(place)[1] == table
    ]
    return bool(given) and not any(column in names for names in given)


def grants(resources: Resources, touched: Iterable[Touches], snapshot: Snapshot | None = None) -> list[Grant]:
    """Every column privilege that both roles need, sorted. `snapshot` tells the keys of what operations write."""
    found: set[Grant] = set()
    for (schema, table), columns in resources.columns().items():
        found |= _for_both(schema, table, columns)
    for resource in resources:
        for place, given in inserted(resource, resources).items():
            found |= {Grant(API, *place, column, "INSERT") for column in given}
        place = (resource.table.schema, resource.table.name)
        found |= {Grant(API, *place, column, "UPDATE") for column in updated(resource)}
    for handler in touched:
        for name, names in handler.select.items():
            found |= _for_both(*place_of(name), names)
        for privilege, tables in (("INSERT", handler.insert), ("UPDATE", handler.update)):
            for name, names in tables.items():
                schema, table = place_of(name)
                found |= {Grant(API, schema, table, column, privilege) for column in names}
        for place, kept in read_for_the_journal(handler, snapshot).items():
            found |= _for_both(*place, kept)
    return sorted(found)


def read_for_the_journal(touches: Touches, snapshot: Snapshot | None) -> dict[tuple[str, str], set[str]]:
    """What must be readable of the rows that are written, so that the journal can tell them: columns by table."""
    found: dict[tuple[str, str], set[str]] = {}
    for name in {*touches.insert, *touches.update, *touches.delete}:
        place = place_of(name)
        table = snapshot.table(*place) if snapshot is not None else None
        key = table.primary_key if table is not None else ()
        found[place] = {*touches.journalled(*place), *key}
    return found


def inserted(resource: BoundResource, resources: Resources) -> dict[tuple[str, str], set[str]]:
    """What a new row of the resource, and the children it brings, may give a value to: columns by table."""
    if not {"create", "upsert"}.intersection(resource.verbs):
        return {}
    # A row of nothing but defaults is INSERT … DEFAULT VALUES, for which the privilege on any column does.
    own = _of_new(resource) or {field.column.name for field in resource.key}
    found = {(resource.table.schema, resource.table.name): own}
    for link in resource.written_links:
        target = resources.of(link.target)
        columns = found.setdefault((target.table.schema, target.table.name), set())
        columns |= _of_new(target) | {other for _, other in link.pairs}
    return found


def _of_new(resource: BoundResource) -> set[str]:
    columns = {name for field in resource.fields.values() if field.write for name in field.column_names}
    columns |= {filled.column.name for filled in resource.writing.on_create}
    return columns | {name for kind in KINDS for name in implied(resource.rows, kind)}


def updated(resource: BoundResource) -> set[str]:
    """What PATCH, PUT and a soft DELETE may set."""
    columns: set[str] = set()
    if {"update", "upsert"}.intersection(resource.verbs):
        columns |= {name for field in resource.fields.values() if field.write is True for name in field.column_names}
        columns |= {filled.column.name for filled in resource.writing.on_write}
    if "delete" in resource.verbs and resource.soft_delete is not None:
        columns |= {filled.column.name for filled in resource.writing.on_delete}
    return columns


def deleted(resources: Resources) -> set[tuple[str, str]]:
    """Tables of which rows are really deleted."""
    return {(r.table.schema, r.table.name) for r in resources if "delete" in r.verbs and r.soft_delete is None}


def missing(wanted: Iterable[Grant], snapshot: Snapshot) -> list[str]:
    """Names in grants that the snapshot does not have, as `schema.table.column`."""
    lost = []
    for grant in wanted:
        table = snapshot.table(grant.table_schema, grant.table_name)
        if table is None or table.column(grant.column_name) is None:
            lost.append(f"{grant.table_schema}.{grant.table_name}.{grant.column_name}")
    return sorted(set(lost))


def grant_sql(wanted: Iterable[Grant]) -> list[str]:
    return [f"GRANT {what} ({columns}) ON {table} TO {role}" for what, columns, table, role in _by_table(wanted)]


def revoke_sql(unwanted: Iterable[Grant]) -> list[str]:
    return [f"REVOKE {what} ({columns}) ON {table} FROM {role}" for what, columns, table, role in _by_table(unwanted)]


def usage_sql(places: Iterable[tuple[str, str]]) -> list[str]:
    """Roles may look into schemas at all. `places`: (schema, role)."""
    return [f"GRANT USAGE ON SCHEMA {quoted(schema)} TO {quoted(role)}" for schema, role in sorted(set(places))]


def _of_place(columns: Columns, place: tuple[str, str]) -> list[Sequence[str]]:
    return [names for name, names in columns.items() if place_of(name) == place]


def _for_both(schema: str, table: str, columns: Iterable[str]) -> set[Grant]:
    return {Grant(role, schema, table, column, "SELECT") for role in (API, READ) for column in columns}


def place_of(name: str) -> tuple[str, str]:
    """Schema and table of `schema.table`, or of a table of `public`."""
    schema, dot, table = name.partition(".")
    return (schema, table) if dot else ("public", name)


def _by_table(grants_: Iterable[Grant]) -> list[tuple[str, str, str, str]]:
    grouped: dict[tuple[str, str, str, str], list[str]] = {}
    for grant in sorted(grants_):
        place = (grant.grantee, grant.table_schema, grant.table_name, grant.privilege_type)
        grouped.setdefault(place, []).append(quoted(grant.column_name))
    return [
        (privilege, ", ".join(columns), f"{quoted(schema)}.{quoted(table)}", quoted(role))
        for (role, schema, table, privilege), columns in grouped.items()
    ]
