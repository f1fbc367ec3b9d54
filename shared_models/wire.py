"""One prepared statement through libpq, as psycopg hands it out: no cursor, no generator, no task.

A statement is prepared when a connection first runs it, under a name that the connection remembers; the least recently
run are forgotten. A connection listens to its socket for as long as it lives, so that what is hot adds nothing to the
event loop and takes nothing from it, and a server that goes away is noticed at once. Where psycopg itself has to wait
on the socket, for a cursor, it does, and the next fetch listens again.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, TypeVar

import psycopg
from psycopg import AsyncConnection, errors, pq
from psycopg.abc import PQGen
from psycopg.generators import fetch_many

Cells = list[bytes | None]
Arguments = Sequence[bytes | None]
Result = pq.abc.PGresult
Waited = TypeVar("Waited")

_KEPT = 500
_CANCEL_SECONDS = 2.0
_SYNC = pq.ExecStatus.PIPELINE_SYNC
_TUPLES = pq.ExecStatus.TUPLES_OK
_OPEN = pq.ConnStatus.OK
_FINE = frozenset({pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK, _SYNC})


class Connection(AsyncConnection[tuple[object, ...]]):
    """A connection and the names of what is prepared on it.

    generation   of the schema that its prepared statements were made for
    unprepared   it is not ours for longer than a transaction, so nothing is ever prepared
    """

    def __init__(self, pgconn: pq.abc.PGconn, *told: Any) -> None:
        super().__init__(pgconn, *told)
        self.generation = 0
        self.unprepared = False
        self.names: OrderedDict[bytes, bytes] = OrderedDict()
        self.serial = 0
        self._socket = pgconn.socket
        self._loop: asyncio.AbstractEventLoop | None = None  # while it listens
        self._answered: asyncio.Future[list[Result]] | None = None
        self._results: list[Result] = []
        self._syncs = 0  # how many are to come before everything is answered; 0: no pipeline

    async def answer(self, *, syncs: int = 0) -> list[Result]:
        """What the server says to what was just sent, once all of it is there. Raises psycopg.Error when it is cut.

        syncs   how many synchronization points were sent; 0: it was one command outside of a pipeline
        Cancelled, it stops the statement in the server too.
        """
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self.deaf()
            self._loop = loop
            loop.add_reader(self._socket, self._readable)
        self._results, self._syncs = [], syncs
        answered: asyncio.Future[list[Result]] = loop.create_future()
        self._answered = answered
        try:
            if self.pgconn.flush():
                loop.add_writer(self._socket, self._writable)
            return await answered
        except psycopg.Error:
            self.deaf()
            raise
        except asyncio.CancelledError:
            with suppress(psycopg.Error):
                await self.cancel_safe(timeout=_CANCEL_SECONDS)
                await (self.close() if syncs else self.wait(fetch_many(self.pgconn)))
            raise  # where that failed the connection is still busy, and whoever takes it back closes it
        finally:
            self._answered = None

    async def wait(self, gen: PQGen[Waited], *told: Any, **named: Any) -> Waited:
        self.deaf()
        return await super().wait(gen, *told, **named)

    async def close(self) -> None:
        self.shut()

    def shut(self) -> None:
        """Close at once. What the server still does is rolled back."""
        self.deaf()
        self.pgconn.finish()

    def _readable(self) -> None:
        pgconn, results = self.pgconn, self._results
        try:
            pgconn.consume_input()
            if self._answered is None:
                return
            while not pgconn.is_busy():
                result = pgconn.get_result()
                if result is not None:
                    results.append(result)
                    if result.status != _SYNC:
                        continue
                    self._syncs -= 1
                elif self._syncs and pgconn.status == _OPEN:
                    continue  # the end of one statement's results; a Sync is still to come
                if not self._syncs or result is None:
                    self._say(results)
                    return
        except psycopg.Error as error:
            self.deaf()
            self._say(error)

    def _writable(self) -> None:
        try:
            if self.pgconn.flush() == 0 and self._loop is not None:
                self._loop.remove_writer(self._socket)
        except psycopg.Error as error:
            self.deaf()
            self._say(error)

    def _say(self, said: list[Result] | psycopg.Error) -> None:
        answered = self._answered
        if answered is None or answered.done():
            return
        if isinstance(said, psycopg.Error):
            answered.set_exception(said)
        else:
            answered.set_result(said)

    def deaf(self) -> None:
        """Leave the socket to somebody else, until the next answer is waited for."""
        if self._loop is not None:
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)
            self._loop = None


class NotBegun(Exception):
    """What a transaction was to begin with was refused. `error`: by the server, as psycopg says it."""

    def __init__(self, error: psycopg.Error) -> None:
        super().__init__("the session was refused")
        self.error = error


async def fetch(connection: Connection, sql: bytes, arguments: Arguments) -> list[Cells]:
    """The rows as PostgreSQL's text. Raises psycopg.Error; cancelled, it stops the statement in the server too."""
    names = connection.names
    if connection.unprepared:
        connection.pgconn.send_query_params(sql, arguments)
    elif (name := names.get(sql)) is not None:
        names.move_to_end(sql)
        connection.pgconn.send_query_prepared(name, arguments)
    else:
        connection.pgconn.send_query_prepared(await _prepare(connection, sql), arguments)
    return cells(checked(await connection.answer()))


async def fetch_each(connection: Connection, sql: bytes, several: Sequence[Arguments]) -> list[list[Cells] | None]:
    """The rows of one statement for each of several values, in one round trip; all of it is one transaction.

    None for one that was refused, and for all behind it, which were not run. Raises psycopg.Error for all of them.
    """
    if len(several) == 1 or connection.unprepared:
        return [await fetch(connection, sql, several[0]), *[None] * (len(several) - 1)]
    pgconn, names = connection.pgconn, connection.names
    if (name := names.get(sql)) is None:
        name = await _prepare(connection, sql)
    names.move_to_end(sql)
    pgconn.enter_pipeline_mode()
    try:
        for arguments in several:
            pgconn.send_query_prepared(name, arguments)
        pgconn.pipeline_sync()
        results = await connection.answer(syncs=1)
    finally:
        with suppress(psycopg.Error):
            pgconn.exit_pipeline_mode()
    return [cells(result) if result.status == _TUPLES else None for result in results[: len(several)]]


async def fetch_after(connection: Connection, begin: Sequence[bytes], sql: bytes, arguments: Arguments) -> list[Cells]:
    """`begin`, statements without parameters, and `sql` in one round trip. Raises NotBegun too.

    What is sent between two Syncs is one transaction (PostgreSQL's manual, 55.2.4 "Pipelining"): unless BEGIN is among
    it, it ends with the statement, after an error too, and with it whatever was set for this transaction alone.
    """
    pgconn, names = connection.pgconn, connection.names
    name = None if connection.unprepared else names.get(sql)
    made = await _new_name(connection) if name is None and not connection.unprepared else None
    pgconn.enter_pipeline_mode()
    try:
        for first in begin:
            pgconn.send_query_params(first, None)
        if made is not None:
            pgconn.send_prepare(made, sql)
        if connection.unprepared:
            pgconn.send_query_params(sql, arguments)
        else:
            pgconn.send_query_prepared(made or name or b"", arguments)
        pgconn.pipeline_sync()
        results = await connection.answer(syncs=1)
    finally:
        with suppress(psycopg.Error):  # it was cut or closed, and whoever takes it back sees that
            pgconn.exit_pipeline_mode()
    try:
        checked(results[: len(begin)])
    except psycopg.Error as error:
        raise _not_begun(error) from None
    fetched = checked(results[len(begin) : -1])
    if made is not None:
        names[sql] = made
    elif name is not None:
        names.move_to_end(sql)
    return cells(fetched)


async def after(connection: Connection, begin: Sequence[bytes]) -> None:
    """As `fetch_after`, and nothing behind it."""
    try:
        await command(connection, b"; ".join(begin))
    except psycopg.Error as error:
        raise _not_begun(error) from None


def _not_begun(error: psycopg.Error) -> Exception:
    """A connection that was lost is that, whatever was said on it."""
    state = error.sqlstate
    return error if state is None or state.startswith(("08", "57")) else NotBegun(error)


async def command(connection: Connection, sql: bytes) -> None:
    """Words that begin and end transactions. psycopg would forget what is prepared whenever it reads ROLLBACK."""
    connection.pgconn.send_query(sql)
    checked(await connection.answer())


async def _prepare(connection: Connection, sql: bytes) -> bytes:
    name = await _new_name(connection)
    connection.pgconn.send_prepare(name, sql)
    checked(await connection.answer())
    connection.names[sql] = name
    return name


async def _new_name(connection: Connection) -> bytes:
    """A name for one statement more; where there are too many, the least recently run are forgotten."""
    while len(connection.names) >= _KEPT:
        _, forgotten = connection.names.popitem(last=False)
        connection.pgconn.send_query(b"DEALLOCATE " + forgotten)
        checked(await connection.answer())
    connection.serial += 1
    return b"banyan_%d" % connection.serial


def checked(results: list[Result]) -> Result:
    """The last result. Raises psycopg.Error for the first refusal among them."""
    for result in results:
        if result.status not in _FINE:
            if result.error_field(pq.DiagnosticField.SQLSTATE) is None:
                raise psycopg.OperationalError("the connection was lost")
            raise errors.error_from_result(result)
    if not results:
        raise psycopg.OperationalError("the connection gave no answer")
    return results[-1]


def cells(result: Result) -> list[Cells]:
    """The rows as PostgreSQL's text."""
    value, columns = result.get_value, range(result.nfields)
    match len(columns):  # what most statements have, as fast as it can be said
        case 1:
            return [[value(row, 0)] for row in range(result.ntuples)]
        case 2:
            return [[value(row, 0), value(row, 1)] for row in range(result.ntuples)]
        case 3:
            return [[value(row, 0), value(row, 1), value(row, 2)] for row in range(result.ntuples)]
    return [[value(row, column) for column in columns] for row in range(result.ntuples)]
