"""Bring the database's permissions to what the contract needs: one plan of SQL, run whole or not at all."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import errors, sql

from shared_models.grants import Grant, Touches, deleted, grant_sql, inserted, place_of, revoke_sql, usage_sql
from shared_models.resources import Resources
from shared_models.snapshot import Snapshot
from shared_models.spelling import quoted
from shared_models.state import API, OWNER, ROLES, SCHEMA

# From the catalogs: information_schema shows a login only what concerns itself.
_COLUMNS = """
SELECT pg_get_userbyid(acl.grantee)::text, n.nspname, c.relname, a.attname, acl.privilege_type
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace,
       aclexplode(a.attacl) acl
 WHERE n.nspname <> %(ours)s AND NOT a.attisdropped AND acl.grantee <> 0
   AND pg_get_userbyid(acl.grantee) = ANY(%(roles)s)
"""
_TABLES = """
SELECT n.nspname, c.relname, a.privilege_type, pg_get_userbyid(a.grantee)::text
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, aclexplode(c.relacl) a
 WHERE n.nspname <> %(ours)s AND c.relkind <> 'S' AND a.grantee <> 0 AND pg_get_userbyid(a.grantee) = ANY(%(roles)s)
   AND a.grantee <> c.relowner
"""
_SEQUENCES = """
SELECT a.privilege_type, format('%%I.%%I', n.nspname, c.relname), pg_get_userbyid(a.grantee)::text
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, aclexplode(c.relacl) a
 WHERE n.nspname <> %(ours)s AND c.relkind = 'S' AND a.grantee <> 0 AND pg_get_userbyid(a.grantee) = ANY(%(roles)s)
   AND a.grantee <> c.relowner
   AND (pg_get_userbyid(a.grantee) <> %(api)s OR a.privilege_type <> 'USAGE'
        OR c.oid <> ALL (SELECT to_regclass(name) FROM unnest(%(sequences)s::text[]) name
                          WHERE to_regclass(name) IS NOT NULL))
"""
_SCHEMAS = """
SELECT n.nspname, pg_get_userbyid(a.grantee)::text FROM pg_namespace n, aclexplode(n.nspacl) a
 WHERE n.nspname <> %(ours)s AND n.nspname !~ '^pg_' AND a.grantee <> 0 AND a.grantee <> n.nspowner
   AND pg_get_userbyid(a.grantee) = ANY(%(roles)s)
"""
_GRANTEES = list(ROLES)
_SEQUENCE = re.compile(r"nextval\('((?:[^']|'')+)'::regclass\)")


class MayNot(Exception):
    """This login may not grant; `statements` are for somebody who may."""

    def __init__(self, statements: list[str]) -> None:
        super().__init__("this login may not create roles or grant these columns")
        self.statements = statements


@dataclass(frozen=True, slots=True)
class Wanted:
    """Column grants, and what PostgreSQL knows only whole: sequences behind defaults, DELETE on tables.

    schemas  (schema, role): where tables are, and the types of columns, which statements name
    """

    columns: tuple[Grant, ...]
    sequences: tuple[str, ...] = ()
    deletes: tuple[tuple[str, str], ...] = ()
    schemas: tuple[tuple[str, str], ...] = ()
    owner_deletes: tuple[tuple[str, str], ...] = ()

    def may_delete(self) -> list[tuple[str, str, str]]:
        """(schema, table, role) of which rows are deleted."""
        return [
            *((schema, table, API) for schema, table in self.deletes),
            *((schema, table, OWNER) for schema, table in self.owner_deletes),
        ]


def wanted(
    columns: Iterable[Grant],
    touched: Iterable[Touches],
    snapshot: Snapshot,
    resources: Resources | None = None,
    owner_deletes: Iterable[tuple[str, str]] = (),
) -> Wanted:
    """`owner_deletes`: tables of which banyan_owner deletes rows, as a sign-out does of the legacy app's sessions."""
    listed, granted = tuple(touched), tuple(columns)
    sequences = {name for touches in listed for name in _sequences(touches, snapshot)}
    deletes = {place_of(table) for touches in listed for table in touches.delete}
    if resources is not None:
        sequences |= set(_of_new_rows(resources))
        deletes |= deleted(resources)
    schemas = {(schema, grant.grantee) for grant in granted for schema in _schemas_of(grant, snapshot)}
    by_owner = tuple(sorted(owner_deletes))
    schemas |= {(schema, API) for schema, _ in deletes} | {(schema, OWNER) for schema, _ in by_owner}
    return Wanted(granted, tuple(sorted(sequences)), tuple(sorted(deletes)), tuple(sorted(schemas)), by_owner)


def _schemas_of(grant: Grant, snapshot: Snapshot) -> Iterable[str]:
    yield grant.table_schema
    table = snapshot.table(grant.table_schema, grant.table_name)
    column = table.column(grant.column_name) if table is not None else None
    if column is not None and column.type.schema not in ("pg_catalog", "information_schema"):
        yield column.type.schema


def plan(connection: psycopg.Connection[Any], target: Wanted) -> list[str]:
    """The statements that lead from what is granted to what is wanted; empty when nothing is to be done."""
    known = {"roles": _GRANTEES, "ours": SCHEMA}
    have = {Grant(*row) for row in connection.execute(_COLUMNS, known)}
    whole = [tuple(map(str, row)) for row in connection.execute(_TABLES, known)]
    deleted_from = set(target.may_delete())
    too_much = [row for row in whole if row[2] != "DELETE" or _place(row) not in deleted_from]
    lost = {(schema, table, role) for schema, table, _, role in too_much}
    kept = {grant for grant in have if (grant.table_schema, grant.table_name, grant.grantee) not in lost}
    want = set(target.columns)
    fresh = sorted(want - kept)
    return [
        *_missing_roles(connection),
        *(f"REVOKE ALL ON {quoted(s)}.{quoted(t)} FROM {quoted(role)}" for s, t, role in sorted(lost)),
        *revoke_sql(kept - want),
        *_unwanted_sequences(connection, target),
        *_unwanted_schemas(connection, target),
        *_usages(connection, target.schemas),
        *grant_sql(fresh),
        *_whole_grants(connection, target, [row for row in whole if row not in too_much and _place(row) not in lost]),
    ]


def _place(row: tuple[str, ...]) -> tuple[str, str, str]:
    return row[0], row[1], row[3]


def statements(target: Wanted) -> list[str]:
    """What grants all of it, for somebody who looks at no database."""
    return [
        *usage_sql(target.schemas),
        *grant_sql(target.columns),
        *(f"GRANT DELETE ON {quoted(s)}.{quoted(t)} TO {quoted(role)}" for s, t, role in target.may_delete()),
        *(f"GRANT USAGE ON SEQUENCE {sequence} TO {quoted(API)}" for sequence in target.sequences),
    ]


def apply(connection: psycopg.Connection[Any], target: Wanted) -> list[str]:
    """Run the plan in one transaction; returns its statements. Raises MayNot with them when this login may not."""
    with connection.transaction():
        statements = plan(connection, target)
    try:
        with connection.transaction():
            for statement in statements:
                connection.execute(statement.encode())
    except errors.InsufficientPrivilege:
        raise MayNot(statements) from None
    left = []
    with connection.transaction():
        left = plan(connection, target)
    if left:  # PostgreSQL only warns about a GRANT by somebody who may not
        raise MayNot(left)
    return statements


def _missing_roles(connection: psycopg.Connection[Any]) -> list[str]:
    present = {
        row[0] for row in connection.execute("SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)", [list(ROLES)])
    }
    return [f"CREATE ROLE {quoted(role)} LOGIN" for role in ROLES if role not in present]


def _unwanted_sequences(connection: psycopg.Connection[Any], target: Wanted) -> list[str]:
    """Sequences that no INSERT of ours draws from, and more than drawing from those that one does."""
    known = {"roles": _GRANTEES, "ours": SCHEMA, "api": API, "sequences": list(target.sequences)}
    rows = connection.execute(_SEQUENCES, known).fetchall()
    return sorted({f"REVOKE {what} ON SEQUENCE {place} FROM {quoted(role)}" for what, place, role in rows})


def _unwanted_schemas(connection: psycopg.Connection[Any], target: Wanted) -> list[str]:
    rows = {tuple(map(str, row)) for row in connection.execute(_SCHEMAS, {"roles": _GRANTEES, "ours": SCHEMA})}
    return [
        f"REVOKE ALL ON SCHEMA {quoted(s)} FROM {quoted(r)}" for s, r in sorted(rows) if (s, r) not in target.schemas
    ]


def _usages(connection: psycopg.Connection[Any], places: Iterable[tuple[str, str]]) -> list[str]:
    """USAGE on a schema, where neither PUBLIC nor the role has it."""
    return usage_sql(place for place in places if not _has_usage(connection, *place))


def _has_usage(connection: psycopg.Connection[Any], schema: str, role: str) -> bool:
    row = connection.execute(
        "SELECT has_schema_privilege(r.oid, n.oid, 'USAGE') FROM pg_roles r, pg_namespace n"
        " WHERE r.rolname = %s AND n.nspname = %s",
        [role, schema],
    ).fetchone()
    return bool(row and row[0])


def _whole_grants(
    connection: psycopg.Connection[Any], target: Wanted, whole: Iterable[tuple[str, ...]]
) -> Iterable[str]:
    have = {_place(row) for row in whole if row[2] == "DELETE"}
    for schema, table, role in target.may_delete():
        if (schema, table, role) not in have:
            yield f"GRANT DELETE ON {quoted(schema)}.{quoted(table)} TO {quoted(role)}"
    for sequence in target.sequences:
        if not _may_use(connection, sequence):
            yield f"GRANT USAGE ON SEQUENCE {sequence} TO {quoted(API)}"


def _may_use(connection: psycopg.Connection[Any], sequence: str) -> bool:
    found = connection.execute(
        sql.SQL("SELECT has_sequence_privilege(rolname, {}, 'USAGE') FROM pg_roles WHERE rolname = {}").format(
            sql.Literal(sequence), sql.Literal(API)
        )
    ).fetchone()
    return bool(found and found[0])


def _of_new_rows(resources: Resources) -> Iterable[str]:
    """Sequences of columns that a new row of a resource may leave to their default."""
    tables = {(resource.table.schema, resource.table.name): resource.table for resource in resources}
    for resource in resources:
        for place in inserted(resource, resources):
            for column in tables[place].columns:
                found = _SEQUENCE.search(column.default or "")
                if found is not None:
                    yield found[1].replace("''", "'")


def _sequences(touches: Touches, snapshot: Snapshot) -> Iterable[str]:
    """Sequences of columns that an INSERT leaves to their default. An identity column needs no grant."""
    inserted: Mapping[str, Any] = touches.insert
    for name, columns in inserted.items():
        table = snapshot.table(*place_of(name))
        for column in table.columns if table is not None else ():
            found = _SEQUENCE.search(column.default or "") if column.name not in columns else None
            if found is not None:
                yield found[1].replace("''", "'")
