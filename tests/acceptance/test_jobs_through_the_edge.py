"""A job through everything that is real: Envoy, gateways, worker. What is live arrives live, and is held nowhere."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
import websockets

from tests.support.instance import Instance, copy_of_the_example, up

pytestmark = pytest.mark.xdist_group("up")

ROWS = b"item_number,min_quantity,price\n" + b"NS-10023,%d,1.50\n" * 5 % (1, 2, 3, 4, 5)


@pytest.fixture
def instance(tmp_path: Path, northgate_url: str) -> Iterator[Instance]:
    copy_of_the_example(tmp_path)
    with up(tmp_path, "--project", "northgate_api", "--database-url", northgate_url) as running:
        yield running


async def test_a_job_is_submitted_and_watched_live_through_the_edge(instance: Instance) -> None:
    described = instance.description()
    key, worker = described["keys"]["acme"], described["pids"]["worker"]
    head = {"authorization": f"Bearer {key}", "content-type": "text/csv"}
    async with httpx2.AsyncClient(base_url=described["edge"], headers=head, timeout=60) as client:
        with pytest.raises((httpx2.WriteError, httpx2.ReadError, TooMuch)):  # the edge answers before it is sent
            await refused_early(client)
        os.kill(worker, signal.SIGSTOP)  # so that nothing can be over before it is watched
        try:
            place = (await client.post("/api/v1/price-imports", content=ROWS)).headers["location"]
            url = described["edge"].replace("http://", "ws://") + f"{place}/live"
            async with (
                client.stream("GET", f"{place}/events") as stream,
                websockets.connect(url, subprotocols=["banyan.v1", f"bearer.{key}"]) as socket,
            ):
                lines = stream.aiter_lines()
                first = [await anext(lines) for _ in range(5)]
                message = json.loads(await socket.recv())
                assert ("event: progress" in first, message["event"]) == (True, "progress")
                assert message["job"]["status"] == "waiting"
                os.kill(worker, signal.SIGCONT)
                rest = [line async for line in lines]
                messages = [json.loads(text) async for text in socket]
        finally:
            os.kill(worker, signal.SIGCONT)
        assert "event: end" in rest
        assert (messages[-1]["event"], messages[-1]["job"]["result"]) == ("end", {"loaded": 5, "rejected": 0})
        assert (await client.get(place)).json() == messages[-1]["job"]


class TooMuch(Exception):
    """413 came, and most of the body was never asked for."""


async def refused_early(client: httpx2.AsyncClient) -> None:
    sent = 0

    async def endless() -> object:
        nonlocal sent
        while sent < 2 * 1024**3:
            yield b"NS-10023,1,1.50\n" * 4096
            sent += 65536
            await asyncio.sleep(0)

    announced = {"content-length": str(2 * 1024**3)}
    answer = await client.post("/api/v1/price-imports", content=endless(), headers=announced)
    assert answer.status_code == 413
    assert sent < 64 * 1024**2
    raise TooMuch
