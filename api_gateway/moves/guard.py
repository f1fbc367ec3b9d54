"""Stands beside whatever counts how modern fares: looks at once at what was stored, in a thread and on a connection of
its own, so that no request waits for it and no other process need live for a rollback.
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any, Self

import psycopg
from psycopg import Connection

from api_gateway import events
from api_gateway.evidence.record import Places
from api_gateway.logging import report
from api_gateway.moves.automatic import Overseer
from api_gateway.project import Project

_OPTIONS = "-c statement_timeout=2s -c lock_timeout=1s"


class Guard:
    """`noted` is told of places; `async with` the guard for as long as it is.

    url  as banyan_owner.
    """

    def __init__(self, project: Project, url: str) -> None:
        self._overseer = Overseer(project)
        self._url = url
        self._waiting: set[tuple[str, str | None]] = set()
        self._task: asyncio.Task[None] | None = None
        self._connection: Connection[Any] | None = None

    def noted(self, places: Places) -> None:
        """Have these places looked at as soon as nothing else is. Never waits, never raises."""
        self._waiting |= places
        if self._task is None or self._task.done():
            self._task = asyncio.ensure_future(self._look())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)
        await asyncio.to_thread(self._close)

    async def _look(self) -> None:
        while self._waiting:
            places, self._waiting = frozenset(self._waiting), set()
            try:
                await asyncio.to_thread(self._look_at, places)
            except Exception as error:  # noqa: BLE001  # what fails here is looked at again with the next call
                report(events.TaskFailed("automatic rollback", type(error).__name__))
                await asyncio.to_thread(self._close)

    def _look_at(self, places: Places) -> None:
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(
                self._url, autocommit=True, connect_timeout=2, options=_OPTIONS, application_name="banyan guard"
            )
        self._overseer.look(self._connection, places)

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
