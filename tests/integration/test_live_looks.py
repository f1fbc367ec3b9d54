"""While modern answers, a share of reads is compared with legacy; a mismatch that is believed takes the route back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from fastapi import Response

from api_gateway import ledger
from api_gateway.consumers import Consumer, Credential, Register, secret_hash
from api_gateway.dispatch import Dispatcher, LiveLooks
from api_gateway.evidence.record import Recorder
from api_gateway.ledger import Move
from api_gateway.moves.automatic import Overseer
from api_gateway.project import Configuration, Project
from api_gateway.routes import QueryToken, Route
from api_gateway.stages import Stage, StageTable
from tests.support.asgi import call
from tests.support.upstream import Upstream

said = {"modern": "ok"}


async def answering() -> Response:
    return Response(said["modern"], media_type="text/plain")


ROUTES = [
    Route("read", "GET", "/read", QueryToken("token"), mimic=answering),
    Route("write", "POST", "/write", QueryToken("token"), mimic=answering),
]


@dataclass
class Holder:
    table: StageTable
    register: Register


class Live:
    """Both routes at live, every answer compared."""

    def __init__(self, owner: psycopg.Connection[Any], recorder: Recorder, legacy: Upstream) -> None:
        configuration = Configuration(name="t")
        self.project = Project(Path(__file__).parent, configuration, "t", {route.name: route for route in ROUTES})
        for route in ROUTES:
            move = Move(route.name, None, Stage.legacy, Stage.live, "test", "of the test", overridden="test")
            ledger.append(owner, move, expected_version=10_000)
        self.owner, self.recorder, self.legacy = owner, recorder, legacy
        self.looks = LiveLooks(f"http://127.0.0.1:{legacy.port}", 1.0, recorder, lambda route: "f")
        acme = Register.of(1, [Consumer("acme", "Acme")], [Credential("acme", "query", secret_hash("t0ken"))])
        holder = Holder(ledger.read_table(owner), acme)
        self.app = Dispatcher(self.project, holder, recorder, databases={}, pass_secret="s", looks=self.looks)

    async def ask(self, method: str, name: str) -> None:
        answer = await call(self.app, method, f"/{name}?token=t0ken", [("x-banyan-route", name)], b"")
        assert answer is not None
        assert answer.status == 200

    async def compared(self) -> list[tuple[Any, ...]]:
        """Once something was."""
        for _ in range(400):
            await self.recorder.flush()
            query = "SELECT route, verdict, request ->> 'target' FROM banyan.comparison ORDER BY id"
            if rows := self.owner.execute(query).fetchall():
                return rows
            await asyncio.sleep(0.05)
        raise AssertionError("nothing was compared")


@pytest.fixture
async def live(owner: psycopg.Connection[Any], owner_url: str) -> AsyncIterator[Live]:
    said["modern"] = "ok"
    legacy = Upstream(
        answer=b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 2\r\n\r\nok"
    )
    await legacy.start()
    async with Recorder(owner_url, application_name="test") as recorder:
        made = Live(owner, recorder, legacy)
        yield made
        made.looks.close()
    await legacy.stop()


async def test_an_answer_that_is_as_legacys_is_a_match_and_no_token_is_kept(live: Live) -> None:
    await live.ask("GET", "read")
    (row,) = await live.compared()
    assert row[:2] == ("read", "match")
    assert "t0ken" not in row[2]
    assert live.legacy.last.target == b"/read?token=t0ken"


async def test_a_write_is_never_put_to_legacy_as_well(live: Live) -> None:
    await live.ask("POST", "write")
    await live.ask("GET", "read")
    await live.compared()
    assert {got.method for got in live.legacy.received} == {"GET"}


async def test_a_mismatch_is_believed_after_both_were_asked_anew_and_takes_the_route_back(live: Live) -> None:
    said["modern"] = "other"
    await live.ask("GET", "read")
    (row,) = await live.compared()
    assert row[:2] == ("read", "mismatch")
    assert len(live.legacy.received) >= 2
    (entry,) = Overseer(live.project).look(live.owner, {("read", None)})
    assert entry.move.reason.startswith("1 of 1 answers were not as legacy's")
    assert entry.move.to_stage is Stage.legacy


async def test_what_has_changed_between_the_two_looks_is_no_mismatch(live: Live) -> None:
    said["modern"] = "before"
    await live.ask("GET", "read")
    said["modern"] = "ok"  # asked anew, modern says what legacy says
    (row,) = await live.compared()
    assert row[1] == "match"
