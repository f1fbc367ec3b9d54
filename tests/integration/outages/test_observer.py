"""Drift as the observer meets it: a candidate whose table is broken proves nothing, and is then not even asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg

from api_gateway.consumers import Consumer, Register
from api_gateway.evidence.isolation import CandidatePool, CandidateSetting
from api_gateway.evidence.read import read_calls
from api_gateway.evidence.record import Recorder
from api_gateway.observer import process
from api_gateway.observer.exchanges import Exchanges
from api_gateway.outages import SchemaWatch
from api_gateway.project import load_project
from api_gateway.recordings.keep import Keeper
from api_gateway.stages import StageTable
from tests.support.observed import Observer, Standing, exchange
from tests.support.outages import eventually
from tests.support.shop import Shop

NAMES = " ".join(f"Customer {n}" for n in range(1, 10))
BREAK, REPAIR = "ALTER TABLE customer RENAME nm TO name", "ALTER TABLE customer RENAME name TO nm"


@asynccontextmanager
async def observing(shop: Shop, *, watched: bool) -> AsyncIterator[tuple[Observer, SchemaWatch | None]]:
    """The observer's parts as its process puts them together."""
    project = load_project(shop.folder)
    standing: Any = Standing(StageTable(), Register.of(1, [Consumer("acme", "Acme")], []))
    candidates = CandidatePool(CandidateSetting(str(project.folder), shop.read_url), 1)
    async with (
        Recorder(shop.owner_url, application_name="test") as recorder,
        Keeper(shop.owner_url, application_name="test") as keeper,
        process._schema_watch(project, shop.read_url, standing) as schema,
    ):
        exchanges = Exchanges(
            project, standing, recorder, candidates, legacy_url=None, schema=schema if watched else None
        )
        work = asyncio.create_task(exchanges.work())
        try:
            observer = Observer(exchanges, recorder, candidates, standing, project, keeper)
            observer.shadow("names")
            yield observer, schema
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            await candidates.stop()


def names() -> Any:
    return exchange("names", NAMES, target="/old/names", response_headers=())


async def test_before_it_is_noticed_a_table_that_is_broken_or_locked_for_long_proves_nothing(shop: Shop) -> None:
    async with observing(shop, watched=False) as (observer, _):
        with psycopg.connect(shop.url) as other, psycopg.connect(shop.owner_url, autocommit=True) as connection:
            other.execute("LOCK TABLE customer IN ACCESS EXCLUSIVE MODE")
            await observer.exchanges.take(names())
            await observer.compared(connection, 1)
            other.execute(BREAK)
            other.commit()
            await observer.exchanges.take(names())
            rows = await observer.compared(connection, 2)
    told = [(row["verdict"], row["request"]["why"], row["differences"]) for row in rows]
    assert told == [("inconclusive", "candidate unavailable", []), ("inconclusive", "candidate drifted", [])]


async def test_from_then_on_it_is_skipped_and_counted_until_it_fits_again(shop: Shop, often: None) -> None:
    async with observing(shop, watched=True) as (observer, schema):
        assert schema is not None
        with psycopg.connect(shop.owner_url, autocommit=True) as connection:
            shop.execute(BREAK)

            async def noticed() -> bool:
                return "names" in schema.routes

            await eventually(noticed)
            await observer.exchanges.take(names())
            assert observer.exchanges.waiting == 0
            await observer.recorder.flush()
            counted = {(one.answerer, one.outcome): one.count for one in read_calls(connection, "names")}
            assert counted == {("legacy", "2xx"): 1, ("candidate", "skipped"): 1}
            shop.execute(REPAIR)

            async def fits() -> bool:
                return "names" not in schema.routes

            await eventually(fits)
            await observer.exchanges.take(names())
            (row,) = await observer.compared(connection, 1)
            assert row["verdict"] == "match", row
