"""A partner stands at live, the legacy team alters the table: the partner is answered by legacy until it fits again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
import pytest_asyncio
import uvicorn
from pydantic import SecretStr

from api_gateway import ledger
from api_gateway.app import Gateway
from api_gateway.console import queries
from api_gateway.console.overview import overview
from api_gateway.console.values import Answers
from api_gateway.ledger import Move, outage_history
from api_gateway.outages import watch
from api_gateway.postgres import Server, free_port
from api_gateway.project import load_project
from api_gateway.routes import Route
from api_gateway.stages import Stage
from shared_models.migrations import upgrade
from shared_models.statements import run
from tests.support.commands import Banyan
from tests.support.edge import SECRET, Edge, edge
from tests.support.outages import eventually, outages
from tests.support.shop import TOKEN, Shop, open_shop
from tests.support.upstream import get

pytestmark = pytest.mark.asyncio(loop_scope="module")

MODERN = b" ".join(b"Customer %d" % n for n in range(1, 10))


@dataclass(frozen=True, slots=True)
class Front:
    """The shop behind a real edge. Whoever has no token is nobody, and stands at legacy."""

    shop: Shop
    edge: Edge

    async def asks(self, query: str = f"?token={TOKEN}") -> bytes:
        answer = await get(self.edge.port, f"/old/names{query}")
        assert answer.status == 200, answer
        return bytes(answer.body)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def front(
    server: Server, clone: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Front]:
    url, folder = clone("template1"), tmp_path_factory.mktemp("front")
    await asyncio.to_thread(upgrade, url)
    shop = await asyncio.to_thread(open_shop, server, url, folder)
    with psycopg.connect(shop.owner_url, autocommit=True) as owner:
        back = Move("names", None, Stage.live, Stage.legacy, "test", "of the test", kind="rollback")
        ledger.append(owner, back)
        forth = Move("names", "acme", Stage.legacy, Stage.live, "test", "of the test", overridden="test")
        ledger.append(owner, forth, expected_version=10_000)
    port = free_port()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(watch, "LOOK_EVERY", 0.1)
        async with gateway(shop, folder, port), edge(folder, gateways=(port,)) as started:
            yield Front(shop, started)


@asynccontextmanager
async def gateway(shop: Shop, folder: Path, port: int) -> AsyncIterator[None]:
    settings = shop.settings(folder).model_copy(update={"pass_secret": SecretStr(SECRET)})
    config = uvicorn.Config(Gateway(settings, "in a test"), port=port, lifespan="on", log_config=None, access_log=False)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:
        assert not task.done()
        await asyncio.sleep(0.01)
    try:
        yield
    finally:
        server.should_exit = True
        await task


def routes(shop: Shop) -> list[Route]:
    return list(load_project(shop.folder).routes.values())


@pytest.mark.parametrize("stage", ["live", "canary"])
async def test_a_partner_beyond_shadow_is_answered_by_legacy_while_the_table_does_not_fit(
    front: Front, stage: str, tmp_path: Path
) -> None:
    shop, legacy = front.shop, front.edge.legacy
    with psycopg.connect(shop.owner_url, autocommit=True) as owner:
        now = ledger.read_table(owner).stage("names", "acme") if stage == "canary" else Stage.live
        if now is not Stage(stage):
            ledger.append(owner, Move("names", "acme", now, Stage(stage), "test", "of the test", kind="rollback"))
    await front.edge.move(routes(shop), {"names": "legacy", "names@acme": stage})
    assert (await front.asks(), await front.asks("")) == (MODERN, b"ok")
    assert len(legacy.received) == 1
    seen: set[bytes] = set()
    stopped = asyncio.Event()

    async def hammer() -> None:
        while not stopped.is_set():
            seen.add(await front.asks())

    hammering = [asyncio.create_task(hammer()) for _ in range(3)]
    await asyncio.to_thread(shop.execute, "ALTER TABLE customer RENAME COLUMN nm TO name")

    async def written() -> bool:
        return ("route", "names") in await asyncio.to_thread(outages, shop)

    await eventually(written)
    assert {await front.asks() for _ in range(5)} == {b"ok"}
    assert legacy.last.target == f"/old/names?token={TOKEN}".encode()
    assert (await asyncio.to_thread(outages, shop))["route", "names"] == "public.customer.nm: there is no such column"
    _said_by_command_and_console(shop, tmp_path)
    await asyncio.to_thread(shop.execute, "ALTER TABLE customer RENAME COLUMN name TO nm")

    async def back() -> bool:
        return await front.asks() == MODERN

    await eventually(back)
    stopped.set()
    await asyncio.gather(*hammering)
    assert seen == {MODERN, b"ok"}

    async def nothing_out() -> bool:
        return await asyncio.to_thread(outages, shop) == {}

    await eventually(nothing_out)
    with psycopg.connect(shop.owner_url) as connection:
        entries = outage_history(connection, subject="route", name="names", limit=2)
    assert [(entry.change, entry.actor) for entry in entries] == [("back", "banyan"), ("out", "banyan")]


def _said_by_command_and_console(shop: Shop, folder: Path) -> None:
    banyan = Banyan(folder, {"BANYAN_PROJECT": str(shop.folder), "BANYAN_OWNER_DATABASE_URL": shop.owner_url})
    assert "legacy answers: public.customer.nm: there is no such column" in banyan("routes", "show", "names").out
    with psycopg.connect(shop.owner_url) as connection:
        row: Any = run(connection, queries.outages())
        now = connection.execute("SELECT now()").fetchone()
    assert now is not None
    page = overview(load_project(shop.folder).routes, Answers(now=now[0], outages=row))
    assert "names" in {one.name for one in page.rows if one.out}
    assert any("public.customer.nm: there is no such column" in outage.why for outage in page.outages)
