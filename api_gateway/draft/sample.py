"""A look at the first rows, so that a proposal can say what it rests on. The only part of the draft that reads rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import psycopg
from psycopg import sql

from api_gateway.draft.plan import TableName
from api_gateway.draft.secrecy import is_secret_value, secrecy
from shared_models.snapshot import Column, Snapshot, Table

ROWS = 1000  # the first by key: the same ones on the next run, unlike a random sample
LONGEST = 40  # characters of a value that are looked at
_TIMEOUT = "2s"
_LOOKED_AT = frozenset(
    {"bpchar", "varchar", "text", "citext", "int2", "int4", "int8", "date", "timestamp", "timestamptz"}
)

_DATES = frozenset({"date", "timestamp", "timestamptz"})
_BATCH = 20  # statements: their answers are held in memory together
_REFUSALS = (psycopg.errors.InsufficientPrivilege, psycopg.errors.QueryCanceled, psycopg.DataError)

Values = Mapping[str, int]
Asked = TypeVar("Asked")


@dataclass(frozen=True, slots=True)
class Link:
    """Columns of one table that may point to the key of another, although no foreign key says so."""

    table: TableName
    column: str
    target: TableName
    key: str

    @property
    def place(self) -> tuple[TableName, str]:
        """The column, which has one link at most."""
        return self.table, self.column


@dataclass(frozen=True, slots=True)
class Found:
    """Of the distinct sampled values `of`, not counting `none`, so many are `there`, on the other side.

    none   0, -1 or '' in the column and without a row on the other side: how schemas without foreign keys say null
    """

    there: int
    of: int
    none: str | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """What the first rows hold. Empty when rows were not to be read (`--no-data`) or could not be.

    columns   values and how often each occurs, nulls left out, text without trailing blanks
    found     for a column that may be a link: how many sampled values have a row on the other side
    secret    columns that hold what looks like a password's hash, a private key, a signed token
    """

    rows: Mapping[TableName, int] = field(default_factory=dict)
    columns: Mapping[tuple[TableName, str], Values] = field(default_factory=dict)
    found: Mapping[tuple[TableName, str], Found] = field(default_factory=dict)
    secret: frozenset[tuple[TableName, str]] = frozenset()

    def values(self, table: Table, column: str) -> Values:
        return self.columns.get(((table.schema, table.name), column), {})


def seen_dates(table: Table, column: Column, sample: Sample, snapshot: Snapshot) -> set[str]:
    """What the first rows hold in a column of dates. Of a view: in the column that it passes on, or where it makes one
    (`max(at)`), in any column of dates that it reads.
    """
    if not table.is_view or column.type.name not in _DATES:
        return set(sample.values(table, column.name))
    if column.origin is not None:
        schema, name, origin = column.origin
        return set(sample.columns.get(((schema, name), origin), {}))
    found: set[str] = set()
    waiting, known = list(table.reads), set(table.reads)
    while waiting:
        base = snapshot.table(*waiting.pop())
        if base is None:
            continue
        for one in base.columns if not base.is_view else ():
            found.update(sample.values(base, one.name) if one.type.name in _DATES else ())
        further = set(base.reads) - known
        known |= further
        waiting += further
    return found


def read_sample(connection: psycopg.Connection[Any], tables: Iterable[Table], links: Iterable[Link]) -> Sample:
    """Looks at up to 1,000 rows of each table, in one READ ONLY transaction. A table that refuses is left unsampled."""
    rows: dict[TableName, int] = {}
    columns: dict[tuple[TableName, str], Values] = {}
    found: dict[tuple[TableName, str], Found] = {}
    with connection.transaction(force_rollback=True):
        connection.execute("SET TRANSACTION READ ONLY")
        connection.execute(f"SET LOCAL statement_timeout = '{_TIMEOUT}'")
        connection.execute("SET LOCAL synchronize_seqscans = off")
        connection.execute("SET LOCAL datestyle = 'ISO, YMD'")
        connection.execute("SET LOCAL search_path = pg_catalog")
        asked = [(t, _looked_at(t)) for t in tables if t.kind in ("table", "partitioned table")]
        for (table, looked_at), answer in _answers(connection, asked, lambda one: _first_rows(*one)):
            name = (table.schema, table.name)
            rows[name] = len(answer)
            for position, column in enumerate(looked_at):
                values = (value for row in answer if (value := row[position]) is not None)
                columns[name, column.name] = Counter(value.rstrip(" ") for value in values)
        for link, answer in _answers(connection, list(links), _found):
            found[link.place] = Found(*answer[0])
    secret = frozenset(place for place, values in columns.items() if any(map(is_secret_value, values)))
    return Sample(rows, columns, found, secret)


def _looked_at(table: Table) -> list[Column]:
    plain = (column for column in table.columns if column.type.name in _LOOKED_AT and not column.type.is_array)
    return [column for column in plain if secrecy(table, column) is None]


def _first_rows(table: Table, columns: Sequence[Column]) -> sql.Composed:
    shown = sql.SQL(", ").join(
        sql.SQL("left({}::text, {})").format(sql.Identifier(column.name), sql.Literal(LONGEST)) for column in columns
    )
    return sql.SQL("SELECT {} FROM {}{} LIMIT {}").format(
        shown, _qualified((table.schema, table.name)), _order(table.primary_key), sql.Literal(ROWS)
    )


def _found(link: Link) -> sql.Composed:
    return sql.SQL(
        "SELECT count(*) FILTER (WHERE there), count(*) FILTER (WHERE there OR none IS NULL), max(none) FROM"
        " (SELECT there, CASE WHEN NOT there AND rtrim(value::text) IN ('0', '-1', '') THEN rtrim(value::text) END"
        " AS none FROM (SELECT value, EXISTS (SELECT FROM {target} t WHERE t.{key} = s.value) AS there FROM"
        " (SELECT DISTINCT {column} AS value FROM"
        " (SELECT {column} FROM {table} WHERE {column} IS NOT NULL LIMIT {rows}) first) s) asked) answered"
    ).format(
        target=_qualified(link.target),
        key=sql.Identifier(link.key),
        column=sql.Identifier(link.column),
        table=_qualified(link.table),
        rows=sql.Literal(ROWS),
    )


def _answers(
    connection: psycopg.Connection[Any], asked: Sequence[Asked], statement: Callable[[Asked], sql.Composed]
) -> Iterator[tuple[Asked, list[tuple[Any, ...]]]]:
    """Many to a savepoint, which costs two round trips; where one of them is refused, each has one of its own.

    What is refused, takes too long or cannot be read has no answer.
    """
    for start in range(0, len(asked), _BATCH):
        batch = asked[start : start + _BATCH]
        try:
            with connection.transaction():
                answers = [(one, connection.execute(statement(one)).fetchall()) for one in batch]
        except _REFUSALS:
            if len(batch) > 1:
                for one in batch:
                    yield from _answers(connection, [one], statement)
        else:
            yield from answers


def _qualified(name: TableName) -> sql.Composable:
    return sql.Identifier(*name)


def _order(key: Sequence[str]) -> sql.Composable:
    if not key:
        return sql.SQL("")
    return sql.SQL(" ORDER BY ") + sql.SQL(", ").join(map(sql.Identifier, key))
