"""A request as it came in, and its body where somebody needs it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

OVERRIDE = b"banyan-override"
MAX_BODY = 16 * 1024 * 1024  # what the edge holds back in order to send it to legacy; beyond it, it never asks us


class ClientLeft(Exception):
    """The client went away before its request was complete; nobody waits for an answer."""


class BodyTooLarge(Exception):
    """The body is larger than MAX_BODY; what was read of it is gone, so only the edge can still send it to legacy."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """`target` as the client sent it, read as Latin-1; `names` and `why` as the edge found them out.

    `override`: a tester's signed wish for modern, as it came; it is no header of the request's any more.
    """

    request_id: str
    method: str
    target: str
    headers: tuple[tuple[bytes, bytes], ...]
    names: str
    why: str
    started: float
    override: str = ""

    @classmethod
    def of(cls, scope: Scope) -> Arrival:
        head = {name: value.decode("latin-1") for name, value in scope["headers"]}
        query = scope["query_string"].decode("latin-1")
        return cls(
            request_id=head.get(b"x-request-id") or uuid.uuid4().hex,
            method=scope["method"],
            target=scope["raw_path"].decode("latin-1") + (f"?{query}" if query else ""),
            headers=tuple((n, v) for n, v in scope["headers"] if not n.startswith((b"x-banyan-", OVERRIDE))),
            names=head.get(b"x-banyan-route", ""),
            why=head.get(b"x-banyan-why", ""),
            started=time.monotonic(),
            override=head.get(OVERRIDE, ""),
        )

    @property
    def elapsed_ms(self) -> float:
        return (time.monotonic() - self.started) * 1000


async def read_body(receive: Receive, limit: int = MAX_BODY) -> bytes:
    """The whole body. Raises ClientLeft, BodyTooLarge."""
    pieces = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientLeft
        pieces += message.get("body", b"")
        if len(pieces) > limit:
            raise BodyTooLarge
        if not message.get("more_body", False):
            return bytes(pieces)
