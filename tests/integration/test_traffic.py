"""The simulated partners call as the legacy app expects it, and notice when they are failed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api_gateway.postgres import free_port
from api_gateway.project import load_project
from tests.support.legacy import running_legacy

traffic: Any = load_project(Path(__file__).parent.parent.parent / "northgate_api").module("traffic")


@pytest.fixture
def legacy(northgate_url: str) -> Iterator[str]:
    with running_legacy(northgate_url) as url:
        yield url


async def test_partners_are_known_to_legacy_and_none_of_their_requests_fails(legacy: str) -> None:
    tally = traffic.Tally()
    for partner in traffic.partners:
        caller = traffic.Caller(partner, legacy, tally)
        for _ in range(60):
            await caller.call(caller.next_request())
    assert list(tally.failures) == []
    assert tally.requests == {partner.code: 60 for partner in traffic.partners}
    assert tally.by_status["200"] > 180
    assert tally.abandoned > 0


async def test_a_partner_places_an_order_and_cancels_it(legacy: str) -> None:
    partner = traffic.partners[0]
    caller = traffic.Caller(partner, legacy, traffic.Tally())

    async def post(path: str, **form: str) -> str:
        asked = traffic.Asked("POST", path, form={"token": partner.token, **form})
        return bytes((await caller.call(asked)).body).decode()

    stock = await caller.call(traffic.Asked("GET", f"/partner/stock.csv?token={partner.token}"))
    item = bytes(stock.body).decode("latin-1").splitlines()[1].partition(";")[0]
    placed = await post("/partner/order_in", cust=partner.legacy_code, ref="traffic-1", item1=item, qty1="1")
    assert placed.startswith("OK|")
    assert await post("/partner/order_cancel", no=placed.removeprefix("OK|")) == "OK"


async def test_an_edge_that_is_away_is_a_failure_for_each_partner_and_stands_in_the_file(tmp_path: Path) -> None:
    statistics = tmp_path / "state" / "traffic.json"
    nobody = f"http://127.0.0.1:{free_port()}"
    calling = asyncio.create_task(traffic.run(nobody, statistics))
    try:
        while not statistics.exists() or len(json.loads(statistics.read_text())["by_partner"]) < 4:
            await asyncio.sleep(0.1)
        document = json.loads(statistics.read_text())
    finally:
        calling.cancel()
        await asyncio.gather(calling, return_exceptions=True)
    assert document["failed"] == document["requests"] >= 4
    assert {failure["why"] for failure in document["failures"]} == {"ConnectionRefusedError"}
    assert "token" not in statistics.read_text()
