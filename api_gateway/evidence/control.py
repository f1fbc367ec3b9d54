"""Asks legacy itself, over a connection of its own, no cookie kept: again where that is harmless, a read; anything
where legacy runs on a copy of its database.

Not for the path of an answer: there, nothing of ours stands between a consumer and the legacy app.
"""

from __future__ import annotations

import asyncio
import time
from urllib.parse import urlsplit

import httptools

from api_gateway.evidence.observation import Failure, Observation
from api_gateway.evidence.rules import HOP_BY_HOP

TIMEOUT = 5.0
MAX_ANSWER = 16 * 1024 * 1024

Headers = tuple[tuple[bytes, bytes], ...]


async def ask_legacy(
    legacy_url: str, method: str, target: str, headers: Headers, body: bytes = b"", *, deadline: float = TIMEOUT
) -> Observation:
    """Send a request as the consumer sent it. Never raises: no answer within `deadline` seconds is a failure."""
    started = time.monotonic()
    try:
        async with asyncio.timeout(deadline):
            answer = await _exchange(legacy_url, _head(legacy_url, method, target, headers, body) + body, method)
    except TimeoutError:
        return Observation.failed(Failure.timed_out, duration=time.monotonic() - started)
    except (OSError, ValueError, httptools.HttpParserError) as error:
        return Observation.failed(Failure.incomplete, type(error).__name__, time.monotonic() - started)
    if answer.status == 0 or not (answer.complete or answer.ends_with_connection or method == "HEAD"):
        return Observation.failed(Failure.incomplete, duration=time.monotonic() - started)
    return Observation.answer(answer.status, answer.headers, bytes(answer.body), time.monotonic() - started)


class _Answer:
    """What httptools reports, collected."""

    def __init__(self) -> None:
        self.status, self.complete, self.has_head = 0, False, False
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = bytearray()

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        self.has_head = True

    @property
    def ends_with_connection(self) -> bool:
        """Neither a length nor chunks: the body is whatever comes until the server closes (RFC 9112 section 6.3)."""
        framed = any(name.lower() in (b"content-length", b"transfer-encoding") for name, _ in self.headers)
        return self.has_head and not framed

    def on_body(self, piece: bytes) -> None:
        self.body += piece
        if len(self.body) > MAX_ANSWER:
            raise ValueError("answer too large")

    def on_message_complete(self) -> None:
        self.complete = True


async def _exchange(legacy_url: str, request: bytes, method: str) -> _Answer:
    where = urlsplit(legacy_url)
    secure = where.scheme == "https"
    reader, writer = await asyncio.open_connection(
        where.hostname, where.port or (443 if secure else 80), ssl=secure or None
    )
    answer = _Answer()
    parser = httptools.HttpResponseParser(answer)
    try:
        writer.write(request)
        await writer.drain()
        while not answer.complete and (piece := await reader.read(65536)):
            parser.feed_data(piece)
            answer.status = answer.status or parser.get_status_code()
            if method == "HEAD" and answer.headers:
                break
        return answer
    finally:
        writer.close()


def _head(legacy_url: str, method: str, target: str, headers: Headers, body: bytes) -> bytes:
    dropped = {name.encode() for name in HOP_BY_HOP} | {b"content-length", b"expect"}
    kept = [name + b": " + value for name, value in headers if name not in dropped]
    if body or method in ("POST", "PUT", "PATCH"):
        kept.append(b"content-length: %d" % len(body))
    if not any(name == b"host" for name, _ in headers):
        kept.append(b"host: " + urlsplit(legacy_url).netloc.encode())
    lines = [f"{method} {target} HTTP/1.1".encode("latin-1"), *kept, b"connection: close", b"", b""]
    return b"\r\n".join(lines)
