"""For a project's tests, with pytest: no handler calls out of the process.

    pytest_plugins = ["api_gateway.testing"]        in the project's conftest.py

From there on a test fails in which an operation or a mimic opens a connection, starts a process or a thread, even where
the handler swallows the exception. What is seen is what Python's own audit events tell (PEP 578), psycopg's new
connections and new threads; a library that opens sockets in C, as gRPC and uvloop do, is not seen.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

import pytest
from psycopg import generators

from api_gateway.api.inside import handler_now

FORBIDDEN = frozenset(
    {
        "socket.bind",
        "socket.connect",
        "socket.getaddrinfo",
        "socket.gethostbyaddr",
        "socket.gethostbyname",
        "socket.sendmsg",
        "socket.sendto",
        "psycopg.connect",
        "sqlite3.connect",
        "os.exec",
        "os.fork",
        "os.forkpty",
        "os.posix_spawn",
        "os.spawn",
        "os.system",
        "subprocess.Popen",
        "threading.start",
    }
)


class CalledOut(AssertionError):
    """Raised at the place in the handler from which it left its transaction."""

    def __init__(self, handler: str, event: str) -> None:
        super().__init__(f"{handler} calls out of its transaction ({event}): enqueue a job instead")
        self.handler, self.event = handler, event


class Guard:
    """`calls`: what was refused so far."""

    def __init__(self) -> None:
        self.calls: list[CalledOut] = []

    def check(self, event: str) -> None:
        handler = handler_now()
        if handler is not None:
            call = CalledOut(handler, event)
            self.calls.append(call)
            raise call


_guards: list[Guard] = []
_is_hooked = False


@contextmanager
def guarding() -> Iterator[Guard]:
    """Refuse what handlers do outside of their transactions. Raises the first CalledOut again at the end."""
    _hook()
    guard = Guard()
    _guards.append(guard)
    try:
        yield guard
    finally:
        _guards.remove(guard)
    if guard.calls:
        raise guard.calls[0]


@pytest.fixture(autouse=True)
def handlers_stay_inside() -> Iterator[Guard]:
    """A test that wants to see a handler refused empties `calls` afterwards."""
    with guarding() as guard:
        yield guard


def _hook() -> None:
    """Once in a process: an audit hook cannot be taken away."""
    global _is_hooked
    if not _is_hooked:
        _is_hooked = True
        sys.addaudithook(_heard)
        generators.connect = _audited("psycopg.connect", generators.connect)
        Thread.start = _audited("threading.start", Thread.start)  # type: ignore[method-assign]  # of the tests' process


def _heard(event: str, _: tuple[Any, ...]) -> None:
    if event in FORBIDDEN and _guards:
        _guards[-1].check(event)


def _audited(event: str, call: Callable[..., Any]) -> Callable[..., Any]:
    """What Python does not audit: libpq opens its sockets in C, and Python 3.11 starts threads without a word."""

    def audited(*args: Any, **kwargs: Any) -> Any:
        sys.audit(event)
        return call(*args, **kwargs)

    return audited
