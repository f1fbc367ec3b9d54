"""A live candidate begins to fail: without anybody's doing the partner is back at legacy, and it is said why."""

from __future__ import annotations

import asyncio
import json
import time

import psycopg
import pytest

from api_gateway import ledger
from api_gateway.stages import Stage
from tests.support.rollout import World, eventually
from tests.support.upstream import Upstream

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("rollout"), pytest.mark.timeout(300)]


async def test_a_live_candidate_that_begins_to_fail_is_back_at_legacy_within_a_second(
    running: World, hook: Upstream
) -> None:
    await running.stand("orders", "acme", "shadow", "canary", "live")
    await eventually("modern answers", lambda: running.says("/orders", "acme", b"modern"))
    for _ in range(20):
        assert (await running.get("/orders", "acme")).body == b"modern"
    running.answered.clear()
    running.mood("orders", "fails")
    began = time.monotonic()
    while (await running.get("/orders", "acme")).body != b"legacy":
        assert time.monotonic() - began < 20
    took = time.monotonic() - began
    print(f"back at legacy after {took:.3f} s and {len(running.answered)} calls")
    for _ in range(20):
        assert (await running.get("/orders", "acme")).status == 200
    failed = [status for status, _ in running.answered if status != 200]
    with psycopg.connect(running.owner_url) as connection:
        entry, promoted = ledger.history(connection, route="orders", consumer="acme", limit=2)
        crossed = connection.execute("SELECT min(at) FROM banyan.pulse WHERE outcome = 'failed'").fetchone()
    assert crossed is not None
    assert (entry.move.kind, entry.move.actor) == ("automatic", "banyan")
    assert (entry.move.from_stage, entry.move.to_stage) == (Stage.live, Stage.shadow)
    assert promoted.move.to_stage is Stage.live
    assert "calls failed in modern" in entry.move.reason
    evidence = entry.move.evidence or {}
    # what the fallback could not catch: a live route's failures until it was back, and not one more
    assert 5 <= evidence["failed"] <= len(failed) <= 100
    assert evidence["threshold"] == "errors"
    told = await eventually("the notice has come", lambda: hook.received and hook.last)
    assert told.method == "POST"
    said = json.loads(told.head.split(b"\r\n\r\n", 1)[1] or told.body or b"{}") if told.body else {}
    assert said == {} or said["route"] == "orders"


async def test_at_canary_a_failing_candidate_costs_nobody_an_answer(running: World) -> None:
    await running.stand("orders", "bolt", "shadow", "canary")
    running.mood("orders", "fails")
    running.answered.clear()

    def is_back() -> bool:
        return running.history("orders")[0].move.kind == "automatic"

    async def called() -> bool:
        assert (await running.get("/orders", "bolt")).body in (b"modern", b"legacy")
        return is_back() and running.history("orders")[0].move.consumer == "bolt"

    await eventually("bolt is back", called)
    assert {status for status, _ in running.answered} == {200}


async def test_while_it_is_frozen_nothing_moves_by_itself_and_people_move_on(running: World) -> None:
    running.mood("orders")
    await running.stand("orders", "bolt", "canary")
    assert (await asyncio.to_thread(running.banyan, "freeze", "--reason", "the yearly count")).returncode == 0
    running.mood("orders", "fails")
    before = running.history()[0].version

    def held_back() -> bool:
        return any(line["event"] == "rollback held back" for line in running.log("serve"))

    async def called() -> bool:
        await running.get("/orders", "bolt")
        return held_back()

    await eventually("it is said that a rollback is held back", called)
    assert running.history()[0].version == before
    rolled = await asyncio.to_thread(
        running.banyan, "routes", "rollback", "orders", "--consumer", "bolt", "--reason", "by hand"
    )
    assert rolled.returncode == 0, rolled.stderr
    assert running.history()[0].move.kind == "rollback"
    shown = await asyncio.to_thread(running.banyan, "routes", "list")
    assert "frozen since" in shown.stdout
    assert (await asyncio.to_thread(running.banyan, "thaw", "--reason", "counted")).returncode == 0
    assert (await asyncio.to_thread(running.banyan, "thaw", "--reason", "counted")).returncode == 2
