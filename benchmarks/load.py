"""The load: as many requests as are answered within some seconds over a few connections, each kept alive.

A program of its own, so that its processor time is nobody's: it reads a JSON object from standard input (`port`,
`connections`, `seconds`, `requests`: each a whole HTTP request, `status`: the one that is right) and prints another.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from typing import Any

import uvloop

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)


class Connection(asyncio.Protocol):
    """Asks, waits for the whole answer, asks again."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.buffer = bytearray()
        self.left: int | None = None  # bytes of this answer to come; -1: chunked
        self.tail = b""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.ask()

    def ask(self) -> None:
        request = self.run.next_request()
        if request is None:
            self.transport.close()
            return
        self.buffer.clear()
        self.left, self.tail = None, b""
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self.run.bytes += len(data)
        if self.left is None:
            self.buffer += data
            end = self.buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            head, data = bytes(self.buffer[: end + 2]), bytes(self.buffer[end + 4 :])
            if int(head[9:12]) != self.run.status:
                self.run.fail(f"{head.decode('latin-1')}\n{data[:500].decode('latin-1')}")
                self.transport.close()
                return
            length = _LENGTH.search(head)
            self.left = -1 if _CHUNKED.search(head) else int(length[1]) if length else 0
        if self.left < 0:
            self.tail = (self.tail + data)[-7:]
            if self.tail != b"\r\n0\r\n\r\n":
                return
        else:
            self.left -= len(data)
            if self.left > 0:
                return
        self.run.answered += 1
        self.ask()

    def connection_lost(self, error: Exception | None) -> None:
        self.run.closed(early=not self.run.over)


class Run:
    def __init__(self, requests: list[bytes], status: int, seconds: float, most: int | None) -> None:
        self.requests, self.status, self.most = requests, status, most
        self.asked = self.answered = self.bytes = 0
        self.error: str | None = None
        self.began = time.perf_counter()
        self.until = self.began + seconds
        self.open = 0
        self.over = False
        self.finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def next_request(self) -> bytes | None:
        if time.perf_counter() >= self.until or self.error or self.asked == self.most:
            self.over = True
            return None
        self.asked += 1
        return self.requests[self.asked % len(self.requests)]

    def fail(self, error: str) -> None:
        self.error = self.error or error
        self.over = True

    def closed(self, *, early: bool) -> None:
        if early:
            self.fail("the server closed the connection")
        self.open -= 1
        if self.open == 0 and not self.finished.done():
            self.finished.set_result(None)


async def main() -> None:
    told = json.load(sys.stdin)
    requests = [request.encode() for request in told["requests"]]
    run = Run(requests, told["status"], told["seconds"], told.get("most"))
    run.open = told["connections"]
    loop = asyncio.get_running_loop()
    for _ in range(told["connections"]):
        await loop.create_connection(lambda: Connection(run), "127.0.0.1", told["port"])
    await run.finished
    seconds = time.perf_counter() - run.began
    print(json.dumps({"answered": run.answered, "seconds": seconds, "bytes": run.bytes, "error": run.error}))


if __name__ == "__main__":
    uvloop.run(main())
