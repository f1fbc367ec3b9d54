"""Where the project's own code runs: inside a handler. What it does there must stay in its transaction.

A route that is an InsideRoute marks the time of its handler. `api_gateway.testing` watches what happens in that time;
in production nobody does, and the mark costs nothing worth measuring. What we do for a handler outside its transaction,
such as hashing in a thread, is done `aside`.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

_handler: ContextVar[str | None] = ContextVar("banyan_handler", default=None)


def handler_now() -> str | None:
    """The name of the handler that this code runs for, in tasks that it began too; None: for none."""
    return _handler.get()


@contextmanager
def aside() -> Iterator[None]:
    """What the engine does for a handler, and answers for: it has no effect that a rollback would have to undo."""
    token = _handler.set(None)
    try:
        yield
    finally:
        _handler.reset(token)


class InsideRoute(APIRoute):
    """FastAPI's own route; its handler is known to run inside."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        if self.dependant.call is not None:
            self.dependant.call = _marked(self.dependant.call, self.name)
        return super().get_route_handler()


def _marked(call: Callable[..., Any], name: str) -> Callable[..., Any]:
    if inspect.iscoroutinefunction(call):

        @functools.wraps(call)
        async def awaited(*args: Any, **kwargs: Any) -> Any:
            token = _handler.set(name)
            try:
                return await call(*args, **kwargs)
            finally:
                _handler.reset(token)

        return awaited

    @functools.wraps(call)
    def called(*args: Any, **kwargs: Any) -> Any:
        token = _handler.set(name)
        try:
            return call(*args, **kwargs)
        finally:
            _handler.reset(token)

    return called
