"""One prepared statement through libpq, as psycopg hands it out: no cursor, no generator, no task.

A statement is prepared when a connection first runs it, under a name that the connection remembers; the least recently
run are forgotten. A hot read costs a third of what it costs through a cursor.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress

import psycopg
from psycopg import AsyncConnection, errors, pq
from psycopg.generators import fetch_many

Cells = list[bytes | None]
Arguments = Sequence[bytes | None]

_KEPT = 500
_CANCEL_SECONDS = 2.0
_TUPLES, _DONE = pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK


class Connection(AsyncConnection[tuple[object, ...]]):
    """A connection and the names of what is prepared on it.

    generation   of the schema that its prepared statements were made for
    unprepared   it is not ours for longer than a transaction, so nothing is ever prepared
    """

    generation = 0
    unprepared = False

    @property
    def names(self) -> OrderedDict[bytes, bytes]:
        found: OrderedDict[bytes, bytes] | None = self.__dict__.get("_banyan_names")
        if found is None:
            found = self.__dict__["_banyan_names"] = OrderedDict()
        return found


async def fetch(connection: Connection, sql: bytes, arguments: Arguments) -> list[Cells]:
    """The rows as PostgreSQL's text. Raises psycopg.Error; cancelled, it stops the statement in the server too."""
    if connection.unprepared:
        connection.pgconn.send_query_params(sql, arguments)
        return _cells(await _result(connection))
    name = connection.names.get(sql)
    if name is None:
        name = await _prepared(connection, sql)
    else:
        connection.names.move_to_end(sql)
    connection.pgconn.send_query_prepared(name, arguments)
    return _cells(await _result(connection))


async def command(connection: Connection, sql: bytes) -> None:
    """Words that begin and end transactions. psycopg would forget what is prepared whenever it reads ROLLBACK."""
    connection.pgconn.send_query(sql)
    await _result(connection)


async def _prepared(connection: Connection, sql: bytes) -> bytes:
    names, pgconn = connection.names, connection.pgconn
    while len(names) >= _KEPT:
        _, forgotten = names.popitem(last=False)
        pgconn.send_query(b"DEALLOCATE " + forgotten)
        await _result(connection)
    serial = connection.__dict__["_banyan_serial"] = connection.__dict__.get("_banyan_serial", 0) + 1
    name = b"banyan_%d" % serial
    pgconn.send_prepare(name, sql)
    await _result(connection)
    names[sql] = name
    return name


def _cells(result: pq.abc.PGresult) -> list[Cells]:
    value, columns = result.get_value, range(result.nfields)
    if len(columns) == 1:
        return [[value(row, 0)] for row in range(result.ntuples)]
    return [[value(row, column) for column in columns] for row in range(result.ntuples)]


async def _result(connection: Connection) -> pq.abc.PGresult:
    """What the server answers to the command just sent: its last result. Raises psycopg.Error for a refusal."""
    pgconn = connection.pgconn
    loop = asyncio.get_running_loop()
    answered: asyncio.Future[pq.abc.PGresult | None] = loop.create_future()
    last: pq.abc.PGresult | None = None

    def readable() -> None:
        nonlocal last
        try:
            pgconn.consume_input()
            while not pgconn.is_busy():
                result = pgconn.get_result()
                if result is None:
                    if not answered.done():
                        answered.set_result(last)
                    return
                last = result
        except psycopg.Error as error:
            if not answered.done():
                answered.set_exception(error)

    def writable() -> None:
        try:
            sent = pgconn.flush() == 0
        except psycopg.Error as error:
            sent = True
            if not answered.done():
                answered.set_exception(error)
        if sent:
            loop.remove_writer(socket)

    socket = pgconn.socket
    unsent = pgconn.flush()
    loop.add_reader(socket, readable)
    if unsent:
        loop.add_writer(socket, writable)
    try:
        result = await answered
    except asyncio.CancelledError:
        loop.remove_reader(socket)
        with suppress(psycopg.Error):
            await connection.cancel_safe(timeout=_CANCEL_SECONDS)
            await connection.wait(fetch_many(pgconn))
        raise  # where that failed the connection is still busy, and whoever takes it back closes it
    finally:
        loop.remove_reader(socket)
        if unsent:
            loop.remove_writer(socket)
    if result is None:
        raise psycopg.OperationalError("the connection gave no answer")
    if result.status not in (_TUPLES, _DONE):
        if result.error_field(pq.DiagnosticField.SQLSTATE) is None:
            raise psycopg.OperationalError("the connection was lost")
        raise errors.error_from_result(result)
    return result
