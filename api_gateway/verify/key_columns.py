"""Which columns of a copy hold keys that the database draws, read from its catalogs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import psycopg

from api_gateway.errors import UsageError
from api_gateway.verify.keys import Column, KeyColumns

_DRAWN = """
SELECT n.nspname || '.' || c.relname, a.attname FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p') AND NOT c.relispartition
JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = ANY(%s)
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
  AND (a.attidentity <> '' OR pg_get_expr(d.adbin, d.adrelid) ~ 'nextval\\(|uuid')
"""

_REFERS = """
SELECT n.nspname || '.' || c.relname, a.attname, fn.nspname || '.' || f.relname, fa.attname FROM pg_constraint k
JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = ANY(%s)
JOIN pg_class f ON f.oid = k.confrelid JOIN pg_namespace fn ON fn.oid = f.relnamespace
JOIN LATERAL unnest(k.conkey, k.confkey) AS pair (here, there) ON true
JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = pair.here
JOIN pg_attribute fa ON fa.attrelid = k.confrelid AND fa.attnum = pair.there
WHERE k.contype = 'f'
"""

_KNOWN = """
SELECT n.nspname || '.' || c.relname, a.attname FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = ANY(%s)
WHERE a.attnum > 0 AND NOT a.attisdropped
"""


def key_columns(connection: psycopg.Connection[Any], schemas: tuple[str, ...], named: Iterable[str]) -> KeyColumns:
    """`named`: columns that the project says are drawn, `table.column` or `schema.table.column`.

    Raises UsageError for a column that is not there.
    """
    within = [list(schemas)]
    drawn: set[Column] = {(place, name) for place, name in connection.execute(_DRAWN.encode(), within).fetchall()}
    refers = {
        (place, name): (other, key)
        for place, name, other, key in connection.execute(_REFERS.encode(), within).fetchall()
    }
    known = {(place, name) for place, name in connection.execute(_KNOWN.encode(), within).fetchall()}
    for each in named:
        table, _, name = each.rpartition(".")
        column = (table if "." in table else f"public.{table}", name)
        if column not in known:
            raise UsageError(f"banyan.toml: verify.keys: there is no column {each}.")
        drawn.add(column)
    return KeyColumns(frozenset(drawn), refers)
