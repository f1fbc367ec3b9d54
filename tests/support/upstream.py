"""A scripted upstream that keeps every byte it received: what the edge changes is seen here and nowhere else."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

Script = Callable[["Received", asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass(slots=True)
class Received:
    """One request as it came over the wire. `head` ends with the blank line; names and values are not touched."""

    head: bytes
    body: bytes = b""

    @property
    def method(self) -> str:
        return self.head.split(b" ", 1)[0].decode()

    @property
    def target(self) -> bytes:
        return self.head.split(b"\r\n", 1)[0].split(b" ", 1)[1].rsplit(b" ", 1)[0]

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        lines = self.head.split(b"\r\n")[1:]
        return [(name, value) for name, _, value in (line.partition(b": ") for line in lines) if name]

    def value(self, name: str) -> bytes | None:
        return next((value for key, value in self.headers if key.lower() == name.lower().encode()), None)


@dataclass(slots=True)
class Upstream:
    """`answer` is the raw bytes of the answer; `script`, where given, does everything after the head itself."""

    answer: bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    script: Script | None = None
    received: list[Received] = field(default_factory=list)
    port: int = 0
    connections: int = 0
    _server: asyncio.Server | None = None
    _open: dict[asyncio.Task[None], asyncio.StreamWriter] = field(default_factory=dict)

    @property
    def last(self) -> Received:
        return self.received[-1]

    async def start(self, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port, limit=1 << 20, ssl=tls)
        self.port = self._server.sockets[0].getsockname()[1]

    @property
    def is_listening(self) -> bool:
        return self._server is not None

    async def stop(self) -> None:
        """Like a killed process: the port is closed and so is every connection."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
            for writer in self._open.values():
                writer.transport.abort()
            if self._open:
                await asyncio.wait(list(self._open), timeout=5)
            await server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.connections += 1
        self._open[task] = writer
        try:
            while head := await read_head(reader):
                request = Received(head)
                self.received.append(request)
                if self.script is not None:
                    await self.script(request, reader, writer)
                else:
                    request.body = await read_body(head, reader)
                    writer.write(self.answer)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the other side left, or we were stopped
        finally:
            del self._open[task]
            writer.close()


async def read_head(reader: asyncio.StreamReader) -> bytes:
    """Up to the blank line; empty when the other side left."""
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""


async def read_body(head: bytes, reader: asyncio.StreamReader) -> bytes:
    """By Content-Length or chunked; empty when neither is there."""
    length = re.search(rb"(?im)^content-length: *(\d+)\r$", head)
    if length is not None:
        return await reader.readexactly(int(length[1]))
    if re.search(rb"(?im)^transfer-encoding: *chunked\r$", head) is None:
        return b""
    body = b""
    while size := int((await reader.readline()).split(b";")[0], 16):
        body += await reader.readexactly(size)
        await reader.readline()
    while (await reader.readline()).strip():
        pass
    return body


@asynccontextmanager
async def upstream(answer: bytes | None = None, script: Script | None = None) -> AsyncIterator[Upstream]:
    server = Upstream(script=script)
    if answer is not None:
        server.answer = answer
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, raw."""

    head: bytes
    body: bytes

    @property
    def status(self) -> int:
        return int(self.head.split(b" ", 2)[1])

    @property
    def reason(self) -> bytes:
        return self.head.split(b"\r\n", 1)[0].split(b" ", 2)[2]

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        return Received(self.head).headers

    def value(self, name: str) -> bytes | None:
        return Received(self.head).value(name)


async def send(port: int, raw: bytes) -> Answer:
    """Send these bytes on a fresh connection and read one answer (interim ones are skipped)."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
    try:
        writer.write(raw)
        await writer.drain()
        head = await read_head(reader)
        while re.match(rb"HTTP/1.1 1(?!01)", head):
            head = await read_head(reader)
        if not head:
            return Answer(b"HTTP/1.1 000 closed\r\n\r\n", b"")
        bare = raw.startswith(b"HEAD ") or head.split(b" ", 2)[1] in (b"204", b"304")
        framed = re.search(rb"(?im)^(content-length|transfer-encoding): ", head)
        body = b"" if bare else await (read_body(head, reader) if framed else reader.read())
        return Answer(head, body)
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def get(port: int, target: str, **headers: str) -> Answer:
    return await send(port, request("GET", target, headers))


async def post(port: int, target: str, body: bytes = b"", **headers: str) -> Answer:
    return await send(port, request("POST", target, headers, body))


def request(method: str, target: str, headers: dict[str, str] | None = None, body: bytes | None = None) -> bytes:
    """A plain request. `_` in a header's name stands for `-`, so that it can be a keyword."""
    lines = [f"{method} {target} HTTP/1.1", "Host: legacy.test"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in (headers or {}).items()]
    if body is not None and (method != "GET" or body):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body or b"")
