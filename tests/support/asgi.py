"""Calls an ASGI application as a server would, without one: request in, whole answer out."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key == name), None)


def scope_of(method: str, target: str, headers: Iterable[tuple[str, str]]) -> dict[str, Any]:
    path, _, query = target.partition("?")
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode("latin-1"),
        "query_string": query.encode("latin-1"),
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "state": {},
    }


async def call(
    app: Any,
    method: str,
    target: str,
    headers: Iterable[tuple[str, str]] = (),
    body: bytes = b"",
    *,
    leaves: bool = False,
) -> Answer | None:
    """`leaves`: the client goes away in the middle of its body. None: nothing was answered."""
    pieces = [{"type": "http.request", "body": body, "more_body": leaves}]
    sent: list[Any] = []
    is_over = asyncio.Event()
    if leaves:
        is_over.set()

    async def receive() -> Any:
        if pieces:
            return pieces.pop(0)
        await is_over.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)
        if message["type"] == "http.response.body" and not message.get("more_body"):
            is_over.set()

    await app(scope_of(method, target, headers), receive, send)
    if not sent:
        return None
    pairs = tuple((name.decode(), value.decode("latin-1")) for name, value in sent[0]["headers"])
    return Answer(sent[0]["status"], pairs, b"".join(message.get("body", b"") for message in sent[1:]))
