"""A handler stays inside its transaction: whatever leaves the process is refused at its place, and fails the test."""

from __future__ import annotations

import asyncio
import os
import smtplib
import socket
import sqlite3
import subprocess
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress

import psycopg
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from api_gateway.api.inside import InsideRoute, aside, handler_now
from api_gateway.testing import CalledOut, Guard, guarding

ADDRESS = ("127.0.0.1", 9)


async def over_asyncio() -> None:
    await asyncio.open_connection(*ADDRESS)


async def in_a_task() -> None:
    await asyncio.create_task(over_asyncio())


async def in_a_thread() -> None:
    await asyncio.to_thread(socket.create_connection, ADDRESS)


async def over_psycopg() -> None:
    await psycopg.AsyncConnection.connect("host=127.0.0.1 port=9")


async def swallowed() -> None:
    with suppress(CalledOut):
        subprocess.run(["true"], check=True)


def datagram() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as sender:
        sender.sendto(b"x", ADDRESS)


def _sync(call: Callable[[], object]) -> Callable[[], None]:
    def handler() -> None:
        call()

    return handler


HANDLERS = {
    "asyncio": over_asyncio,
    "a task": in_a_task,
    "a thread": in_a_thread,
    "psycopg": over_psycopg,
    "psycopg, waiting": _sync(lambda: psycopg.connect("host=127.0.0.1 port=9")),
    "a process, swallowed": swallowed,
    "a shell": _sync(lambda: os.system("true")),
    "HTTP": _sync(lambda: urllib.request.urlopen("http://127.0.0.1:9")),
    "mail": _sync(lambda: smtplib.SMTP("127.0.0.1", 9)),
    "a datagram": datagram,
    "another database": _sync(lambda: sqlite3.connect(":memory:")),
    "a thread of its own": _sync(lambda: threading.Thread(target=print).start()),
}


def ask(handler: Callable[..., object]) -> int:
    app = FastAPI()
    app.router.add_api_route("/", handler, name="my_operation", route_class_override=InsideRoute)
    with TestClient(app, raise_server_exceptions=False) as client:
        return client.get("/").status_code


@pytest.fixture
def guard(handlers_stay_inside: Guard) -> Iterator[Guard]:
    """What it refuses here is what is wanted."""
    yield handlers_stay_inside
    handlers_stay_inside.calls.clear()


@pytest.mark.parametrize("how", HANDLERS)
def test_a_handler_that_calls_out_is_refused_and_named(guard: Guard, how: str) -> None:
    assert ask(HANDLERS[how]) == (200 if "swallowed" in how else 500)
    assert guard.calls
    assert guard.calls[0].handler == "my_operation"


def test_a_test_fails_even_where_the_handler_swallows_it() -> None:
    with pytest.raises(CalledOut, match="my_operation calls out of its transaction"), guarding():
        ask(swallowed)


def test_what_tests_and_the_engine_do_is_their_business(guard: Guard) -> None:
    seen = []

    async def handler() -> None:
        seen.append(handler_now())
        with aside():
            await asyncio.to_thread(seen.append, handler_now())

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
    assert ask(handler) == 200
    assert seen == ["my_operation", None]
    assert not guard.calls
