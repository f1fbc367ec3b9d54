"""A wire between a program and PostgreSQL that is cut at COMMIT, in one of the ways a network has of doing that."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Thread
from typing import Literal
from urllib.parse import urlsplit

Cut = Literal["no", "lost", "vanished", "unanswered", "alone"]
"""lost: COMMIT never arrives, both ends see the cut. vanished: it never arrives, and the server sees no cut.
unanswered: the server commits, and its answer never arrives. alone: as that, and nobody can connect any more."""


class Wire:
    """Forwards until the next COMMIT comes by; then cuts as `cut` says, once."""

    def __init__(self, host: str, port: int) -> None:
        self._upstream = (host, port)
        self.cut: Cut = "no"
        self.cuts = 0
        self.port = 0
        self._is_closed = False
        self._kept: list[asyncio.StreamWriter] = []

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_closed:
            writer.transport.abort()
            return
        behind, to_server = await asyncio.open_connection(*self._upstream)
        self._kept += [writer, to_server]
        back = asyncio.create_task(_pump(behind, writer))
        is_parsed = False
        with suppress(ConnectionError, asyncio.CancelledError):
            while data := await reader.read(65536):
                if self.cut != "no" and (is_parsed or _commits(data)):
                    await self._cut(data, to_server, writer, back, behind)
                    return
                is_parsed = b"COMMIT\0" in data
                to_server.write(data)
                await to_server.drain()
        back.cancel()
        to_server.close()

    async def _cut(
        self,
        data: bytes,
        to_server: asyncio.StreamWriter,
        writer: asyncio.StreamWriter,
        back: asyncio.Task[None],
        behind: asyncio.StreamReader,
    ) -> None:
        cut, self.cut = self.cut, "no"
        self.cuts += 1
        back.cancel()
        with suppress(asyncio.CancelledError):
            await back
        if cut in ("unanswered", "alone"):
            to_server.write(data)
            await to_server.drain()
            await behind.read(65536)  # the server has answered: it is committed
        self._is_closed = cut == "alone"
        if cut != "vanished":
            to_server.close()
        writer.transport.abort()

    async def run(self, started: asyncio.Event, stopping: asyncio.Event) -> None:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        started.set()
        await stopping.wait()
        server.close()
        for writer in self._kept:
            writer.transport.abort()
        await asyncio.sleep(0.01)


def _commits(data: bytes) -> bool:
    """Does it say COMMIT, and not only prepare to? As a simple query, or with an Execute message behind it."""
    return b"COMMIT\0" in data and (data.startswith(b"Q") or b"E\0\0\0\x09" in data)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()


@contextmanager
def wire_to(url: str) -> Iterator[tuple[Wire, str]]:
    """The wire, and the same URL through it."""
    parts = urlsplit(url)
    wire = Wire(parts.hostname or "127.0.0.1", parts.port or 5432)
    loop = asyncio.new_event_loop()
    started, stopping = asyncio.Event(), asyncio.Event()
    thread = Thread(target=loop.run_until_complete, args=(wire.run(started, stopping),))
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(started.wait(), loop).result(10)
        login = f"{parts.username}@" if parts.username else ""
        yield wire, f"{parts.scheme}://{login}127.0.0.1:{wire.port}{parts.path}"
    finally:
        loop.call_soon_threadsafe(stopping.set)
        thread.join(10)
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
