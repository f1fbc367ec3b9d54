"""At canary: who is asked for, what a failure costs, and how a tester has modern without being there at all."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from api_gateway.dispatch.override import HEADER, sign_override
from tests.support.rollout import World, eventually
from tests.support.upstream import request, send

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("rollout"), pytest.mark.timeout(300)]


async def test_routes_of_a_group_are_answered_by_modern_together_and_by_legacy_together(running: World) -> None:
    await running.stand("prices", "acme", "shadow", "canary")
    assert [(await running.get(path, "acme")).body for path in ("/prices", "/stock")] == [b"modern"] * 2
    assert [(await running.get(path, "bolt")).body for path in ("/prices", "/stock")] == [b"legacy"] * 2
    await running.back("stock")
    assert [(await running.get(path, "acme")).body for path in ("/prices", "/stock")] == [b"legacy"] * 2


async def test_a_share_of_the_unnamed_is_sticky_and_grows(running: World) -> None:
    async def inside() -> set[int]:
        found = set()
        for number in range(40):
            answer = await running.get("/items", User_Agent=f"app {number}")
            assert answer.body == (await running.get("/items", User_Agent=f"app {number}")).body
            found |= {number} if answer.body == b"modern" else set()
        return found

    await running.stand("items", None, "shadow", "canary", share=25)
    first = await inside()
    await running.stand("items", None, "canary", share=60)
    second = await inside()
    assert 0 < len(first) < len(second) < 40
    assert first < second
    assert (await running.get("/items", "bolt")).body == b"legacy"
    await running.stand("items", None, "canary")
    assert len(await inside()) == 40
    assert (await running.get("/items", "bolt")).body == b"modern"
    await running.back("items")


async def test_a_write_falls_back_only_when_it_is_certain_that_nothing_was_written(running: World) -> None:
    await running.stand("intake", "acme", "shadow", "canary")
    assert (await running.post("/intake", "acme")).body == b"modern"
    running.legacy.received.clear()
    running.mood("intake", "fails")
    assert (await running.post("/intake", "acme")).body == b"legacy"
    assert posted(running) == [b"qty=1"]
    running.mood("intake", "late 30")
    answer = await running.post("/intake", "acme")
    assert (answer.status, posted(running)) == (504, [b"qty=1"])
    running.mood("intake")
    await running.back("intake")


def posted(running: World) -> list[bytes]:
    """What legacy was given to write; the observer asks it for reads, too."""
    return [got.body for got in running.legacy.received if got.method == "POST"]


class TestTester:
    """`stock` stands at legacy for everybody."""

    async def ask(self, running: World, value: str, path: str = "/stock") -> bytes:
        running.legacy.received.clear()
        answer = await send(running.edge_port, request("GET", path, {HEADER: value}))
        assert answer.status == 200
        assert all(got.value(HEADER) is None for got in running.legacy.received)
        return answer.body

    async def test_a_signed_header_has_modern_of_one_route_and_the_command_prints_it(self, running: World) -> None:
        printed = await asyncio.to_thread(running.banyan, "routes", "override", "stock", "--for", "5m", "--by", "ann")
        assert printed.returncode == 0, printed.stderr
        name, _, value = printed.stdout.strip().partition(": ")
        assert name == HEADER
        assert await self.ask(running, value) == b"modern"
        assert await self.ask(running, value, "/prices") == b"legacy"

    async def test_what_modern_cannot_answer_is_answered_by_legacy_and_moves_nobody(self, running: World) -> None:
        secret = running.environment["BANYAN_SESSION_SECRET"]
        value = sign_override(secret, "stock", "ann", datetime.now(UTC) + timedelta(minutes=5))
        running.mood("stock", "fails")
        moved = running.history()[0].version
        assert {await self.ask(running, value) for _ in range(8)} == {b"legacy"}
        running.mood("stock")
        await eventually("modern again", lambda: self.is_modern(running, value))
        assert running.history()[0].version == moved

    async def is_modern(self, running: World, value: str) -> bool:
        return await self.ask(running, value) == b"modern"

    async def test_what_is_forged_expired_or_of_another_route_is_legacys(self, running: World) -> None:
        secret, soon = running.environment["BANYAN_SESSION_SECRET"], datetime.now(UTC) + timedelta(minutes=5)
        good = sign_override(secret, "stock", "ann", soon)
        bad = [
            sign_override("another secret", "stock", "ann", soon),
            sign_override(secret, "prices", "ann", soon),
            sign_override(secret, "stock", "ann", datetime.now(UTC) - timedelta(seconds=1)),
            good[:-2],
            good.swapcase(),
            "x" * 5000,
        ]
        for value in bad:
            assert await self.ask(running, value) == b"legacy"
