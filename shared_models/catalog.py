"""Reads a Snapshot out of PostgreSQL's catalogs: some twenty set-based statements, however many tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg

from shared_models import catalog_queries as queries
from shared_models import snapshot as s
from shared_models.catalog_types import Types
from shared_models.view_origins import column_origins

Row = tuple[Any, ...]
Connection = psycopg.Connection[Any]

_KINDS: Mapping[str, s.TableKind] = {
    "r": "table",
    "p": "partitioned table",
    "v": "view",
    "m": "materialized view",
    "f": "foreign table",
}
_ACTIONS = {"a": "no action", "r": "restrict", "c": "cascade", "n": "set null", "d": "set default"}
_IDENTITIES: Mapping[str, Any] = {"a": "always", "d": "by default"}
_GENERATED: Mapping[str, Any] = {"s": "stored", "v": "virtual"}
_RULE_EVENTS = {"1": "select", "2": "update", "3": "insert", "4": "delete"}
_POLICY_COMMANDS = {"r": "select", "a": "insert", "w": "update", "d": "delete", "*": "all"}


class UnsupportedServer(Exception):
    """The server is older than the oldest that the catalog queries are written for."""


def user_schemas(connection: Connection) -> tuple[str, ...]:
    """Every schema that holds a table or view and is neither PostgreSQL's nor Banyan's."""
    return tuple(name for (name,) in connection.execute(queries.USER_SCHEMAS))


def read_snapshot(connection: Connection, schemas: Sequence[str]) -> s.Snapshot:
    """The schemas as one consistent value. Takes no lock that a writer would notice, reads no table's rows.

    A schema that does not exist contributes nothing. Raises UnsupportedServer below PostgreSQL 13, and
    psycopg.Error when the connection fails.
    """
    if connection.info.server_version < queries.OLDEST_SUPPORTED:
        raise UnsupportedServer(f"PostgreSQL {connection.info.server_version // 10000}; 13 is the oldest supported.")
    with connection.transaction():
        connection.execute("SET LOCAL search_path = ''")
        return _Reader(connection, sorted(set(schemas))).snapshot()


class _Reader:
    """Runs the queries once each and groups their rows by table."""

    def __init__(self, connection: Connection, schemas: list[str]) -> None:
        self._connection = connection
        self._schemas = schemas
        self._gates = queries.gates(connection.info.server_version)
        self._types = Types(connection.info.server_version, self._rows)

    def snapshot(self) -> s.Snapshot:
        tables = self._rows(queries.TABLES)
        self._read_columns()
        self._read_parts()
        return s.Snapshot(
            schemas=tuple(self._schemas),
            tables=tuple(self._table(row) for row in tables),
            enums=self._types.enums(),
            domains=self._types.domains(),
            composites=self._types.composites(),
            sequences=tuple(map(_sequence, self._rows(queries.SEQUENCES))),
            functions=tuple(sorted((s.Function(*row) for row in self._rows(queries.FUNCTIONS)), key=_function_order)),
            server_version=self._connection.info.server_version,
        )

    def _rows(self, query: str, **parameters: object) -> list[Row]:
        text = query.format(**self._gates) if "{" in query else query
        cursor = self._connection.cursor(row_factory=psycopg.rows.tuple_row)
        return cursor.execute(text, {"schemas": self._schemas, **parameters}).fetchall()

    def _read_columns(self) -> None:
        rows = self._rows(queries.COLUMNS)
        self._names: dict[int, dict[int, str]] = defaultdict(dict)
        for relation, number, name, *_ in rows:
            self._names[relation][number] = name
        self._types.read()
        self._origins, self._reads = column_origins(self._rows, self._names)
        self._columns: dict[int, list[s.Column]] = defaultdict(list)
        for row in rows:
            self._columns[row[0]].append(self._column(row))

    def _read_parts(self) -> None:
        self._constraints = _by_relation(self._rows(queries.CONSTRAINTS))
        self._indexes = _by_relation(self._rows(queries.INDEXES))
        self._triggers = _by_relation(self._rows(queries.TRIGGERS))
        self._rules = _by_relation(self._rows(queries.RULES))
        self._policies = _by_relation(self._rows(queries.POLICIES))
        self._privileges = _by_relation(self._rows(queries.PRIVILEGES))
        self._parents = _by_relation(self._rows(queries.INHERITANCE))

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
            origin=self._origins.get((relation, number)),
        )

    def _table(self, row: Row) -> s.Table:
        oid, schema, name, kind, comment, estimate, secured, forced, is_partition, size, filled, extension = row
        constraints = self._constraints.get(oid, [])
        primary = next((c for c in constraints if c[2] == "p"), None)
        parents = tuple((p[1], p[2]) for p in self._parents.get(oid, []))
        return s.Table(
            schema=schema,
            name=name,
            kind=_KINDS[kind],
            comment=comment,
            columns=tuple(self._columns.get(oid, ())),
            primary_key=self._columns_of(oid, primary[3]) if primary else (),
            primary_key_name=primary[1] if primary else None,
            uniques=tuple(
                s.Unique(c[1], self._columns_of(oid, c[3]), deferrable=c[4], nulls_distinct=c[9])
                for c in constraints
                if c[2] == "u"
            ),
            foreign_keys=tuple(self._foreign_key(oid, c) for c in constraints if c[2] == "f"),
            checks=tuple(
                s.Check(c[1], c[7], self._columns_of(oid, c[3] or ()), validated=c[5])
                for c in constraints
                if c[2] == "c"
            ),
            exclusions=tuple(s.Exclusion(c[1], c[8]) for c in constraints if c[2] == "x"),
            indexes=tuple(self._index(oid, i) for i in self._indexes.get(oid, [])),
            triggers=tuple(map(_trigger, self._triggers.get(oid, []))),
            rules=tuple(s.Rule(r[1], _RULE_EVENTS[r[2]], r[3], r[4]) for r in self._rules.get(oid, [])),
            row_security="forced" if secured and forced else "enabled" if secured else None,
            policies=tuple(
                s.Policy(p[1], _POLICY_COMMANDS[p[2]], p[3], tuple(p[4]), p[5], p[6])
                for p in self._policies.get(oid, [])
            ),
            privileges=tuple(s.Privilege(p[1], p[2], p[3]) for p in self._privileges.get(oid, [])),
            partition_of=parents[0] if is_partition and parents else None,
            inherits=() if is_partition else parents,
            reads=self._reads.get(oid, ()),
            extension=extension,
            row_estimate=-1 if estimate is None else estimate,
            size=size or 0,
            is_filled=filled,
        )

    def _columns_of(self, relation: int, numbers: Sequence[int]) -> tuple[str, ...]:
        return tuple(self._names[relation][number] for number in numbers if number > 0)

    def _foreign_key(self, relation: int, row: Row) -> s.ForeignKey:
        return s.ForeignKey(
            name=row[1],
            columns=self._columns_of(relation, row[3]),
            target_schema=row[10],
            target_table=row[11],
            target_columns=tuple(row[14]),
            on_update=_ACTIONS[row[12]],
            on_delete=_ACTIONS[row[13]],
            deferrable=row[4],
            validated=row[5],
            enforced=row[6],
        )

    def _index(self, relation: int, row: Row) -> s.Index:
        _, name, method, numbers, key_length, unique, valid, nulls_distinct, predicate, definition = row
        names = [self._names[relation].get(number) for number in numbers]
        return s.Index(
            name=name,
            columns=tuple(names[:key_length]),
            method=method,
            unique=unique,
            include=tuple(filter(None, names[key_length:])),
            predicate=predicate,
            definition=definition,
            valid=valid,
            nulls_distinct=nulls_distinct,
        )


def _by_relation(rows: list[Row]) -> dict[int, list[Row]]:
    grouped: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        grouped[row[0]].append(row)
    return grouped


def _trigger(row: Row) -> s.Trigger:
    """`tgtype` is a bit set: see TRIGGER_TYPE_* in PostgreSQL's pg_trigger.h."""
    _, name, bits, enabled, function, definer, condition = row
    events = {4: "insert", 8: "delete", 16: "update", 32: "truncate"}
    return s.Trigger(
        name=name,
        timing="before" if bits & 2 else "instead of" if bits & 64 else "after",
        events=tuple(event for bit, event in events.items() if bits & bit),
        each="row" if bits & 1 else "statement",
        function=function,
        security_definer=definer,
        enabled=enabled != "D",
        condition=condition,
    )


def _sequence(row: Row) -> s.Sequence:
    schema, name, kind, start, increment, minimum, maximum, cycle, *owner = row
    owned_by = (owner[0], owner[1], owner[2]) if all(owner) else None
    return s.Sequence(schema, name, kind, start, increment, minimum, maximum, cycle, owned_by)


def _function_order(function: s.Function) -> tuple[str, str, str]:
    return function.schema, function.name, function.arguments
