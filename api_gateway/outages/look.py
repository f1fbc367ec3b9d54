"""One cheap look at the tables that are used: their shape, and what our role may do with them, as one digest.

Nothing but catalogs is read, and no lock taken that anybody would notice: whoever changes a table is not held up.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

import psycopg

from shared_models.database import Database
from shared_models.prepared import Prepared

Place = tuple[str, str]

# With xmin: a table that was renamed there and back while it was being judged is not as it was judged.
# Types are followed through arrays and domains as deep as one goes: labels and constraints are their own rows.
_SHAPE = """
WITH place AS (SELECT p ->> 0 AS schema, p ->> 1 AS name FROM jsonb_array_elements($1::jsonb) p),
     relation AS (
       SELECT n.nspname, n.oid AS schema_oid, c.xmin AS written, c.*
         FROM place JOIN pg_namespace n ON n.nspname = place.schema
         JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = place.name AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
     ),
     shape(place, part, text) AS (
       SELECT oid, 0, concat_ws(' ', written, relkind, relrowsecurity, relforcerowsecurity, relispopulated,
              has_schema_privilege(schema_oid, 'USAGE'), has_table_privilege(oid, 'DELETE'))
         FROM relation
      UNION ALL
       SELECT a.attrelid, a.attnum, concat_ws(' ', a.xmin, a.attname, a.atttypid, a.atttypmod, a.attnotnull,
              a.attidentity, a.attgenerated, a.atthasdef, t.typnotnull, b.typnotnull, t.typbasetype, t.typelem,
              (SELECT string_agg(quote_ident(e.enumlabel), ',' ORDER BY e.enumsortorder) FROM pg_enum e
                WHERE e.enumtypid IN (t.oid, t.typbasetype, t.typelem)),
              has_column_privilege(a.attrelid, a.attnum, 'SELECT'),
              has_column_privilege(a.attrelid, a.attnum, 'INSERT'),
              has_column_privilege(a.attrelid, a.attnum, 'UPDATE'))
         FROM relation r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
         JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_type b ON b.oid = t.typbasetype
      UNION ALL
       SELECT i.indrelid, 10000 + row_number() OVER (ORDER BY i.indexrelid), concat_ws(' ', i.indkey, i.indisvalid)
         FROM relation r JOIN pg_index i ON i.indrelid = r.oid AND i.indisunique
      UNION ALL
       SELECT oid, -1, concat_ws(' ', relacl, (SELECT nspacl FROM pg_namespace n WHERE n.oid = schema_oid),
              (SELECT string_agg(concat_ws(' ', attnum, attacl), ',' ORDER BY attnum) FROM pg_attribute
                WHERE attrelid = relation.oid AND attacl IS NOT NULL))
         FROM relation WHERE $2 <> '[]'
      UNION ALL
       SELECT 0, 0, (SELECT string_agg(concat_ws(' ', roleid, member), ',' ORDER BY roleid, member)
                       FROM pg_auth_members WHERE $2 <> '[]')
      UNION ALL
       SELECT 0, 1, $2
     )
SELECT md5(coalesce(string_agg(concat_ws(' ', place, part, text), E'\\n' ORDER BY place, part, text), ''))
  FROM shape
"""
_SHAPE_STATEMENT = Prepared(_SHAPE.encode(), ("places", "roles"))

_RIGHTS = """
SELECT n.nspname, c.relname, a.attname, bool_or(s.may AND has_column_privilege(r.rolname, c.oid, a.attnum, 'SELECT')),
       bool_or(s.may AND has_column_privilege(r.rolname, c.oid, a.attnum, 'INSERT')),
       bool_or(s.may AND has_column_privilege(r.rolname, c.oid, a.attnum, 'UPDATE')),
       bool_or(s.may AND has_table_privilege(r.rolname, c.oid, 'DELETE'))
  FROM jsonb_array_elements(%s::jsonb) p
  JOIN pg_namespace n ON n.nspname = p ->> 0
  JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = p ->> 1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  JOIN pg_roles r ON r.rolname = ANY(%s)
 CROSS JOIN LATERAL (SELECT has_schema_privilege(r.rolname, n.oid, 'USAGE') AS may) s
 GROUP BY 1, 2, 3
"""

_PRIVILEGES = ("SELECT", "INSERT", "UPDATE", "DELETE")

Rights = Mapping[tuple[str, str, str], frozenset[str]]
"""What our role may do, or any one of those that principals act as: privileges by (schema, table, column)."""


async def digest(database: Database, places: Collection[Place], roles: Collection[str] = ()) -> str:
    """Equal as long as nothing about these tables that concerns us has changed. Raises DatabaseFault.

    `roles`: those that principals act as.
    """
    values = {"places": _as_json(places), "roles": json.dumps(sorted(roles))}
    rows = await database.fetch(_SHAPE_STATEMENT, values)
    return (rows[0][0] or b"").decode()


def read_rights(
    connection: psycopg.Connection[Any], places: Collection[Place], roles: Collection[str] = (), *, writes: bool
) -> Rights | None:
    """What the `roles` may do, taken together; without any, the connected one. None: there are no such roles.

    What one principal's role alone lacks is refused when it asks. `writes` False: it is a role that never writes, so
    that the rights to write are not asked for, but assumed.
    """
    names = sorted(roles) or [connection.info.user]
    if connection.execute("SELECT FROM pg_roles WHERE rolname = ANY(%s)", [names]).fetchone() is None:
        return None
    found = {}
    for schema, table, column, *may in connection.execute(_RIGHTS, [_as_json(places), names]):
        has = (may[0], *(one or not writes for one in may[1:]))
        found[schema, table, column] = frozenset(name for name, yes in zip(_PRIVILEGES, has, strict=True) if yes)
    return found


def _as_json(places: Collection[Place]) -> str:
    return json.dumps(sorted(map(list, places)))
