"""Reads a Snapshot out of PostgreSQL's catalogs: some twenty set-based statements, however many tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from shared_models import catalog_queries as queries
from shared_models import snapshot as s
from shared_models.catalog_parts import Names, Parts, Row, collation, function, sequence
from shared_models.catalog_type_queries import COLLATIONS
from shared_models.catalog_types import Types
from shared_models.view_origins import Views, read_views

Connection = psycopg.Connection[Any]

_KINDS: Mapping[str, s.TableKind] = {
    "r": "table",
    "p": "partitioned table",
    "v": "view",
    "m": "materialized view",
    "f": "foreign table",
}
_IDENTITIES: Mapping[str, Any] = {"a": "always", "d": "by default"}
_GENERATED: Mapping[str, Any] = {"s": "stored", "v": "virtual"}
_WRITES: Mapping[s.Write, int] = {"insert": 1 << 3, "update": 1 << 2, "delete": 1 << 4}  # bits of CmdType
_ATTEMPTS = 3


class UnsupportedServer(Exception):
    """The server is older than the oldest that the catalog queries are written for."""


def user_schemas(connection: Connection) -> tuple[str, ...]:
    """Every schema that holds a table or view and is neither PostgreSQL's nor Banyan's."""
    return tuple(name for (name,) in connection.execute(queries.USER_SCHEMAS))


def read_snapshot(
    connection: Connection, schemas: Sequence[str], only: Collection[tuple[str, str]] | None = None
) -> s.Snapshot:
    """The schemas as one consistent value, or of them only the named tables: (schema, name), and what they use.

    Reads no table's rows, and takes no lock that a writer would notice; it waits for a table that is being altered
    (set `lock_timeout` where that must not be). A schema that does not exist contributes nothing. Raises
    UnsupportedServer below PostgreSQL 13, and psycopg.Error when the connection fails.
    """
    if connection.info.server_version < queries.OLDEST_SUPPORTED:
        raise UnsupportedServer(f"PostgreSQL {connection.info.server_version // 10000}; 13 is the oldest supported.")
    for _ in range(_ATTEMPTS - 1):
        try:
            return _read(connection, sorted(set(schemas)), only)
        except (psycopg.errors.InternalError_, psycopg.errors.UndefinedObject):
            continue  # what a function of the catalogs was to spell has been dropped meanwhile
    return _read(connection, sorted(set(schemas)), only)


def _read(connection: Connection, schemas: list[str], only: Collection[tuple[str, str]] | None) -> s.Snapshot:
    alone = connection.info.transaction_status == TransactionStatus.IDLE
    with connection.transaction():
        if alone:  # all statements see the catalogs as they were at the first
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        connection.execute("SET LOCAL search_path = ''")
        return _Reader(connection, schemas, only).snapshot()


class _Reader:
    """Runs the queries once each and groups their rows by table."""

    def __init__(self, connection: Connection, schemas: list[str], only: Collection[tuple[str, str]] | None) -> None:
        self._connection = connection
        self._schemas = schemas
        self._only = None if only is None else frozenset(only)
        self._gates = queries.gates(connection.info.server_version)
        self._parameters: dict[str, object] = {
            "schemas": schemas,
            "names": None if only is None else sorted({name for _, name in only}),
        }
        self._types = Types(connection.info.server_version, self._rows)

    def snapshot(self) -> s.Snapshot:
        tables = [row for row in self._rows(queries.TABLES) if self._only is None or (row[1], row[2]) in self._only]
        self._parameters["relations"] = [row[0] for row in tables]
        self._read_columns()
        self._parts = Parts(self._rows, self._names)
        return s.Snapshot(
            schemas=tuple(self._schemas),
            tables=_with_partitions_counted([self._table(row) for row in tables]),
            enums=self._types.enums(),
            domains=self._types.domains(),
            composites=self._types.composites(),
            collations=tuple(map(collation, self._rows(COLLATIONS))),
            sequences=tuple(map(sequence, self._rows(queries.SEQUENCES))),
            functions=tuple(sorted(map(function, self._rows(queries.FUNCTIONS)), key=_function_order)),
            server_version=self._connection.info.server_version,
        )

    def _rows(self, query: str, **parameters: object) -> list[Row]:
        return self._cursor().execute(self._text(query), {**self._parameters, **parameters}).fetchall()

    def _stream(self, query: str, **parameters: object) -> Iterator[Row]:
        return self._cursor().stream(self._text(query), {**self._parameters, **parameters})

    def _cursor(self) -> psycopg.Cursor[Row]:
        return self._connection.cursor(row_factory=psycopg.rows.tuple_row)

    def _text(self, query: str) -> bytes:
        return (query.format(**self._gates) if "{" in query else query).encode()

    def _read_columns(self) -> None:
        rows = self._rows(queries.COLUMNS)
        self._names: Names = defaultdict(dict)
        for relation, number, name, *_ in rows:
            self._names[relation][number] = name
        self._types.read({row[3] for row in rows})
        self._views: Views = read_views(self._stream, self._names)
        self._updatable: dict[int, int] = dict(self._rows(queries.UPDATABLE_VIEWS))
        self._columns: dict[int, list[s.Column]] = defaultdict(list)
        for row in rows:
            self._columns[row[0]].append(self._column(row))

    def _column(self, row: Row) -> s.Column:
        relation, number, name, type_oid, modifier, spelled, not_null, *rest = row
        default, identity, generated, collation, comment = rest
        return s.Column(
            name=name,
            type=self._types.resolve(type_oid, modifier, spelled),
            nullable=not (not_null or self._types.forbids_null(type_oid)),
            default=None if generated else default,
            identity=_IDENTITIES.get(identity),
            generated=_GENERATED.get(generated),
            expression=default if generated else None,
            collation=collation,
            comment=comment,
            origin=self._views.origins.get((relation, number)),
        )

    def _table(self, row: Row) -> s.Table:
        oid, schema, name, kind, comment, estimate, secured, forced, is_partition, size, filled, extension, *more = row
        unlogged, server, partition_key, partition_bound, options = more
        parts = self._parts
        primary = parts.primary_key(oid)
        parents = parts.parents(oid)
        return s.Table(
            schema=schema,
            name=name,
            kind=_KINDS[kind],
            comment=comment,
            columns=tuple(self._columns.get(oid, ())),
            primary_key=primary.columns if primary else (),
            primary_key_name=primary.name if primary else None,
            primary_key_deferrable=primary is not None and primary.deferrable,
            uniques=parts.uniques(oid),
            foreign_keys=parts.foreign_keys(oid),
            checks=parts.checks(oid),
            exclusions=parts.exclusions(oid),
            indexes=parts.indexes(oid),
            triggers=parts.triggers(oid),
            rules=parts.rules(oid),
            row_security="forced" if secured and forced else "enabled" if secured else None,
            policies=parts.policies(oid),
            privileges=parts.privileges(oid),
            partition_key=partition_key,
            partition_of=parents[0] if is_partition and parents else None,
            partition_bound=partition_bound,
            inherits=() if is_partition else parents,
            reads=self._views.reads.get(oid, ()),
            query=self._views.query(oid, options or ()),
            accepts=_accepts(kind, self._updatable.get(oid, 0)),
            unlogged=unlogged,
            server=server,
            extension=extension,
            row_estimate=-1 if estimate is None else estimate,
            size=size or 0,
            is_filled=filled,
        )


def _accepts(kind: str, updatable: int) -> tuple[s.Write, ...]:
    if kind in ("v", "m"):
        return tuple(write for write, bit in _WRITES.items() if updatable & bit)
    return s.EVERY_WRITE


def _with_partitions_counted(tables: list[s.Table]) -> tuple[s.Table, ...]:
    """A partitioned table that was never analyzed itself has the rows that its partitions are known to have."""
    counted: dict[tuple[str, str], int] = defaultdict(int)
    known = {(table.schema, table.name): table for table in tables}
    for table in tables:
        parent = table.partition_of
        while parent is not None and table.kind != "partitioned table" and table.row_estimate >= 0:
            counted[parent] += table.row_estimate
            parent = known[parent].partition_of if parent in known else None
    return tuple(
        replace(table, row_estimate=counted[table.schema, table.name])
        if table.kind == "partitioned table" and table.row_estimate < 0 and (table.schema, table.name) in counted
        else table
        for table in tables
    )


def _function_order(function: s.Function) -> tuple[str, str, str]:
    return function.schema, function.name, function.arguments
