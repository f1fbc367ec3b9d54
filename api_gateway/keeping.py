"""The journal of what operations and mimics write: each statement is run so that it tells what it changed.

    INSERT          the columns that it gives, as they are stored
    UPDATE          the columns that it sets; before it the rows are locked, which tells what they were
    DELETE          the columns that `@touches` names
    ON CONFLICT     DO UPDATE of rows given as VALUES: an insert or an update, row by row

All entries of a transaction are written at once before its commit: they are there exactly when the writes are. Tables
of schema `banyan` are nobody's business here, and columns that `@touches(secret=…)` names are never noted.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.dml import OnConflictDoUpdate
from sqlalchemy.sql.dml import Delete, Insert, Update

from api_gateway.consumers import Principal
from shared_models.database import WriteTransaction
from shared_models.grants import Touches
from shared_models.images import image_of
from shared_models.keeping import Row, Run, Written
from shared_models.prepared import Prepared
from shared_models.state import SCHEMA

MOST_AT_ONCE = 1000
"""Entries that are held back; then they are written, the transaction still open. With savepoints, all of them."""

_WRITE = Prepared(
    b"INSERT INTO banyan.journal"
    b' (principal, operation, request, verb, "schema", "table", key, columns, before, after)'
    b' SELECT $1, $2, $3, verb, "schema", "table", key, columns, before, after'
    b" FROM pg_catalog.jsonb_to_recordset($4::pg_catalog.jsonb) AS entry(verb pg_catalog.text,"
    b' "schema" pg_catalog.text, "table" pg_catalog.text, key pg_catalog.jsonb, columns pg_catalog.text[],'
    b" before pg_catalog.jsonb, after pg_catalog.jsonb)",
    ("principal", "operation", "request", "entries"),
)
_KEY, _IMAGE = "banyan_key_", "banyan_image_"

Image = dict[str, str | None]
Key = tuple[str | None, ...]
Columns = Sequence[sa.ColumnClause[Any]]


class Keeping:
    """One transaction's entries: who acts (None: nobody we know), by which operation or route, in which request."""

    def __init__(
        self,
        tx: WriteTransaction,
        principal: Principal | None,
        operation: str,
        request: str | None = None,
        touches: Touches | None = None,
    ) -> None:
        self._tx, self._touches = tx, touches
        self._by = {
            "principal": f"{principal.kind}:{principal.code}" if principal is not None else "nobody",
            "operation": operation,
            "request": request,
        }
        self._entries: list[dict[str, Any]] = []
        self._may_be_undone = False

    async def executed(self, statement: Written, run: Run) -> list[Row]:
        table = cast("sa.TableClause", statement.table)
        if table.schema == SCHEMA:
            return await run(statement)
        key = _key(table)
        columns = self._columns(statement, table)
        before = await self._before(statement, table, key, columns, run)
        rows = await run(_telling(statement, key, columns))
        for row in rows:
            self._note(statement, table, row, key, columns, before)
        if len(self._entries) >= MOST_AT_ONCE and not self._may_be_undone:
            await self.finish()
        return rows if statement._returning else []

    async def finish(self) -> None:
        if self._entries:
            entries, self._entries = self._entries, []
            async with self._tx.as_ourselves():
                await self._tx.fetch(_WRITE, {**self._by, "entries": json.dumps(entries)})

    def mark(self) -> int:
        self._may_be_undone = True
        return len(self._entries)

    def forget(self, mark: int) -> None:
        del self._entries[mark:]

    def _columns(self, statement: Written, table: sa.TableClause) -> list[sa.ColumnClause[Any]]:
        """What the journal tells of the statement's rows."""
        place = (table.schema or "public", table.name)
        known = self._touches.journalled(*place) if self._touches is not None else None
        if isinstance(statement, Delete):
            return [column for column in table.c if known is None or column.name in known]
        hidden = set() if self._touches is None else self._touches.hidden(*place)
        return [column for column in _given(statement, table) if column.name not in hidden]

    async def _before(
        self, statement: Written, table: sa.TableClause, key: Columns, columns: Columns, run: Run
    ) -> dict[Key, Image]:
        """The rows as they are, locked as the statement itself would lock them; nothing for what only adds rows."""
        where = _meant(statement, table)
        if where is None or not key:
            return {}
        read = sa.select(*_told(key, columns)).select_from(table).where(*where)
        rows = await run(read.with_for_update(of=table, key_share=True))
        return {_key_of(row, key): _image(row, columns) for row in rows}

    def _note(
        self,
        statement: Written,
        table: sa.TableClause,
        row: Row,
        key: Columns,
        columns: Columns,
        before: Mapping[Key, Image],
    ) -> None:
        """Takes out of the row what only the journal asked for."""
        named, image = _key_of(row, key), _image(row, columns)
        for name in [name for name in row if name.startswith((_KEY, _IMAGE))]:
            del row[name]
        was = before.get(named)
        entry: dict[str, Any] = {
            "schema": table.schema or "public",
            "table": table.name,
            "key": {column.name: part for column, part in zip(key, named, strict=True)},
            "columns": sorted(image),
        }
        if isinstance(statement, Delete):
            entry |= {"verb": "delete", "before": image}
        elif isinstance(statement, Update) or was is not None:
            entry |= {"verb": "update", "before": was, "after": image}
        else:
            entry |= {"verb": "insert", "after": image}
        self._entries.append({name: value for name, value in entry.items() if value is not None})


def _key(table: sa.TableClause) -> Columns:
    return tuple(table.primary_key) if isinstance(table, sa.Table) else ()


def _told(key: Columns, columns: Columns) -> list[sa.ColumnElement[Any]]:
    told = [image_of(column).label(f"{_KEY}{n}") for n, column in enumerate(key)]
    return [*told, *(image_of(column).label(f"{_IMAGE}{n}") for n, column in enumerate(columns))]


def _telling(statement: Written, key: Columns, columns: Columns) -> Written:
    told = _told(key, columns)
    return statement.returning(*told) if told else statement


def _key_of(row: Row, key: Columns) -> Key:
    return tuple(row[f"{_KEY}{n}"] for n in range(len(key)))


def _image(row: Row, columns: Columns) -> Image:
    return {column.name: row[f"{_IMAGE}{n}"] for n, column in enumerate(columns)}


def _meant(statement: Written, table: sa.TableClause) -> Sequence[sa.ColumnElement[bool]] | None:
    """Which rows a statement changes that are there already. None: none, or what cannot be told beforehand."""
    if isinstance(statement, Update):
        return statement._where_criteria
    clause = statement._post_values_clause if isinstance(statement, Insert) else None
    if not isinstance(clause, OnConflictDoUpdate) or not clause.inferred_target_elements:
        return None
    target = [_key_in(table, element) for element in clause.inferred_target_elements]
    rows = [{_key_in(table, name): value for name, value in row.items()} for row in _rows(cast("Insert", statement))]
    if not rows or any(name not in row for row in rows for name in target):
        return None
    named = sa.tuple_(*(table.c[name] for name in target))
    return [named.in_([tuple(_plain(row[name]) for name in target) for row in rows])]


def _given(statement: Written, table: sa.TableClause) -> list[sa.ColumnClause[Any]]:
    """The columns that an INSERT gives or an UPDATE sets, in the table's order.

    SQLAlchemy tells them by private attributes only; the tests of the journal would notice a change.
    """
    found: set[Any] = set()
    if isinstance(statement, Insert):
        found |= {name for row in _rows(statement) for name in row} | {*(statement._select_names or ())}
        clause = statement._post_values_clause
        if isinstance(clause, OnConflictDoUpdate):
            found |= {*clause.update_values_to_set}
    elif isinstance(statement, Update):
        found |= {*(statement._values or ())}
    keys = {_key_in(table, name) for name in found}
    return [column for column in table.c if column.key in keys]


def _rows(statement: Insert) -> Iterable[Mapping[Any, Any]]:
    for part in statement._multi_values:
        for row in part:
            yield row if isinstance(row, Mapping) else dict(zip(statement.table.c, row, strict=False))
    if statement._values:
        yield statement._values


def _key_in(table: sa.TableClause, element: Any) -> str:
    """What a column is called in `table.c`, given as that, as the column, or by its name in the database."""
    if not isinstance(element, str):
        return str(element.key)
    by_name = {column.name: column.key for column in table.c}
    return element if element in table.c else str(by_name.get(element, element))


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, sa.BindParameter) else value
