"""A job as it goes on: Server-Sent Events for any program, WebSocket for frontends. Both end with the job.

Each event is the job's whole document as it is now, under the tag of that state: whoever was away missed nothing that
still holds. Nothing is held of the database while nothing happens. A stream ends when its token or key does, and when
the gateway stops: whoever watches comes again, to another one, with the id of the last event.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Scope
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from api_gateway.api.authentication import principal_of
from api_gateway.api.jobs.socket_tokens import PROTOCOL
from api_gateway.api.problems import of_fault, rendered
from api_gateway.api.recognised import is_still_known
from api_gateway.errors import Problem
from api_gateway.jobs.enqueue import owner_of
from api_gateway.jobs.watched import Seen, Watching
from shared_models.faults import DatabaseFault

QUIET_FOR = 3.0
"""Seconds without news, after which it is looked whether the token still holds, and a sign of life is sent."""
UNAUTHENTICATED, RESTARTS = 4401, 1012  # of ours; of the registry: come again (RFC 6455, section 7.4)

Mine = Callable[[str, str], Awaitable[Seen]]


class Live:
    """`mine`: finds a job of its owner; `origins`: of frontends on other hosts."""

    def __init__(self, watching: Watching, mine: Mine, origins: Sequence[str]) -> None:
        self._watching, self._mine, self._origins = watching, mine, origins

    async def events(self, request: Request) -> Response:
        """204 to one who comes back after the end: there is nothing more to wait for (EventSource then stops)."""
        owner = owner_of(principal_of(request.scope))
        seen = await self._mine(request.path_params["ref"], owner)
        known = request.headers.get("last-event-id")
        if seen.is_over and known == seen.tag:
            return Response(status_code=204)
        self._check_room(owner)
        headers = {"cache-control": "no-store"}
        stream = self._events(request.scope, seen, owner, known)
        return StreamingResponse(stream, 200, headers, "text/event-stream")

    async def _events(self, scope: Scope, seen: Seen, owner: str, known: str | None) -> AsyncIterator[bytes]:
        yield b"retry: 1000\n\n"
        if seen.tag != known:
            yield _event("end" if seen.is_over else "progress", seen)
        async for news in self._watching.follow(seen, owner, QUIET_FOR):
            refusal = await is_still_known(scope)
            if refusal is not None:
                yield b"event: problem\ndata: " + rendered(refusal, scope).body + b"\n\n"
                return
            yield b": still here\n\n" if news is None else _event("end" if news.is_over else "progress", news)

    async def socket(self, websocket: WebSocket) -> None:
        """Refused before it is opened, with a problem document; closed with 1000 at the job's end, 1012 at our own."""
        offered = websocket.scope["subprotocols"]
        try:
            self._check_origin(websocket)
            owner = owner_of(principal_of(websocket.scope))
            seen = await self._mine(websocket.path_params["ref"], owner)
            self._check_room(owner)
        except Problem as problem:
            await websocket.send_denial_response(rendered(problem, websocket.scope))
            return
        except DatabaseFault as fault:
            await websocket.send_denial_response(rendered(of_fault(fault), websocket.scope))
            return
        await websocket.accept(subprotocol=PROTOCOL if PROTOCOL in offered else None)
        telling = asyncio.create_task(self._tell(websocket, seen, owner))
        listening = asyncio.create_task(_until_gone(websocket))
        try:
            await asyncio.wait([telling, listening], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (telling, listening):
                task.cancel()
            await asyncio.gather(telling, listening, return_exceptions=True)

    async def _tell(self, websocket: WebSocket, seen: Seen, owner: str) -> None:
        with suppress(WebSocketDisconnect, RuntimeError):  # it left while we spoke
            await websocket.send_text(_message(seen))
            async for news in self._watching.follow(seen, owner, QUIET_FOR):
                if await is_still_known(websocket.scope) is not None:
                    await websocket.close(UNAUTHENTICATED, "unauthenticated")
                    return
                if news is not None:
                    await websocket.send_text(_message(news))
            if websocket.application_state is WebSocketState.CONNECTED:
                await websocket.close(RESTARTS if self._watching.is_closed else 1000)

    def _check_room(self, owner: str) -> None:
        if self._watching.is_full(owner):
            title = "Too many streams are open."
            raise Problem(429, "too_many_streams", title, headers={"retry-after": "5"})

    def _check_origin(self, websocket: WebSocket) -> None:
        """A browser tells where its page comes from, and sends cookies along wherever it asks: so it counts."""
        origin, is_anybody = websocket.headers.get("origin"), "*" in self._origins and not websocket.cookies
        if origin is None or is_anybody or origin in self._origins:
            return
        if urlsplit(origin).netloc.lower() != websocket.headers.get("host", "").lower():
            raise Problem(403, "origin_not_allowed", "The origin is not on the list.")


def _event(name: str, seen: Seen) -> bytes:
    return b"id: %b\nevent: %b\ndata: %b\n\n" % (seen.tag.encode(), name.encode(), _one_line(seen.document))


def _message(seen: Seen) -> str:
    name = "end" if seen.is_over else "progress"
    return f'{{"event":"{name}","id":"{seen.tag}","job":{_one_line(seen.document).decode()}}}'


def _one_line(document: bytes) -> bytes:
    """JSON as PostgreSQL writes it has line ends in stored parts, and none within strings."""
    return document.replace(b"\r", b" ").replace(b"\n", b" ")


async def _until_gone(websocket: WebSocket) -> None:
    """What a frontend says is not listened to."""
    while (await websocket.receive())["type"] != "websocket.disconnect":
        continue
