"""The one way to the database: SQLAlchemy Core builds a statement, psycopg runs it, errors come back in our words.

    async with database.read() as tx:    READ ONLY, one point in time, always rolled back
    async with database.write() as tx:   committed at the end of the block, rolled back when it raises
    await database.fetch(statement, …)   one round trip for one compiled reading statement

A commit whose answer never came is looked up on another connection (`outcome`): success is never a guess.

The two transactions are different types: the type checker refuses a write through a read transaction, and so does the
server. Where the host database wants to know who acts, `database.acting(session)` tells it, transaction by transaction.
"""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from time import perf_counter
from typing import Any, Self

import psycopg
from psycopg import sql
from sqlalchemy import Executable, Select
from sqlalchemy.sql.dml import Delete, Insert, Update

from shared_models import wire
from shared_models.begun import Begun
from shared_models.copying import copied
from shared_models.faults import (
    CommitUnknown,
    DatabaseAway,
    DatabaseFault,
    NoSession,
    NotGranted,
    SchemaChanged,
    refused_session,
    translated,
)
from shared_models.keeping import Keeper
from shared_models.outcome import has_committed
from shared_models.pool import Connection, Pool
from shared_models.prepared import Prepared
from shared_models.session import Session
from shared_models.statements import run_async
from shared_models.together import Together
from shared_models.wire import Cells

Row = dict[str, Any]


__all__ = ["Cells", "Database", "ReadTransaction", "Row", "WriteTransaction"]

NO_SESSION = Session()
_ID = b"SELECT pg_catalog.pg_current_xact_id_if_assigned()::pg_catalog.text"


class ReadTransaction:
    """Statements that all see the same point in time, and change nothing. Raises DatabaseFault."""

    def __init__(self, begun: Begun) -> None:
        self._begun = begun

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
            return await self._begun.fetch(statement.sql, statement.encoded(values))
        except psycopg.Error as error:
            raise translated(error) from None

    async def _run(self, statement: Executable) -> list[Row]:
        try:
            return list(await run_async(await self._begun.ready(), statement))
        except psycopg.Error as error:
            raise translated(error) from None


class WriteTransaction(ReadTransaction):
    """A read committed transaction that may write."""

    def __init__(self, begun: Begun, session: Session = NO_SESSION) -> None:
        super().__init__(begun)
        self._session = session
        self.is_doomed = False
        self.keeper: Keeper | None = None
        """Who notes what `execute` changes; None: whoever writes notes it."""
        self.id: str | None = None
        """The transaction's id, as pg_current_xact_id() gives it, once somebody has noted it."""

    @property
    def is_another_role(self) -> bool:
        """Has the principal's session taken a role that is not ours?"""
        return self._session.role is not None

    async def begun_id(self) -> str | None:
        """The transaction's id; None: it has written nothing."""
        if self.id is None and self._begun.is_said:
            ((found,),) = await self._begun.fetch(_ID, ())
            self.id = found.decode() if found is not None else None
        return self.id

    def doom(self) -> None:
        """Roll back at the end, whatever happens: an answer that refuses must leave nothing behind."""
        self.is_doomed = True

    async def execute(self, statement: Insert | Update | Delete) -> list[Row]:
        """The rows of its RETURNING clause, none without one. Raises ConstraintViolated, LockTimeout, …"""
        return await (self._run(statement) if self.keeper is None else self.keeper.executed(statement, self._run))

    async def set_local(self, setting: str, value: str | None) -> None:
        """A PostgreSQL setting until the end of this transaction; None: back to what the session began with."""
        text = sql.SQL("DEFAULT") if value is None else sql.Literal(value)
        try:
            connection = await self._begun.ready()
            await connection.execute(sql.SQL("SET LOCAL {} TO {}").format(sql.Identifier(setting), text))
        except psycopg.Error as error:
            raise translated(error) from None

    async def check_constraints(self) -> None:
        """Check now what would be checked at the commit. Raises ConstraintViolated."""
        try:
            await wire.command(await self._begun.ready(), b"SET CONSTRAINTS ALL IMMEDIATE")
        except psycopg.Error as error:
            raise translated(error) from None

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """What raises inside is rolled back, and the transaction goes on."""
        mark = 0 if self.keeper is None else self.keeper.mark()
        connection = await self._begun.ready()
        await wire.command(connection, b"SAVEPOINT attempt")
        try:
            yield
        except BaseException:
            await wire.command(connection, b"ROLLBACK TO SAVEPOINT attempt")
            if self.keeper is not None:
                self.keeper.forget(mark)
            raise
        await wire.command(connection, b"RELEASE SAVEPOINT attempt")

    @asynccontextmanager
    async def as_ourselves(self) -> AsyncIterator[None]:
        """Statements on our own tables: under our own role, where the principal's session has taken another one."""
        if self._session.role is None:
            yield
            return
        await self.set_local("role", "none")
        yield
        await self.set_local("role", self._session.role)  # after an error there is nothing to go back to


class Database:
    """One database under one role; timeouts are seconds.

    `size`: connections of this process at most; as a call, how many these are just now, and `fit` closes what is idle
    and too many. `pooled`: PgBouncer in transaction mode is in between.

    `exports`: files that are written at a time, each on a connection besides those, for `export_timeout` at most.
    """

    def __init__(
        self,
        url: str,
        *,
        size: int | Callable[[], int],
        application_name: str,
        statement_timeout: float,
        lock_timeout: float,
        pooled: bool = False,
        exports: int = 2,
        export_timeout: float = 600.0,
    ) -> None:
        self._pool = Pool(
            url,
            size=size,
            application_name=application_name,
            statement_timeout=statement_timeout,
            lock_timeout=lock_timeout,
            pooled=pooled,
        )
        self._exports = Pool(
            url,
            size=exports,
            application_name=f"{application_name} export",
            statement_timeout=export_timeout,
            lock_timeout=lock_timeout,
            wait_timeout=0,
            pooled=pooled,
        )
        self._together = Together(self._pool)
        self._act(NO_SESSION)
        self._doubted: Callable[[], None] | None = None

    def when_doubted(self, call: Callable[[], None]) -> None:
        """`call` whenever a statement fails because the schema, or what our role may do, is not what it was."""
        self._doubted = call

    def suspect(self) -> None:
        """Somebody has reason to think that the schema is not what it was, though PostgreSQL did not say so."""
        if self._doubted is not None:
            self._doubted()

    async def renew(self) -> None:
        """Forget every statement that was prepared for an older schema; what runs, runs on."""
        self._pool.renew()

    def acting(self, session: Session | None) -> Self:
        """The same database, the same connections, on behalf of somebody: every transaction begins with the session.

        None: there is no session for whoever asks; each use raises NoSession.
        """
        if session == self._session:
            return self
        other = copy.copy(self)
        other._act(session)
        return other

    def _act(self, session: Session | None) -> None:
        self._session = session
        begin = Session((*self._pool.manners, *session.settings), session.role) if session is not None else None
        self._begin = begin.sql if begin else b""

    def fit(self) -> None:
        """Close what is idle and more than may be open by now."""
        self._pool.fit()

    async def open(self) -> None:
        """Nothing is opened before it is needed: a database that is away must not keep the process from starting."""

    async def close(self) -> None:
        self._pool.close()
        self._exports.close()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[ReadTransaction]:
        async with self._begun(b"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY") as begun:
            await begun.ready()
            try:
                yield ReadTransaction(begun)
            finally:
                await begun.undo()

    @asynccontextmanager
    async def write(self, *, lazily: bool = False) -> AsyncIterator[WriteTransaction]:
        """`lazily`: it begins with its first statement, in one round trip where that is a prepared one."""
        async with self._begun(b"BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE") as begun:
            if not lazily:
                await begun.ready()
            tx = WriteTransaction(begun, self._session or NO_SESSION)
            try:
                yield tx
                if tx.keeper is not None and not tx.is_doomed:
                    await tx.keeper.finish()
            except BaseException:
                await begun.undo()
                raise
            await (begun.undo() if tx.is_doomed else self._commit(begun, tx))

    async def _commit(self, begun: Begun, tx: WriteTransaction) -> None:
        """A connection that is cut here has its outcome looked up. Raises CommitUnknown only where that fails too."""
        try:
            await tx.begun_id()
            await begun.end(b"COMMIT")
        except psycopg.Error as error:
            fault = translated(error)
            if not isinstance(fault, DatabaseAway):
                raise fault from None
            self._pool.discard_idle()
            committed = False if tx.id is None else await has_committed(self._pool, tx.id)
            if committed is None:
                raise CommitUnknown(fault.sqlstate) from None
            if not committed:  # nothing was written, or it was rolled back
                raise fault from None

    async def fetch(
        self, statement: Prepared, values: Mapping[str, str | None], *, together: bool = False
    ) -> list[Cells]:
        """Run one reading statement in one round trip; its rows as PostgreSQL's own text. Raises DatabaseFault.

        together   with whoever asks the same of other rows in this moment; for what finds one row by its key

        A connection that turns out to be dead, or that remembers an older schema, is replaced once: reading twice is
        harmless.
        """
        try:
            arguments = statement.encoded(values)
        except psycopg.DataError as error:
            raise translated(error) from None
        if together and self._begin == b"" and self._session is not None:
            rows = await self._together.fetch(statement.sql, arguments)
            if rows is not None:
                return rows
            began = perf_counter()
            rows = await self._read(statement.sql, arguments)
            self._together.took(statement.sql, perf_counter() - began)
            return rows
        return await self._read(statement.sql, arguments)

    async def _read(self, sql: bytes, arguments: wire.Arguments) -> list[Cells]:
        try:
            return await self._fetched(sql, arguments)
        except (DatabaseAway, SchemaChanged) as fault:
            if fault.sqlstate is not None and fault.sqlstate not in _STALE:
                raise
            self._pool.renew() if isinstance(fault, SchemaChanged) else self._pool.discard_idle()
            return await self._fetched(sql, arguments)

    def copied(self, sql: bytes, line_end: bytes = b"\n") -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """What `COPY … TO STDOUT` gives, piece by piece, on a connection that only exports use.

        One point in time, read only. Raises DatabaseFault, also while it is read; DatabaseBusy when as many exports
        run as may.
        """
        if self._session is None:
            raise NoSession
        return copied(self._exports, self._session, sql, line_end, self._doubt)

    async def _fetched(self, sql: bytes, arguments: wire.Arguments) -> list[Cells]:
        begin = self._known_begin()
        connection = self._pool.idle() or await self._pool.acquire()
        try:
            if begin:
                rows = await wire.fetch_after(connection, (begin,), sql, arguments)
            else:
                rows = await wire.fetch(connection, sql, arguments)
        except wire.NotBegun as refusal:
            raise self._given_back(connection, refused_session(refusal.error)) from None
        except psycopg.Error as error:
            raise self._given_back(connection, translated(error)) from None
        except BaseException:
            self._pool.release(connection)
            raise
        self._pool.release(connection)
        return rows

    def _given_back(self, connection: Connection, fault: DatabaseFault) -> DatabaseFault:
        self._doubt(fault)
        if isinstance(fault, (DatabaseAway, SchemaChanged)):
            self._pool.discard(connection)
        else:
            self._pool.release(connection)
        return fault

    @asynccontextmanager
    async def _begun(self, begin: bytes) -> AsyncIterator[Begun]:
        session = self._known_begin()
        begun = Begun(self._pool, self._pool.idle() or await self._pool.acquire(), begin, session)
        try:
            yield begun
        except SchemaChanged as fault:
            self._doubt(fault)
            begun.connection.shut()  # it remembers statements of the old schema
            raise
        except NotGranted as fault:
            self._doubt(fault)
            raise
        except psycopg.Error as error:
            raise translated(error) from None
        finally:
            self._pool.release(begun.connection)

    def _doubt(self, fault: DatabaseFault) -> None:
        if isinstance(fault, (SchemaChanged, NotGranted)):
            self.suspect()

    def _known_begin(self) -> bytes:
        """What every transaction begins with, nothing mostly. Raises NoSession."""
        if self._session is None:
            raise NoSession
        return self._begin


_STALE = frozenset({"57P01", "57P02", "57P03", "08003", "08006", "0A000", "26000", "XX000"})
