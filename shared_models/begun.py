"""A connection of the pool, and a transaction on it that begins with its first statement.

A prepared statement is sent together with BEGIN, in one round trip. A connection that turns out to be dead there is
replaced once: nothing was done on it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import psycopg

from shared_models import wire
from shared_models.faults import DatabaseAway, refused_session, translated
from shared_models.pool import Connection, Pool

Said = TypeVar("Said")


class Begun:
    """`session`: what the host database wants to be told at the beginning of each transaction; b"": nothing."""

    def __init__(self, pool: Pool, connection: Connection, begin: bytes, session: bytes) -> None:
        self._pool, self.connection = pool, connection
        self._first = (begin, session) if session else (begin,)
        self.is_said = False

    async def fetch(self, sql: bytes, arguments: wire.Arguments) -> list[wire.Cells]:
        """Raises DatabaseFault for the beginning, psycopg.Error for the statement."""
        if self.is_said:
            return await wire.fetch(self.connection, sql, arguments)
        return await self._say(lambda connection: wire.fetch_after(connection, self._first, sql, arguments))

    async def ready(self) -> Connection:
        """The connection, inside the transaction, for whatever else runs there. Raises DatabaseFault."""
        if not self.is_said:
            await self._say(lambda connection: wire.after(connection, self._first))
        return self.connection

    async def end(self, command: bytes) -> None:
        """Raises psycopg.Error. What was never begun needs no end."""
        if self.is_said:
            await wire.command(self.connection, command)

    async def undo(self) -> None:
        """Roll back where there is somebody to roll back; a connection that is gone has rolled back by itself."""
        try:
            await self.end(b"ROLLBACK")
        except psycopg.Error:
            self.connection.shut()

    async def _say(self, said: Callable[[Connection], Awaitable[Said]]) -> Said:
        self.is_said = True
        try:
            try:
                return await said(self.connection)
            except psycopg.OperationalError as error:
                if not isinstance(translated(error), DatabaseAway):
                    raise
            self._pool.discard(self.connection)
            self._pool.discard_idle()
            self.connection = await self._pool.acquire()
            return await said(self.connection)
        except wire.NotBegun as refusal:
            fault = refused_session if len(self._first) > 1 else translated
            raise fault(refusal.error) from None
