"""A column is dropped beside files and sums of its table: the 503, or a whole file where it had begun."""

from __future__ import annotations

import asyncio
from typing import Any

import psycopg

from tests.support.asgi import scope_of
from tests.support.outages import eventually, is_out
from tests.support.shop import Counter, Shop

DROP = "ALTER TABLE customer DROP COLUMN nm"
ROWS = 50_000
OTHERS = ("orders", "orders:export", "items", "items:export")


async def test_files_and_sums_of_a_table_that_lost_a_column_are_refused_and_the_others_go_on(
    counter: Counter, shop: Shop
) -> None:
    for path in ("customers:export", "customers:aggregate", "customers:aggregate?by=name", *OTHERS):
        assert (await counter.api(path)).status == 200, path
    shop.execute(DROP)
    for path in ("customers:export", "customers:aggregate?by=name"):
        assert is_out(await counter.api(path)), path

    async def noticed() -> bool:
        return is_out(await counter.api("customers:aggregate"))

    await eventually(noticed)
    assert is_out(await counter.api("customers", accept="application/x-ndjson"))
    assert is_out(await counter.api("customers:export", accept="image/png"))  # before what is asked is looked at
    for path in OTHERS:
        assert (await counter.api(path)).status == 200, path


async def test_a_file_that_had_begun_is_whole_and_the_column_goes_behind_it(counter: Counter, shop: Shop) -> None:
    shop.execute(f"INSERT INTO customer SELECT n, repeat('x', 40) FROM generate_series(10, {ROWS}) n")
    has_begun, may_go_on = asyncio.Event(), asyncio.Event()
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)
        if message["type"] == "http.response.body":
            has_begun.set()
            await may_go_on.wait()

    async def receive() -> Any:
        await asyncio.Event().wait()

    headers = [("x-api-key", shop.key), ("accept", "text/csv")]
    scope = scope_of("GET", "/api/v1/customers:export", headers)
    exporting = asyncio.create_task(counter.gateway(scope, receive, send))
    await has_begun.wait()
    dropping = asyncio.create_task(asyncio.to_thread(shop.execute, DROP))

    async def waits() -> bool:
        return await asyncio.to_thread(_is_waiting, shop)

    await eventually(waits)
    assert not dropping.done()
    may_go_on.set()
    await exporting
    await dropping
    assert sent[0]["status"] == 200
    assert not sent[-1].get("more_body")
    assert b"".join(message.get("body", b"") for message in sent[1:]).count(b"\r\n") == ROWS + 1
    assert is_out(await counter.api("customers:export"))
    for path in OTHERS:
        assert (await counter.api(path)).status == 200, path


def _is_waiting(shop: Shop) -> bool:
    with psycopg.connect(shop.url) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'customer'::regclass"
            " AND mode = 'AccessExclusiveLock'"
        ).fetchone()
    return row is not None and row[0] == 1
