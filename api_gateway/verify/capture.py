"""What a side wrote: a trigger on every table of the copies writes each row's two images down. Never in the original.

It runs as its owner, so the side's own role needs no right on it, and last, so that it sees what other triggers made.
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql

from api_gateway.verify.writes import Row

SCHEMA = "banyan_verify"

_HOME = """
CREATE SCHEMA banyan_verify;
CREATE TABLE banyan_verify.written (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    place text NOT NULL, verb text NOT NULL, before jsonb, after jsonb
);
CREATE FUNCTION banyan_verify.capture() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    INSERT INTO banyan_verify.written (place, verb, before, after) VALUES (
        TG_ARGV[0], lower(TG_OP),
        CASE WHEN TG_OP IN ('UPDATE', 'DELETE') THEN to_jsonb(OLD) END,
        CASE WHEN TG_OP IN ('INSERT', 'UPDATE') THEN to_jsonb(NEW) END
    );
    RETURN NULL;
END $$;
"""

_TAKE = b"""
WITH taken AS (DELETE FROM banyan_verify.written RETURNING *) SELECT place, verb, before, after FROM taken ORDER BY id
"""

_TABLES = """
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname = ANY(%s)
  AND NOT EXISTS (
      SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
  )
ORDER BY 1, 2
"""

_SEQUENCES = """
SELECT schemaname, sequencename, coalesce(last_value, 0), last_value IS NOT NULL FROM pg_sequences
WHERE schemaname = ANY(%s) ORDER BY 1, 2
"""


def install(connection: psycopg.Connection[Any], schemas: tuple[str, ...]) -> None:
    """Put the triggers on a copy's tables in these schemas. As its owner; in one transaction."""
    with connection.transaction():
        connection.execute(_HOME.encode())
        for schema, table in connection.execute(_TABLES.encode(), [list(schemas)]).fetchall():
            place, where = sql.Literal(f"{schema}.{table}"), sql.Identifier(schema, table)
            for event, level in (("INSERT OR UPDATE OR DELETE", "ROW"), ("TRUNCATE", "STATEMENT")):
                connection.execute(
                    sql.SQL(
                        "CREATE TRIGGER {name} AFTER {event} ON {table} FOR EACH {level} EXECUTE FUNCTION {f}({place})"
                    ).format(
                        name=sql.Identifier(f"zzzz_banyan_verify_{level.lower()}"),
                        event=sql.SQL(event),
                        table=where,
                        level=sql.SQL(level),
                        f=sql.Identifier(SCHEMA, "capture"),
                        place=place,
                    )
                )


def take(connection: psycopg.Connection[Any]) -> list[Row]:
    """The rows written since the last time, in the order they were written; the connection commits by itself."""
    rows = [Row(*row) for row in connection.execute(_TAKE).fetchall()]
    return [row for row in rows if row.has_changed or row.verb != "update"]


def align_sequences(one: psycopg.Connection[Any], other: psycopg.Connection[Any], schemas: tuple[str, ...]) -> int:
    """Where one side has drawn more numbers than the other, both go on after the higher: the next keys are equal again.

    A number that was drawn and thrown away is no effect: PostgreSQL's sequences have gaps by design. How many differed.
    """
    here, there = (
        {(row[0], row[1]): (row[2], row[3]) for row in side.execute(_SEQUENCES.encode(), [list(schemas)]).fetchall()}
        for side in (one, other)
    )
    apart = [name for name in here if name in there and here[name] != there[name]]
    for name in apart:
        furthest = max(here[name][0], there[name][0])
        for side in (one, other):
            side.execute("SELECT setval(format('%%I.%%I', %s::text, %s::text)::regclass, %s)", [*name, furthest])
    return len(apart)
