"""COPY … TO STDOUT as a stream: one point in time, on a connection that only files use, closed behind each of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import psycopg
from psycopg import errors, pq

from shared_models import wire
from shared_models.faults import DatabaseFault, refused_session, translated
from shared_models.pool import Connection, Pool
from shared_models.session import Session

_BEGIN = b"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_PIECE = 65536
_CANCEL_SECONDS = 2.0


@asynccontextmanager
async def copied(
    pool: Pool, session: Session, sql: bytes, line_end: bytes, doubt: Callable[[DatabaseFault], None]
) -> AsyncIterator[AsyncIterator[bytes]]:
    """The pieces of a file. What is left half read is cancelled in the server, and its connection closed.

    Raises DatabaseFault, also while it is read, of which `doubt` is told first.
    """
    begin = Session((*pool.manners, *session.settings), session.role)
    connection = await pool.acquire()
    pieces = _pieces(connection, sql, line_end)
    try:
        try:
            await wire.command(connection, _BEGIN + b"; " + begin.sql if begin else _BEGIN)
        except psycopg.Error as error:
            raise (refused_session(error) if session else translated(error)) from None
        yield _translating(pieces, doubt)
    finally:
        await pieces.aclose()
        if connection.pgconn.transaction_status == pq.TransactionStatus.ACTIVE:
            with suppress(psycopg.Error):
                await connection.cancel_safe(timeout=_CANCEL_SECONDS)
        pool.discard(connection)


async def _translating(pieces: AsyncIterator[bytes], doubt: Callable[[DatabaseFault], None]) -> AsyncIterator[bytes]:
    try:
        async for piece in pieces:
            yield piece
    except psycopg.Error as error:
        fault = translated(error)
        doubt(fault)
        raise fault from None


async def _pieces(connection: Connection, sql: bytes, line_end: bytes) -> AsyncGenerator[bytes, None]:
    """Some 64 KiB each; no more is read than is taken. Raises psycopg.Error.

    PostgreSQL sends row by row, each ended by LF, instead of which `line_end` is given.
    """
    connection.deaf()
    arrivals = _Arrivals(connection.pgconn)
    try:
        async for piece in _read(connection.pgconn, arrivals, sql, line_end):
            arrivals.leave()
            yield piece
    finally:
        arrivals.leave()


async def _read(pgconn: pq.abc.PGconn, arrivals: _Arrivals, sql: bytes, line_end: bytes) -> AsyncGenerator[bytes, None]:
    pgconn.send_query(sql)
    while pgconn.is_busy():
        await arrivals.more()
    begun = pgconn.get_result()
    if begun is None or begun.status != pq.ExecStatus.COPY_OUT:
        raise _refusal(begun)
    parts: list[bytes | memoryview] = []
    size = 0
    while True:
        count, row = pgconn.get_copy_data(1)
        if count > 0:
            parts.append(row[:-1])
            size += count
            if size >= _PIECE:
                yield line_end.join(parts) + line_end
                parts.clear()
                size = 0
        elif count == 0:
            await arrivals.more()
        else:
            break
    if parts:
        yield line_end.join(parts) + line_end
    refused: wire.Result | None = None  # what comes now may be in libpq's hands already: the socket stays silent
    while True:
        while pgconn.is_busy():
            await arrivals.more()
        ended = pgconn.get_result()
        if ended is None:
            break
        refused = refused or (ended if ended.status != pq.ExecStatus.COMMAND_OK else None)
    if refused is not None:
        raise _refusal(refused)


def _refusal(result: wire.Result | None) -> psycopg.Error:
    if result is None or result.error_field(pq.DiagnosticField.SQLSTATE) is None:
        return psycopg.OperationalError("the connection was lost")
    return errors.error_from_result(result)


class _Arrivals:
    """Listens to the socket while a piece is read, and not while it is taken: the event loop would be called for what
    nobody wants yet."""

    def __init__(self, pgconn: pq.abc.PGconn) -> None:
        self._pgconn, self._socket = pgconn, pgconn.socket
        self._loop = asyncio.get_running_loop()
        self._there: asyncio.Future[None] | None = None
        self._listens = self._writes = False

    async def more(self) -> None:
        """Wait until the server has sent something, and take it. Raises psycopg.Error."""
        self._there = self._loop.create_future()
        if not self._listens:
            self._listens = True
            self._loop.add_reader(self._socket, self._ready)
        if self._pgconn.flush():
            self._writes = True
            self._loop.add_writer(self._socket, self._ready)
        try:
            await self._there
        finally:
            if self._writes:
                self._writes = False
                self._loop.remove_writer(self._socket)
        self._pgconn.consume_input()

    def leave(self) -> None:
        if self._listens:
            self._listens = False
            self._loop.remove_reader(self._socket)

    def _ready(self) -> None:
        if self._there is not None and not self._there.done():
            self._there.set_result(None)
