"""One event per answered request, with an id that the caller sees too.

The id is the caller's `X-Request-Id` where it is a plain word, else that of its `traceparent` (W3C Trace Context), else
a new one.
"""

from __future__ import annotations

import random
import re
import secrets
import time
from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api_gateway.events import RequestAnswered
from api_gateway.logging import report

_ids = random.Random(secrets.token_bytes(32))  # noqa: S311 - names that nobody else has, and no secrets
_WORD = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_TRACE = re.compile(rb"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")


class RequestLog:
    """ASGI middleware around the whole typed API."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        request_id = request_id_of(dict(scope["headers"]))
        scope["state"] = {**scope.get("state", {}), "request_id": request_id.decode()}
        status = 500

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", request_id)]
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        finally:
            report_answer(scope, status, began)


def report_answer(scope: Scope, status: int, began: float) -> None:
    """`began`: by perf_counter."""
    state = scope["state"]
    principal = state.get("principal")
    report(
        RequestAnswered(
            state["request_id"],
            scope["method"],
            scope["path"],
            status,
            round((time.perf_counter() - began) * 1000, 2),
            consumer=principal.code if principal is not None else None,
            code=state.get("problem"),
        )
    )


def request_id_of(given: Mapping[bytes, bytes]) -> bytes:
    """`given`: the request's headers; of one that is there twice the last."""
    word = given.get(b"x-request-id")
    if word is not None and _WORD.fullmatch(word):
        return word
    parent = given.get(b"traceparent")
    trace = _TRACE.fullmatch(parent) if parent is not None else None
    return trace.group(1) if trace else b"%032x" % _ids.getrandbits(128)
