"""A job that is watched with an account's token: for as long as its sign-in lasts, over either kind of stream."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx2
import pytest
import uvicorn
import websockets

from api_gateway.api.jobs import live
from api_gateway.postgres import Server, free_port
from tests.support.accounts import Front, changed, fronted

ROWS = b"item_number,min_quantity,price\nNS-10023,1,1.50\n"
SOURCE = {
    "table": "user_acct",
    "id": "acct_id",
    "username": "login",
    "password": "pw_hash",
    "active": {"lock_fl": "N"},
    "values": {"prt_cd": {"table": "customer", "column": "src_cd", "on": {"cust_no": "cust_no"}}},
    "scopes": ["prices:write"],
    "sign_in": True,
}


@pytest.fixture
async def front(server: Server, writing_url: str, tmp_path: Path) -> AsyncIterator[Front]:
    """Accounts of a partner's customers may send prices here."""
    change = changed(accounts={"app": SOURCE})
    async with fronted(server, writing_url, tmp_path, change) as front:
        front.rows("GRANT SELECT ON customer, user_acct TO banyan_owner")
        yield front


@asynccontextmanager
async def listening(front: Front) -> AsyncIterator[str]:
    port = free_port()
    config = uvicorn.Config(front.gateway, port=port, log_level="critical", access_log=False, lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield f"127.0.0.1:{port}"
    finally:
        front.gateway.end_streams()
        server.should_exit = True
        await serving


async def watched(address: str, place: str, token: str, opened: asyncio.Semaphore) -> list[tuple[str, str]]:
    """Every event until the stream ends by itself, and what it said."""
    seen, name = [], ""
    async with (
        httpx2.AsyncClient(timeout=30, headers={"authorization": f"Bearer {token}"}) as client,
        client.stream("GET", f"http://{address}{place}/events") as answer,
    ):
        assert answer.status_code == 200
        async for line in answer.aiter_lines():
            name = line.removeprefix("event: ") if line.startswith("event: ") else name
            if line.startswith("data: "):
                seen.append((name, str(json.loads(line[6:]).get("code"))))
                opened.release()
    return seen


async def listened(address: str, place: str, token: str, opened: asyncio.Semaphore) -> tuple[list[str], int | None]:
    url = f"ws://{address}{place}/live"
    async with websockets.connect(url, subprotocols=["banyan.v1", f"bearer.{token}"]) as socket:  # type: ignore[list-item]  # a NewType of str
        heard = []
        with suppress(websockets.ConnectionClosedError):
            async for message in socket:
                heard.append(json.loads(message)["event"])
                opened.release()
        return heard, socket.close_code


async def test_streams_end_with_the_sign_in_that_opened_them(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "QUIET_FOR", 0.1)
    ((login,),) = front.rows(
        "SELECT login FROM user_acct JOIN customer USING (cust_no) WHERE src_cd = 'ACME' AND lock_fl = 'N' LIMIT 1"
    )
    signed_in = await front.sign_in(login)
    assert signed_in.status == 200, signed_in.json
    token = signed_in.json["access_token"]
    async with listening(front) as address:
        head = {"authorization": f"Bearer {token}", "content-type": "text/csv"}
        async with httpx2.AsyncClient(timeout=30, headers=head) as client:
            sent = await client.post(f"http://{address}/api/v1/price-imports", content=ROWS)
        assert sent.status_code == 202, sent.text
        place = sent.headers["location"]
        opened = asyncio.Semaphore(0)
        stream = asyncio.create_task(watched(address, place, token, opened))
        socket = asyncio.create_task(listened(address, place, token, opened))
        for _ in range(2):
            await opened.acquire()
        assert (await front.sign_out(token=token)).status == 200
        assert await stream == [("progress", "None"), ("problem", "unauthenticated")]
        assert await socket == (["progress"], live.UNAUTHENTICATED)
