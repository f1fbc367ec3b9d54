"""The one way to the database: SQLAlchemy Core builds a statement, psycopg runs it, errors come back in our words.

    async with database.read() as tx:    READ ONLY, one point in time, always rolled back
    async with database.write() as tx:   committed at the end of the block, rolled back when it raises
    await database.fetch(statement, …)   one round trip for one compiled reading statement

The two transactions are different types: the type checker refuses a write through a read transaction, and so does the
server.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from psycopg import AsyncRawCursor, sql
from sqlalchemy import Executable, Select
from sqlalchemy.sql.dml import Delete, Insert, Update

from shared_models.faults import CommitUnknown, DatabaseAway, DatabaseFault, SchemaChanged, translated
from shared_models.pool import Connection, Pool
from shared_models.prepared import Prepared
from shared_models.statements import run_async

Row = dict[str, Any]
Cells = list[bytes | None]


class ReadTransaction:
    """Statements that all see the same point in time, and change nothing. Raises DatabaseFault."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def rows(self, select: Select[*tuple[Any, ...]]) -> list[Row]:
        return await self._run(select)

    async def one(self, select: Select[*tuple[Any, ...]]) -> Row | None:
        """The first row, None when there is none."""
        rows = await self._run(select)
        return rows[0] if rows else None

    async def value(self, select: Select[*tuple[Any, ...]]) -> Any:
        """The first column of the first row, None when there is no row."""
        row = await self.one(select)
        return next(iter(row.values())) if row else None

    async def fetch(self, statement: Prepared, values: Mapping[str, str | None]) -> list[Cells]:
        """As `Database.fetch`, inside this transaction."""
        try:
            return await _fetch(self._connection, statement, values)
        except psycopg.Error as error:
            raise translated(error) from None

    async def _run(self, statement: Executable) -> list[Row]:
        try:
            return list(await run_async(self._connection, statement))
        except psycopg.Error as error:
            raise translated(error) from None


class WriteTransaction(ReadTransaction):
    """A read committed transaction that may write."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self.is_doomed = False

    def doom(self) -> None:
        """Roll back at the end, whatever happens: an answer that refuses must leave nothing behind."""
        self.is_doomed = True

    async def execute(self, statement: Insert | Update | Delete) -> list[Row]:
        """The rows of its RETURNING clause, none without one. Raises ConstraintViolated, LockTimeout, …"""
        return await self._run(statement)

    async def set_local(self, setting: str, value: str | None) -> None:
        """A PostgreSQL setting until the end of this transaction; None: back to what the session began with."""
        text = sql.SQL("DEFAULT") if value is None else sql.Literal(value)
        try:
            await self._connection.execute(sql.SQL("SET LOCAL {} TO {}").format(sql.Identifier(setting), text))
        except psycopg.Error as error:
            raise translated(error) from None


class Database:
    """One database under one role. `size`: connections of this process at most; timeouts are seconds."""

    def __init__(
        self, url: str, *, size: int, application_name: str, statement_timeout: float, lock_timeout: float
    ) -> None:
        self._pool = Pool(
            url,
            size=size,
            application_name=application_name,
            statement_timeout=statement_timeout,
            lock_timeout=lock_timeout,
        )

    async def open(self) -> None:
        """Nothing is opened before it is needed: a database that is away must not keep the process from starting."""

    async def close(self) -> None:
        await self._pool.close()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[ReadTransaction]:
        async with self._begun(b"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY") as connection:
            try:
                yield ReadTransaction(connection)
            finally:
                await _end(connection, b"ROLLBACK")

    @asynccontextmanager
    async def write(self) -> AsyncIterator[WriteTransaction]:
        async with self._begun(b"BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE") as connection:
            tx = WriteTransaction(connection)
            try:
                yield tx
            except BaseException:
                await _end(connection, b"ROLLBACK")
                raise
            await (_end(connection, b"ROLLBACK") if tx.is_doomed else _commit(connection))

    async def fetch(self, statement: Prepared, values: Mapping[str, str | None]) -> list[Cells]:
        """Run one reading statement in one round trip; its rows as PostgreSQL's own text. Raises DatabaseFault.

        A connection that turns out to be dead, or that remembers an older schema, is replaced once: reading twice is
        harmless.
        """
        try:
            return await self._fetch_once(statement, values)
        except (DatabaseAway, SchemaChanged) as fault:
            if fault.sqlstate is not None and fault.sqlstate not in _STALE:
                raise
            await self._pool.discard_idle()
            return await self._fetch_once(statement, values)

    async def _fetch_once(self, statement: Prepared, values: Mapping[str, str | None]) -> list[Cells]:
        connection = await self._pool.acquire()
        try:
            rows = await _fetch(connection, statement, values)
        except psycopg.Error as error:
            fault = translated(error)
            await self._give_back(connection, fault)
            raise fault from None
        except BaseException:
            await self._pool.release(connection)
            raise
        await self._pool.release(connection)
        return rows

    async def _give_back(self, connection: Connection, fault: DatabaseFault) -> None:
        if isinstance(fault, (DatabaseAway, SchemaChanged)):
            await self._pool.discard(connection)
        else:
            await self._pool.release(connection)

    @asynccontextmanager
    async def _begun(self, begin: bytes) -> AsyncIterator[Connection]:
        """A connection on which a transaction was begun; a dead one is replaced once, nothing was done on it."""
        connection = await self._pool.acquire()
        try:
            try:
                await connection.execute(begin)
            except psycopg.OperationalError:
                await self._pool.discard(connection)
                await self._pool.discard_idle()
                connection = await self._pool.acquire()
                await connection.execute(begin)
            yield connection
        except SchemaChanged:
            await connection.close()  # it remembers statements of the old schema
            raise
        except psycopg.Error as error:
            raise translated(error) from None
        finally:
            await self._pool.release(connection)


_STALE = frozenset({"57P01", "57P02", "57P03", "08003", "08006", "0A000", "26000"})


async def _fetch(connection: Connection, statement: Prepared, values: Mapping[str, str | None]) -> list[Cells]:
    cursor: AsyncRawCursor[Any] = AsyncRawCursor(connection)
    await cursor.execute(statement.sql, statement.arguments(values), prepare=True)
    result = cursor.pgresult
    assert result is not None  # noqa: S101 - execute() raised otherwise
    columns = range(result.nfields)
    return [[result.get_value(row, column) for column in columns] for row in range(result.ntuples)]


async def _end(connection: Connection, command: bytes) -> None:
    """Roll back where there is somebody to roll back; a connection that is gone has rolled back by itself."""
    try:
        await connection.execute(command)
    except psycopg.Error:
        await connection.close()


async def _commit(connection: Connection) -> None:
    try:
        await connection.execute(b"COMMIT")
    except psycopg.Error as error:
        fault = translated(error)
        if isinstance(fault, DatabaseAway):
            raise CommitUnknown(fault.sqlstate) from None
        raise fault from None
