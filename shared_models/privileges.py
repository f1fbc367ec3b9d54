"""What a role may effectively do in a database: by its own grants, by PUBLIC's, by what it is a member of.

From the catalogs, as the server itself decides: `has_column_privilege` and its kin, for every table of every schema.
Left out are the system's own, schema `banyan`, and what an extension brought (PostGIS lets everybody read its tables).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import psycopg

from shared_models.state import SCHEMA

Source = Literal["own", "public", "inherited"]

# What a session can reach: a table in a schema without USAGE cannot be named, whatever its grants say.
_OBJECTS = """
WITH role AS (SELECT oid, rolname FROM pg_roles WHERE rolname = ANY(%(roles)s)),
     place AS (SELECT c.oid, c.relname, c.relkind, c.relacl, c.relowner, n.nspname, n.oid AS schema
                 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE c.relkind = ANY(%(kinds)s) AND n.nspname <> %(ours)s
                  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
                  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                                     AND d.objsubid = 0 AND d.deptype = 'e'))
"""
_WHOLE = f"""
{_OBJECTS}
SELECT role.rolname::text, place.nspname::text, place.relname::text, p,
       CASE WHEN EXISTS (SELECT FROM aclexplode(place.relacl) a WHERE a.grantee = role.oid AND a.privilege_type = p)
              THEN 'own'
            WHEN EXISTS (SELECT FROM aclexplode(place.relacl) a WHERE a.grantee = 0 AND a.privilege_type = p)
              THEN 'public'
            ELSE 'inherited' END
  FROM role, place, unnest(%(privileges)s::text[]) p
 WHERE has_schema_privilege(role.oid, place.schema, 'USAGE') AND has_table_privilege(role.oid, place.oid, p)
"""  # noqa: S608  constants
# What the whole table gives is not told again column by column.
_COLUMNS = f"""
{_OBJECTS}
SELECT role.rolname::text, place.nspname::text, place.relname::text, p, att.attname::text,
       CASE WHEN EXISTS (SELECT FROM aclexplode(att.attacl) a WHERE a.grantee = role.oid AND a.privilege_type = p)
              THEN 'own'
            WHEN EXISTS (SELECT FROM aclexplode(att.attacl) a WHERE a.grantee = 0 AND a.privilege_type = p)
              THEN 'public'
            ELSE 'inherited' END
  FROM role, place, unnest(%(by_column)s::text[]) p, pg_attribute att
 WHERE has_schema_privilege(role.oid, place.schema, 'USAGE') AND NOT has_table_privilege(role.oid, place.oid, p)
   AND has_any_column_privilege(role.oid, place.oid, p)
   AND att.attrelid = place.oid AND att.attnum > 0 AND NOT att.attisdropped
   AND has_column_privilege(role.oid, place.oid, att.attnum, p)
"""  # noqa: S608  constants
_ROLES = """
SELECT r.rolname::text,
       array_remove(ARRAY[CASE WHEN r.rolsuper THEN 'SUPERUSER' END, CASE WHEN r.rolcreaterole THEN 'CREATEROLE' END,
                          CASE WHEN r.rolcreatedb THEN 'CREATEDB' END, CASE WHEN r.rolbypassrls THEN 'BYPASSRLS' END,
                          CASE WHEN r.rolreplication THEN 'REPLICATION' END], NULL),
       ARRAY(SELECT m.rolname::text FROM pg_auth_members a JOIN pg_roles m ON m.oid = a.roleid
              WHERE a.member = r.oid ORDER BY 1),
       ARRAY(SELECT n.nspname::text FROM pg_namespace n WHERE n.nspname !~ '^pg_' AND n.nspname <> %(ours)s
                AND has_schema_privilege(r.oid, n.oid, 'CREATE') ORDER BY 1),
       has_database_privilege(r.oid, current_database(), 'CREATE'),
       ARRAY(SELECT m.rolname::text FROM pg_roles m WHERE m.oid <> r.oid AND (m.rolsuper OR m.rolbypassrls)
                AND pg_has_role(r.oid, m.oid, 'MEMBER') AND NOT r.rolsuper ORDER BY 1)
  FROM pg_roles r WHERE r.rolname = ANY(%(roles)s)
"""
_DEFINERS = """
SELECT p.oid::regprocedure::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
 WHERE p.prosecdef AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)
   AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', %(ours)s)
   AND has_schema_privilege(%(role)s, n.oid, 'USAGE') AND has_function_privilege(%(role)s, p.oid, 'EXECUTE')
   AND NOT EXISTS (SELECT FROM pg_depend d
                    WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
 ORDER BY 1
"""
_KINDS = ["r", "p", "v", "m", "f"]
_PRIVILEGES = ["SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"]
_BY_COLUMN = ["SELECT", "INSERT", "UPDATE", "REFERENCES"]


@dataclass(frozen=True, slots=True, order=True)
class Held:
    """One thing that a role may do. `column` None: with the whole table, or sequence."""

    role: str
    schema: str
    table: str
    privilege: str
    column: str | None
    source: Source


@dataclass(frozen=True, slots=True)
class RoleFacts:
    """What a role is. `powers`: attributes; `creates_in`: schemas; `above`: roles beyond row security it can become."""

    name: str
    powers: tuple[str, ...]
    member_of: tuple[str, ...]
    creates_in: tuple[str, ...]
    creates_schemas: bool
    above: tuple[str, ...]


def held(connection: psycopg.Connection[Any], roles: Iterable[str]) -> list[Held]:
    """Everything that these roles may do with tables, views and their columns. Raises psycopg.Error."""
    known: dict[str, Any] = {"roles": list(roles), "ours": SCHEMA, "kinds": _KINDS, "by_column": _BY_COLUMN}
    whole = connection.execute(_WHOLE, {**known, "privileges": _PRIVILEGES})
    found = [Held(role, schema, table, privilege, None, source) for role, schema, table, privilege, source in whole]
    columns = connection.execute(_COLUMNS, known)
    return sorted(found, key=_order) + sorted((Held(*row) for row in columns), key=_order)


def role_facts(connection: psycopg.Connection[Any], roles: Iterable[str]) -> list[RoleFacts]:
    """Of the roles that are there."""
    rows = connection.execute(_ROLES, {"roles": list(roles), "ours": SCHEMA})
    return [
        RoleFacts(name, tuple(powers), tuple(members), tuple(creates), bool(schemas), tuple(above))
        for name, powers, members, creates, schemas, above in rows
    ]


def definer_functions(connection: psycopg.Connection[Any], role: str) -> list[str]:
    """Functions that the role may call and that act with their owner's rights: a way around every grant."""
    return [row[0] for row in connection.execute(_DEFINERS, {"role": role, "ours": SCHEMA})]


def _order(one: Held) -> tuple[str, ...]:
    return (one.role, one.schema, one.table, one.privilege, one.column or "")
