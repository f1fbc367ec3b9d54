"""What a test of outages asks: is it out, is all well, what does the ledger say?"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable

import psycopg

from api_gateway.ledger import current_outages
from tests.support.asgi import Answer
from tests.support.shop import Counter, Shop

WITHIN = 10.0  # seconds
ALL_WELL = {"customers": 200, "orders": 200, "items": 200, "best-sellers": 200}


async def eventually(holds: Callable[[], Awaitable[bool]]) -> None:
    deadline = time.monotonic() + WITHIN
    while not await holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


async def resources(counter: Counter) -> dict[str, int]:
    return {path: (await counter.api(path)).status for path in ALL_WELL}


def is_out(answer: Answer) -> bool:
    """The one problem document, which names nothing of the database."""
    if answer.status != 503 or not answer.body:
        return False
    assert json.loads(answer.body)["code"] == "resource_unavailable", answer.body
    assert answer.header("retry-after") == "10"
    for name in (b"cust", b"nm", b"relation", b"column", b"does not exist", b"permission", b"42"):
        assert name not in answer.body.lower().replace(b"customers", b"")
    return True


def outages(shop: Shop) -> dict[tuple[str, str], str]:
    with psycopg.connect(shop.owner_url) as connection:
        return {entry.outage.place: entry.outage.why for entry in current_outages(connection)}
