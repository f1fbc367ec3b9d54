"""What is collected without waiting and stored in batches: nothing that answers a request depends on the database.

Stored every half second while it is open, and once more when it is closed.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from typing import Any, Generic, Self, TypeVar

import psycopg
from psycopg import AsyncConnection

EVERY = 0.5  # seconds between batches

Batch = TypeVar("Batch")


class Storing(ABC, Generic[Batch]):
    """One connection, opened when there is something to store. `url`: as banyan_owner."""

    every = EVERY

    def __init__(self, url: str, application_name: str) -> None:
        self._url = url
        self._application_name = application_name
        self._connection: AsyncConnection[Any] | None = None
        self._task: asyncio.Task[None] | None = None

    @abstractmethod
    def _take(self) -> Batch | None:
        """What is to be stored next; it is collected no longer. None: nothing."""

    @abstractmethod
    async def _write(self, connection: AsyncConnection[Any], batch: Batch) -> None:
        """In one transaction."""

    @abstractmethod
    def _put_back(self, batch: Batch, error: BaseException) -> None:
        """The database did not take it."""

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self.flush()
        await self._close()

    async def _run(self) -> None:
        while True:
            await self._pause()
            await self.flush()

    async def _pause(self) -> None:
        await asyncio.sleep(self.every)

    async def flush(self) -> bool:
        """Store what was collected. False when the database did not take it; nothing is lost or counted twice then."""
        while (batch := self._take()) is not None:
            try:
                connection = await self._open()
                async with connection.transaction():
                    await self._write(connection, batch)
            except BaseException as error:
                self._put_back(batch, error)
                await self._close()
                if not isinstance(error, (psycopg.Error, OSError)):
                    raise
                return False
        return True

    async def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _open(self) -> AsyncConnection[Any]:
        if self._connection is None or self._connection.closed:
            self._connection = await AsyncConnection.connect(
                self._url,
                autocommit=True,
                connect_timeout=2,
                application_name=self._application_name,
                options="-c statement_timeout=5s -c lock_timeout=2s",
            )
        return self._connection
