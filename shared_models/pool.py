"""A few connections to one database, the warmest first. Connections that broke are thrown away, never handed on.

A pool of our own because a hot read costs a third of what it costs through psycopg_pool: no task, no lock, no check.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

import psycopg
from psycopg import pq
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from shared_models.faults import DatabaseAway, DatabaseBusy, translated
from shared_models.wire import Connection

__all__ = ["Connection", "Pool"]

_CONNECT_SECONDS = 3
_IDLE = pq.TransactionStatus.IDLE
_MANNERS = {
    "TimeZone": "UTC",  # a timestamp with zone is written in UTC
    "DateStyle": "ISO",
    "IntervalStyle": "iso_8601",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "standard_conforming_strings": "on",
    "quote_all_identifiers": "off",
    "jit": "off",
}


def settings_option() -> str:
    """The same manners for a connection outside of a pool, as libpq's `options`."""
    return " ".join(f"-c {name}={value}" for name, value in _MANNERS.items())


class Pool:
    """At most `size` connections in autocommit mode; they are opened when first needed.

    pooled   PgBouncer in transaction mode is in between: what we ask of a session has to be asked of each transaction
             (`manners`), and nothing can be prepared
    """

    def __init__(
        self,
        url: str,
        *,
        size: int | Callable[[], int],
        application_name: str,
        statement_timeout: float,
        lock_timeout: float,
        wait_timeout: float = 2.0,
        pooled: bool = False,
    ) -> None:
        asked = {
            **_MANNERS,
            "statement_timeout": f"{statement_timeout * 1000:.0f}ms",
            "lock_timeout": f"{lock_timeout * 1000:.0f}ms",
            "idle_in_transaction_session_timeout": f"{max(10.0, 2 * statement_timeout) * 1000:.0f}ms",
        }
        self.manners = tuple(asked.items()) if pooled else ()
        given = str(conninfo_to_dict(url).get("options") or "")
        ours = "" if pooled else " ".join(f"-c {name}={value}" for name, value in asked.items())
        options = f"{given} {ours}".strip()  # of what is said twice the last counts
        self._conninfo = make_conninfo(
            url,
            **({"options": options} if options else {}),
            application_name=application_name,
            client_encoding="UTF8",
            connect_timeout=_CONNECT_SECONDS,
        )
        self._pooled = pooled
        self._size: Callable[[], int] = size if callable(size) else lambda: size
        self._wait_timeout = wait_timeout
        self._idle: list[Connection] = []
        self._waiting: deque[asyncio.Future[Connection | None]] = deque()
        self._open = 0
        self._generation = 0
        self._closed = False

    def idle(self) -> Connection | None:
        """A connection that is open and free now, the one that was given back last."""
        while self._idle:
            connection = self._idle.pop()
            if not connection.closed:
                return connection
            connection.shut()
            self._open -= 1
        return None

    async def acquire(self) -> Connection:
        """Raises DatabaseAway when there is no server, DatabaseBusy when nobody gave a connection back in time."""
        if (idle := self.idle()) is not None:
            return idle
        if self._closed:
            raise DatabaseAway
        if self._open < self._size():
            return await self._connect()
        handed = await self._wait()
        return handed if handed is not None else await self.acquire()

    def release(self, connection: Connection) -> None:
        """Take a connection back. One that is not idle (cut, cancelled, in a transaction) is closed instead."""
        outdated = connection.generation != self._generation or self._closed or self._open > self._size()
        if outdated or connection.pgconn.transaction_status != _IDLE:
            self.discard(connection)
            return
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(connection)
                return
        self._idle.append(connection)

    def discard(self, connection: Connection) -> None:
        self._open -= 1
        connection.shut()
        self._wake_one()

    def discard_idle(self) -> None:
        """After a lost connection: the server was restarted, so the idle ones are dead too."""
        while self._idle:
            self._open -= 1
            self._idle.pop().shut()

    def fit(self) -> None:
        """The size may have shrunk: idle connections that are too many are closed, the coldest first."""
        while self._idle and self._open > self._size():
            self.discard(self._idle.pop(0))

    def renew(self) -> None:
        """The schema has changed: no connection that was opened before is used again once it is given back."""
        self._generation += 1
        self.discard_idle()

    def close(self) -> None:
        self._closed = True
        self.discard_idle()

    async def _connect(self) -> Connection:
        self._open += 1
        try:
            generation = self._generation
            connection = await Connection.connect(self._conninfo, autocommit=True)
        except BaseException as error:
            self._open -= 1
            self._wake_one()
            if isinstance(error, psycopg.Error):
                raise translated(error) from None
            raise
        connection.generation = generation
        connection.unprepared = self._pooled
        connection.prepare_threshold = None if self._pooled else 0
        connection.prepared_max = 500
        return connection

    async def _wait(self) -> Connection | None:
        """A connection that was given back, or None: one may be opened now."""
        waiter: asyncio.Future[Connection | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        try:
            async with asyncio.timeout(self._wait_timeout):
                return await waiter
        except BaseException as error:
            self._pass_on(waiter)
            if isinstance(error, TimeoutError):
                raise DatabaseBusy from None
            raise

    def _pass_on(self, waiter: asyncio.Future[Connection | None]) -> None:
        """What was handed to somebody who stopped waiting in the same moment goes to the next."""
        if waiter.cancelled() or not waiter.done():
            return
        connection = waiter.result()
        if connection is None:
            self._wake_one()
        else:
            self.release(connection)

    def _wake_one(self) -> None:
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return
