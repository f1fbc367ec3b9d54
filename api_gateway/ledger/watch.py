"""Keeps a process at the newest stages and register, and says so to the others.

It listens for notices and asks twice a second besides, so a lost notice costs half a second and a killed listener
nothing more. When the database is away the process goes on with what it has; at a start without the database it takes
the file that was kept last.
"""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import dict_row
from sqlalchemy import Select, delete, func, select

from api_gateway import events
from api_gateway.consumers import Credential, Register, register_query, use_statement
from api_gateway.ledger.entries import table_of, table_query
from api_gateway.ledger.kept import Kept, keep, read_kept
from api_gateway.ledger.processes import Identity, ProcessKind, acknowledgement, live_gateways
from api_gateway.logging import report
from api_gateway.stages import StageTable
from shared_models import state
from shared_models.statements import compiled, run_async

OnChange = Callable[[StageTable, Register], Awaitable[None] | None]
Follower = Callable[[AsyncConnection[Any]], Awaitable[None]]
"""Something else that is read at each notice, and twice a second besides, on the watch's connection."""

POLL = 0.5
FIRST_READ = 2.0
RETRY = 0.25
NOTE_USE = 30.0

# A server that stops answering is noticed by the kernel; one that answers late, or behind a lock, by PostgreSQL.
_CONNECTION = {"connect_timeout": 2, "tcp_user_timeout": 3000, "keepalives_idle": 1, "keepalives_interval": 1}
# A heartbeat lost in a crash of the server is no loss: it need not wait for the disk.
_LIMITS = "SET statement_timeout = '3s'; SET lock_timeout = '1s'; SET synchronous_commit = off"


class Watcher:
    """Calls `on_change(table, register)` at the start and at every change; acknowledges a version when that returned.

        async with Watcher(url, "app", settings.state_dir, holder.take) as watcher: ...

    url        as banyan_owner.
    on_change  plain or async, done in well under a second; when it raises, the version is not acknowledged, and tried
               again half a second later.
    """

    def __init__(
        self, url: str, kind: ProcessKind, state_dir: Path, on_change: OnChange, *, followers: Sequence[Follower] = ()
    ) -> None:
        self.identity = Identity(kind)
        self._followers = followers
        self.connected = False
        self.gateways = 1
        self._url = url
        self._state_dir = state_dir
        self._on_change = on_change
        self._kept: Kept | None = None
        self._taking = asyncio.Lock()
        self._first_read = asyncio.Event()
        self._used: set[Credential] = set()
        self._use_noted = 0.0
        self._said: tuple[tuple[int, int], tuple[bytes, dict[str, Any]]] | None = None  # the last heartbeat, compiled
        self._lost_at: float | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def table(self) -> StageTable:
        """The stages that this process acts on."""
        return self._kept.table if self._kept is not None else StageTable()

    @property
    def register(self) -> Register:
        return self._kept.register if self._kept is not None else Register()

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._follow())
        try:
            await self._begin()
        except BaseException:  # cancelled while it began: then nobody calls __aexit__
            await self._end()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._end()

    async def _begin(self) -> None:
        try:
            await asyncio.wait_for(self._first_read.wait(), FIRST_READ)
        except TimeoutError:
            await self._take_kept()

    async def _end(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._leave()

    async def _follow(self) -> None:
        while True:
            try:
                async with await self._connect() as connection:
                    self._back()
                    while True:
                        await self._catch_up(connection)
                        for follow in self._followers:
                            await follow(connection)
                        await self._note_use(connection)
                        async for _ in connection.notifies(timeout=POLL, stop_after=1):
                            pass
            except Exception as error:  # noqa: BLE001  a watch that ended would leave the process at old stages for good
                self._lost(error)
                await asyncio.sleep(RETRY)

    async def _connect(self) -> AsyncConnection[Any]:
        options: dict[str, Any] = {**_CONNECTION, "application_name": f"banyan {self.identity.kind} watch"}
        connection = await AsyncConnection.connect(self._url, autocommit=True, **options)
        await connection.execute(_LIMITS)
        await connection.execute(f"LISTEN {state.CHANNEL}".encode())
        return connection

    async def _catch_up(self, connection: AsyncConnection[Any]) -> None:
        """Acknowledge what is acted on; take over what is newer, and acknowledge that at once."""
        while await self._versions(connection) != self._acted_on:
            table = table_of(await run_async(connection, table_query()))
            register = Register.from_json((await run_async(connection, register_query()))[0]["register"])
            async with self._taking:
                taken = await self._take(Kept(table, register), "database")
            if not taken:
                return
            self._first_read.set()

    async def _versions(self, connection: AsyncConnection[Any]) -> tuple[int, int]:
        if self._said is None or self._said[0] != self._acted_on:
            self._said = self._acted_on, compiled(_heartbeat(self.identity, self._acted_on))
        async with connection.cursor(row_factory=dict_row) as cursor:
            await cursor.execute(*self._said[1])
            row = await cursor.fetchone() or {}
        self.gateways = max(1, int(row["gateways"]))
        return int(row["version"]), int(row["register_version"])

    async def _note_use(self, connection: AsyncConnection[Any]) -> None:
        """Tell the database, now and then, which credentials were used here."""
        if time.monotonic() - self._use_noted < NOTE_USE:
            return
        self._use_noted = time.monotonic()
        self._used |= self.register.take_used()
        if self._used:
            await run_async(connection, use_statement(self._used))
            self._used.clear()

    @property
    def _acted_on(self) -> tuple[int, int]:
        return self._kept.versions if self._kept is not None else (-1, -1)

    async def _take_kept(self) -> None:
        async with self._taking:
            if self._kept is None:
                await self._take(read_kept(self._state_dir) or Kept(), "file")

    async def _take(self, kept: Kept, source: str) -> bool:
        """Make the process act on these stages. False when it could not; it then goes on as before."""
        try:
            answer = self._on_change(kept.table, kept.register)
            if inspect.isawaitable(answer):
                await answer
        except Exception as error:  # noqa: BLE001  whatever a process makes of a change must not end its watch
            report(events.StagesRefused(kept.table.version, type(error).__name__))
            return False
        self._used |= self.register.take_used()
        self._kept = kept
        report(events.StagesTaken(*kept.versions, source))
        if source == "database":
            try:
                await asyncio.to_thread(keep, self._state_dir, kept)
            except OSError as error:
                report(events.StagesNotKept(type(error).__name__))
        return True

    def _back(self) -> None:
        if self._lost_at is not None:
            report(events.DatabaseBack(time.monotonic() - self._lost_at))
        self.connected, self._lost_at = True, None

    def _lost(self, error: BaseException) -> None:
        if self._lost_at is None:
            self._lost_at = time.monotonic()
            report(events.DatabaseLost(type(error).__name__))
        self.connected = False

    async def _leave(self) -> None:
        """A process that ends in order is not waited for, not even the seconds in which it would pass for alive."""
        try:
            async with await AsyncConnection.connect(self._url, connect_timeout=2, autocommit=True) as connection:
                await run_async(connection, delete(state.process).where(state.process.c.id == self.identity.id))
        except (psycopg.Error, OSError):
            return


async def watch(url: str, kind: ProcessKind, state_dir: Path, on_change: OnChange) -> None:
    """Watch until cancelled."""
    async with Watcher(url, kind, state_dir, on_change):
        await asyncio.Event().wait()


def _heartbeat(identity: Identity, acted_on: tuple[int, int]) -> Select[Any]:
    """One round trip: I live and act on these versions; which are the newest, and who shares the load?"""
    alive = acknowledgement(identity, *acted_on).returning(state.process.c.id).cte("alive")
    newest = select(func.coalesce(func.max(state.ledger.c.version), 0)).scalar_subquery()
    register = select(state.register.c.version).scalar_subquery()
    columns = (newest.label("version"), register.label("register_version"), live_gateways().label("gateways"))
    return select(*columns).add_cte(alive)
