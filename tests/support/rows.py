"""Rows for tables that have none: whatever their types, foreign keys and checks let through."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import psycopg
from psycopg import sql

from shared_models.snapshot import Column, ColumnType, Snapshot, Table

_LISTED = re.compile(r"'((?:[^']|'')*)'|(?<![\w.'])(-?\d+)(?![\w.'])")
_VALUES: dict[str, tuple[str, str, str]] = {
    "bool": ("true", "false", "true"),
    "int2": ("1", "2", "3"),
    "int4": ("1", "2", "3"),
    "int8": ("1", "9223372036854775807", "3"),
    "oid": ("1", "2", "3"),
    "numeric": ("1", "2", "3"),
    "float4": ("1.5", "NaN", "-Infinity"),
    "float8": ("1.5", "NaN", "-Infinity"),
    "money": ("1.50", "2.50", "3.50"),
    "date": ("2024-02-29", "infinity", "1900-01-01"),
    "timestamp": ("2024-03-10 02:30:00", "2024-02-29 12:00:00.123456", "infinity"),
    "timestamptz": ("2024-03-10 02:30:00+00", "2024-02-29 12:00:00.123456+02", "-infinity"),
    "time": ("02:30:00", "12:00:00.123456", "24:00:00"),
    "timetz": ("02:30:00+00", "12:00:00+02", "23:59:59-08"),
    "interval": ("1 year 2 mons", "-3 days 04:05:06.789", "00:00:00"),
    "uuid": tuple(f"00000000-0000-0000-0000-00000000000{n}" for n in "123"),
    "bytea": (r"\x00ff", r"\x", r"\x0a"),
    "json": ('{"n": 12345678901234567890.10}', "[1, null]", '"text"'),
    "jsonb": ('{"n": 12345678901234567890.10}', "[1, null]", '"text"'),
    "xml": ("<a/>", "<b>1</b>", "<c/>"),
    "inet": ("10.0.0.1", "10.0.0.0/8", "::1"),
    "cidr": ("10.0.0.0/8", "192.168.0.0/16", "::/0"),
    "macaddr": ("08:00:2b:01:02:03", "08:00:2b:01:02:04", "08:00:2b:01:02:05"),
    "bit": ("1", "0", "1"),
    "varbit": ("101", "0", "1"),
    "hstore": ("a=>1, b=>NULL", "", "c=>2"),
    "tsvector": ("a", "b", "c"),
    "ltree": ("a", "a.b", "a.c"),
    "point": ("(1,2)", "(3,4)", "(5,6)"),
}
_TEXT = frozenset({"text", "varchar", "bpchar", "citext", "name", "char"})
_SPECIMENS = ('a "quoted" é', "two\nlines", "c, d")


def fill(url: str, snapshot: Snapshot) -> set[tuple[str, str]]:
    """Puts up to three rows into every table that has none, parents first. Returns the tables that stayed empty."""
    empty: set[tuple[str, str]] = set()
    with psycopg.connect(url, autocommit=True) as connection:
        for _ in range(3):  # circles of foreign keys need more than one round
            empty = {(table.schema, table.name) for table in _parents_first(snapshot) if not _fill(connection, table)}
    return empty


def _fill(connection: psycopg.Connection[Any], table: Table) -> bool:
    name = sql.Identifier(table.schema, table.name)
    if connection.execute(sql.SQL("SELECT EXISTS (SELECT FROM {})").format(name)).fetchone() == (True,):
        return True
    if sum(any(_insert(connection, table, row, wide) for wide in (True, False)) for row in range(3)) > 0:
        return True
    # A trigger may want what only the app knows: a session it opened, a row somewhere else.
    with connection.transaction():
        connection.execute("SET LOCAL session_replication_role = replica")
        return sum(any(_insert(connection, table, row, wide) for wide in (True, False)) for row in range(3)) > 0


def _insert(connection: psycopg.Connection[Any], table: Table, row: int, wide: bool) -> bool:
    """`wide`: columns that may be null get values too."""
    given = {column.name: _value(column, table, row) for column in _columns(table, wide)}
    for key in table.foreign_keys:
        if set(key.columns) <= given.keys():
            parent = _parent_row(connection, key.target_schema, key.target_table, key.target_columns, row)
            given.update(zip(key.columns, parent, strict=True))
    columns = sql.SQL(", ").join(map(sql.Identifier, given))
    values = sql.SQL(", ").join(map(sql.Literal, given.values()))
    statement = sql.SQL("INSERT INTO {} ({}) VALUES ({})") if given else sql.SQL("INSERT INTO {} DEFAULT VALUES")
    try:
        with connection.transaction():
            connection.execute(statement.format(sql.Identifier(table.schema, table.name), columns, values))
    except psycopg.Error:
        return False
    return True


def _columns(table: Table, wide: bool) -> Iterator[Column]:
    for column in table.columns:
        made_by_the_server = column.generated or column.identity or "nextval(" in (column.default or "")
        if not made_by_the_server and (wide or not column.nullable):
            yield column


def _parent_row(
    connection: psycopg.Connection[Any], schema: str, table: str, columns: Sequence[str], row: int
) -> Sequence[str | None]:
    shown = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(column)) for column in columns)
    rows = connection.execute(
        sql.SQL("SELECT {} FROM {} ORDER BY {} LIMIT 3").format(
            shown, sql.Identifier(schema, table), sql.SQL(", ").join(map(sql.Identifier, columns))
        )
    ).fetchall()
    return rows[row % len(rows)] if rows else [None] * len(columns)


def _value(column: Column, table: Table, row: int) -> str | None:
    kind = column.type
    listed = [_LISTED.findall(c.expression) for c in table.checks if c.columns == (column.name,)]
    allowed = [text.replace("''", "'") or digits for found in listed for text, digits in found]
    if allowed:
        return allowed[row % len(allowed)]
    if kind.arrays:
        return None if column.nullable else "{}"
    if kind.labels:
        return kind.labels[row % len(kind.labels)]
    if kind.name in _TEXT:
        return _text(kind, row)
    if kind.kind in ("range", "multirange"):
        return "empty" if kind.kind == "range" else "{}"
    if kind.name in ("bit", "varbit"):
        return "10"[row % 2] * (kind.length or 1)
    return _VALUES[kind.name][row] if kind.name in _VALUES else None


def _text(kind: ColumnType, row: int) -> str:
    """Long enough to show that quotes, newlines and commas survive, as short as the column demands."""
    return _SPECIMENS[row] if (kind.length or 99) >= 12 else "xyz"[row]


def _parents_first(snapshot: Snapshot) -> Iterable[Table]:
    waiting = [table for table in snapshot.tables if table.kind in ("table", "partitioned table")]
    done: set[tuple[str, str]] = set()
    while waiting:
        ready = [
            t
            for t in waiting
            if {(k.target_schema, k.target_table) for k in t.foreign_keys} <= done | {(t.schema, t.name)}
        ]
        for table in ready or waiting[:1]:
            waiting.remove(table)
            done.add((table.schema, table.name))
            yield table
