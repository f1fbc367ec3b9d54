"""A mimic as an ASGI application of its own, called with a buffered answer: by the gateway, and by the observer.

The caller's deadline, size limit and exceptions are turned into an Observation; nothing is sent while the mimic runs.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import unquote_to_bytes

from fastapi import Depends, FastAPI, Request

from api_gateway.api.inside import InsideRoute
from api_gateway.consumers import Principal
from api_gateway.evidence.observation import Failure, Observation
from api_gateway.evidence.rules import HOP_BY_HOP
from api_gateway.routes import Route
from shared_models.faults import (
    ConstraintViolated,
    DatabaseAway,
    DatabaseBusy,
    LockTimeout,
    NotGranted,
    SchemaChanged,
    StatementTimeout,
)
from shared_models.grants import leaves_out

MAX_ANSWER = 16 * 1024 * 1024
TO_CANCEL = 0.05  # seconds that a mimic has to end when it is told to

_FAULTS: dict[type[BaseException], Failure] = {  # the database's doing, not the mimic's
    DatabaseAway: Failure.unavailable,
    DatabaseBusy: Failure.unavailable,
    LockTimeout: Failure.unavailable,
    StatementTimeout: Failure.timed_out,
    SchemaChanged: Failure.drifted,
    NotGranted: Failure.drifted,
}

Headers = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class MimicRequest:
    """What a mimic is asked: `path` and `query` as legacy understands them, percent-encoded; headers as in ASGI."""

    method: str
    path: str
    query: bytes = b""
    headers: Headers = ()
    body: bytes = b""
    state: Mapping[str, Any] = field(default_factory=dict)

    def scope(self) -> dict[str, Any]:
        """The ASGI HTTP scope (version 3). Framing is rebuilt from the body, never copied."""
        framing = {name.encode() for name in HOP_BY_HOP} | {b"content-length"}
        headers = [pair for pair in self.headers if pair[0] not in framing and not pair[0].startswith(b"x-banyan-")]
        if self.body:
            headers.append((b"content-length", str(len(self.body)).encode()))
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": self.method,
            "scheme": "http",
            "path": unquote_to_bytes(self.path).decode("utf-8", "replace"),
            "raw_path": self.path.encode("latin-1", "replace"),
            # Servers decode raw non-ASCII bytes as UTF-8; Starlette would read them as Latin-1.
            "query_string": re.sub(rb"[^\x21-\x7e]", lambda byte: b"%%%02X" % byte[0][0], self.query),
            "root_path": "",
            "headers": headers,
            "client": None,
            "server": None,
            "state": dict(self.state),
        }


def mimic_app(route: Route) -> FastAPI:
    """An application with this one route, without documentation, telemetry and redirects."""
    app = FastAPI(
        openapi_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    if route.mimic is not None:
        methods = list(route.methods)
        app.router.add_api_route(
            route.path, route.mimic, methods=methods, name=route.name, route_class_override=InsideRoute
        )
        app.state.mimic = route.mimic
    return app


async def call_mimic(
    app: Any, request: MimicRequest, *, deadline: float, limit: int = MAX_ANSWER, folder: Path | None = None
) -> Observation:
    """Run it to its end, its failure or its deadline (seconds), whichever comes first. Never raises what it raises.

    A mimic that does not end when cancelled is left behind. Failures name file and line in the project's `folder`.
    """
    buffer = _Buffer(limit)
    started = time.monotonic()
    task = asyncio.ensure_future(_run(app, request, buffer))
    try:
        await asyncio.wait({task}, timeout=deadline)
    except asyncio.CancelledError:
        task.cancel()
        raise
    duration = time.monotonic() - started
    if not task.done():
        task.cancel()
        _, left = await asyncio.wait({task}, timeout=TO_CANCEL)
        task.add_done_callback(_forget)
        return Observation.failed(Failure.hung if left else Failure.timed_out, f"after {deadline:g} s", duration)
    if buffer.overflowed:
        _forget(task)
        return Observation.failed(Failure.too_large, f"more than {limit} bytes", duration)
    error = None if task.cancelled() else task.exception() or task.result()
    if task.cancelled() or isinstance(error, (SystemExit, KeyboardInterrupt)):
        return Observation.failed(Failure.exited, type(error).__name__ if error else "cancelled", duration)
    if error is not None:
        return Observation.failed(_whose(error, app), _told(error, folder), duration)
    if buffer.status is None or not buffer.ended:
        return Observation.failed(Failure.raised, "no whole answer", duration)
    return Observation.answer(buffer.status, buffer.headers, bytes(buffer.body), duration)


def _whose(error: BaseException, app: Any) -> Failure:
    """Is it the database's doing, the schema's, or the mimic's own?"""
    if isinstance(error, ConstraintViolated) and error.kind == "not_null" and error.table and error.column:
        mimic = getattr(getattr(app, "state", None), "mimic", None)
        if mimic is not None and leaves_out(mimic, error.table, error.column):
            return Failure.drifted  # a column that it never gave must be given now
    return next((failure for kind, failure in _FAULTS.items() if isinstance(error, kind)), Failure.raised)


async def _run(app: Any, request: MimicRequest, buffer: _Buffer) -> BaseException | None:
    """Returns what was raised: asyncio would let a SystemExit end the whole event loop."""
    sent = False

    async def receive() -> dict[str, Any]:
        nonlocal sent
        if sent:
            await asyncio.Event().wait()  # the client stays until the answer is complete
        sent = True
        return {"type": "http.request", "body": request.body, "more_body": False}

    try:
        await app(request.scope(), receive, buffer.send)
    except asyncio.CancelledError:
        raise
    except BaseException as error:  # noqa: BLE001  # whatever a candidate does becomes an observation
        return error
    return None


@dataclass(slots=True)
class _Buffer:
    """ASGI's `send`, kept in memory up to a limit."""

    limit: int
    status: int | None = None
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytearray = field(default_factory=bytearray)
    ended: bool = False
    overflowed: bool = False

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message.get("headers", ()))
        elif message["type"] == "http.response.body":
            piece = message.get("body", b"")
            if len(self.body) + len(piece) > self.limit:
                self.overflowed = True
                self.body.clear()
                raise TooLarge
            self.body += piece
            self.ended = not message.get("more_body", False)


def _legacy_caller(request: Request) -> Principal | None:
    principal: Principal | None = request.scope["state"]["principal"]
    return principal


LegacyCaller = Annotated[Principal | None, Depends(_legacy_caller)]
"""A parameter of a mimic: whom the legacy protocol named, None where it named nobody we know."""


class TooLarge(Exception):
    """Raised inside the mimic when it sends more than anybody will read."""


def _told(error: BaseException, folder: Path | None) -> str:
    """`ValueError at mimics/order_list.py:42`: the class and the place, never the text, which may hold rows."""
    place, trace = "", error.__traceback__
    while trace is not None and folder is not None:
        path = Path(trace.tb_frame.f_code.co_filename)
        if path.is_relative_to(folder):
            place = f" at {path.relative_to(folder)}:{trace.tb_lineno}"
        trace = trace.tb_next
    return f"{type(error).__name__}{place}"


def _forget(task: asyncio.Task[Any]) -> None:
    """Look at the outcome, so that asyncio does not report it as lost."""
    if not task.cancelled():
        task.exception()
