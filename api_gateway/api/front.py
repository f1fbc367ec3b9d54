"""What comes in first: the log of every request, and the short way of what is plainly asked of a resource.

A resource asked with an API key that is known, each header once, by nobody else's page, needs nothing of what stands
between here and its route but who acts, the limit and the state; all of it is done here, in one step. Whatever is out
of the ordinary goes the long way, through the API's whole stack, which knows how to refuse. What both answer is the
same, header by header.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api_gateway.api import problems
from api_gateway.api.authentication import Keys
from api_gateway.api.limited import limit_fields
from api_gateway.api.request_log import RequestLog, report_answer, request_id_of
from api_gateway.api.resource_route import ResourceRoute
from api_gateway.limits import Limits

_BODILESS = frozenset({"GET", "HEAD", "OPTIONS"})
_BEARER = b"bearer "


@dataclass(frozen=True, slots=True)
class ShortWays:
    """What the short way takes of an API.

    routes  each version's, with the beginning of its paths and the state of its requests
    most    bytes of a body
    open    other origins may ask, and are told so
    """

    routes: Sequence[tuple[str, ResourceRoute, Mapping[str, Any]]]
    keys: Callable[[], Keys]
    limits: Limits
    most: int
    open: bool


class Front:
    """ASGI application around the whole typed API. `ways`: None where every answer needs the long way."""

    def __init__(self, app: ASGIApp, ways: ShortWays | None) -> None:
        self._long = RequestLog(app)
        self._ways = ways

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        ways = self._ways
        if ways is None or scope["type"] != "http":
            await self._long(scope, receive, send)
            return
        began = perf_counter()
        path: str = scope["path"]
        for way in ways.routes:
            if path.startswith(way[0]) and way[1].answers(scope):
                break
        else:
            await self._long(scope, receive, send)
            return
        _, route, state = way
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        given, before = dict(headers), scope.get("state") or {}
        is_odd = len(given) != len(headers) or "principal" in before
        key = None if is_odd else _plain_key(given, scope["method"], ways)
        consumer = ways.keys().by_key(key) if key is not None else None
        if consumer is None:
            await self._long(scope, receive, send)
            return
        principal = consumer.principal
        verdict = ways.limits.of_consumer(principal.code, principal.per_minute)
        if verdict is not None and verdict.wait:
            await self._long(scope, receive, send)
            return
        request_id = request_id_of(given)
        own = [*(limit_fields(b"consumer", verdict) if verdict is not None else ()), (b"x-request-id", request_id)]
        scope["state"] = {**before, **state, "request_id": request_id.decode(), "principal": principal}
        status = 0

        async def send_with_own(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *own]
            await send(message)

        try:
            await route.handle(scope, receive, send_with_own)
        except Exception:
            if not status:
                problem = problems.internal()
                problems.note(problem, scope)
                await problems.rendered(problem, scope)(scope, receive, send_with_own)
            raise
        finally:
            report_answer(scope, status or 500, began)


def _plain_key(given: Mapping[bytes, bytes], method: str, ways: ShortWays) -> bytes | None:
    """The API key of a request in which nothing else needs to be looked at."""
    if b"content-encoding" in given or b"transfer-encoding" in given or (ways.open and b"origin" in given):
        return None
    length = given.get(b"content-length")
    if length is None:
        if method not in _BODILESS:
            return None
    elif len(length) > 18 or int(length) > ways.most:
        return None
    authorization, key = given.get(b"authorization"), given.get(b"x-api-key")
    if authorization is None:
        return key.strip() if key is not None else None
    if key is not None or authorization[:7].lower() != _BEARER:
        return None
    return authorization[7:].strip()
