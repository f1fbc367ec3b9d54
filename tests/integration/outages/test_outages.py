"""Drift at run time: what a changed schema takes out of service, and nothing else, until the schema is back."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from api_gateway import events
from api_gateway.console import queries
from api_gateway.console.overview import overview
from api_gateway.console.values import Answers
from api_gateway.ledger import outage_history
from api_gateway.project import load_project
from shared_models.statements import run
from tests.support.commands import Banyan
from tests.support.outages import ALL_WELL, eventually, is_out, outages, resources
from tests.support.shop import Counter, Shop, is_declined, opened

CHANGES = {
    "a column renamed": (
        "ALTER TABLE customer RENAME COLUMN nm TO name",
        "ALTER TABLE customer RENAME COLUMN name TO nm",
        "public.customer.nm: ",
    ),
    "a type changed": (
        "ALTER TABLE customer ALTER nm TYPE boolean USING true",
        "ALTER TABLE customer ALTER nm TYPE varchar(40) USING 'x'",
        "public.customer.nm: ",
    ),
    "a right revoked": (
        "REVOKE SELECT (nm), UPDATE (nm) ON customer FROM banyan_api",
        "GRANT SELECT (nm), UPDATE (nm) ON customer TO banyan_api",
        "public.customer.nm: our role has no ",
    ),
    "a table moved away": (
        "CREATE SCHEMA aside; ALTER TABLE customer SET SCHEMA aside",
        "ALTER TABLE aside.customer SET SCHEMA public; DROP SCHEMA aside",
        "public.customer: there is no such table or view",
    ),
    "row security switched on": (
        "ALTER TABLE customer ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE customer DISABLE ROW LEVEL SECURITY",
        "public.customer: row security was switched on",
    ),
}


@pytest.mark.parametrize("change", CHANGES)
async def test_exactly_what_is_concerned_goes_out_and_comes_back(
    counter: Counter, shop: Shop, reported: list[Any], change: str
) -> None:
    breaking, repairing, why = CHANGES[change]
    assert await resources(counter) == ALL_WELL
    assert (await counter.route("names")).status == 200
    shop.execute(breaking)

    async def names_is_declined() -> bool:
        return is_declined(await counter.route("names")) and is_out(await counter.api("customers"))

    await eventually(names_is_declined)
    assert await resources(counter) == {**ALL_WELL, "customers": 503}
    assert is_out(await counter.api("customers/1"))
    assert is_out(await counter.rename("x"))
    assert is_declined(await counter.route("rename", "POST"))
    assert (await counter.route("states")).body == b" ".join([b"10"] * 9)
    assert (await counter.route("gone")).status == 410
    assert is_out(await counter.api("orders/1?include=customer"))
    places = {("resource", "customers"), ("operation", "rename_customer"), ("route", "names"), ("route", "rename")}
    places |= {("resource", "orders include=customer")}

    async def all_written() -> bool:
        return places <= set(outages(shop))

    await eventually(all_written)
    assert set(outages(shop)) - places <= {("route", "gone")}
    assert why in outages(shop)["resource", "customers"]
    assert why in outages(shop)["route", "names"]
    shop.execute(repairing)

    async def all_well() -> bool:
        return await resources(counter) == ALL_WELL and (await counter.route("names")).status == 200

    await eventually(all_well)
    assert (await counter.rename("y")).status == 204
    assert (await counter.route("names")).body.startswith(b"y ")

    async def nothing_out() -> bool:
        return outages(shop) == {}

    await eventually(nothing_out)
    out = [event for event in reported if isinstance(event, events.TakenOut) and event.name == "customers"]
    back = [event for event in reported if isinstance(event, events.BackInService) and event.name == "customers"]
    assert len(out) >= 1
    assert len(back) == 1
    with psycopg.connect(shop.owner_url) as connection:
        entries = outage_history(connection, subject="resource", name="customers")
    assert [entry.change for entry in entries][:1] + [entry.change for entry in entries][-1:] == ["back", "out"]
    assert {entry.actor for entry in entries} == {"banyan"}


async def test_a_change_that_hurts_nobody_causes_no_error_at_all(counter: Counter, shop: Shop) -> None:
    seen: set[int] = set()
    stop = threading.Event()

    def change() -> None:
        for n in range(6):
            shop.execute(f"ALTER TABLE customer ADD more_{n} text DEFAULT 'x'; CREATE INDEX ON customer (more_{n})")
        stop.set()

    changing = asyncio.create_task(asyncio.to_thread(change))
    while not stop.is_set():
        seen |= {(await counter.api("customers")).status, (await counter.route("names")).status}
        seen |= {200 if (await counter.rename("z")).status == 204 else 0}
    await changing
    assert seen == {200}
    assert outages(shop) == {}


async def test_the_command_line_and_the_console_say_why(shop: Shop, tmp_path: Path, often: None) -> None:
    shop.execute("ALTER TABLE customer RENAME COLUMN nm TO name")
    async with opened(shop, tmp_path):
        pass
    banyan = Banyan(tmp_path, {"BANYAN_PROJECT": str(shop.folder), "BANYAN_OWNER_DATABASE_URL": shop.owner_url})
    why = "public.customer.nm: there is no such column"
    assert f"legacy answers: {why}" in banyan("routes", "show", "names").out
    (entry,) = banyan("routes", "show", "names", "--json").json["outages"]
    assert (entry["actor"], entry["change"], entry["reasons"][0]["column"]) == ("banyan", "out", "nm")
    assert "out of service" not in banyan("routes", "show", "states").out
    listed = {(one["subject"], one["name"]): one for one in banyan("routes", "outages", "--json").json}
    assert listed["resource", "customers"]["reasons"][0]["table"] == "public.customer"
    with psycopg.connect(shop.owner_url) as connection:
        rows = run(connection, queries.outages())
    page = overview(load_project(shop.folder).routes, Answers(now=datetime.now(UTC), outages=rows))
    assert {row.name for row in page.rows if row.out} == {"names", "rename", "gone"}
    assert all("public.customer.nm: " in outage.why for outage in page.outages)
    assert any(need.subject == "resource customers" and need.command == "banyan check" for need in page.needs)


async def test_a_gateway_starts_with_a_schema_that_has_drifted_and_heals(
    shop: Shop, tmp_path: Path, often: None
) -> None:
    shop.execute("ALTER TABLE customer RENAME COLUMN nm TO name")
    async with opened(shop, tmp_path) as counter:
        assert await resources(counter) == {**ALL_WELL, "customers": 503}
        assert is_declined(await counter.route("names"))
        shop.execute("ALTER TABLE customer RENAME COLUMN name TO nm")

        async def all_well() -> bool:
            return await resources(counter) == ALL_WELL and (await counter.route("names")).status == 200

        await eventually(all_well)
    assert outages(shop) == {}


async def test_what_was_repaired_while_nobody_ran_is_written_at_the_next_start(
    shop: Shop, tmp_path: Path, often: None
) -> None:
    shop.execute("ALTER TABLE customer RENAME COLUMN nm TO name")
    async with opened(shop, tmp_path):
        pass
    assert ("resource", "customers") in outages(shop)
    shop.execute("ALTER TABLE customer RENAME COLUMN name TO nm")
    async with opened(shop, tmp_path):
        assert outages(shop) == {}


async def test_two_gateways_notice_by_themselves_and_write_once(shop: Shop, tmp_path: Path, often: None) -> None:
    async with opened(shop, tmp_path) as one, opened(shop, tmp_path) as other:
        shop.execute("DROP TABLE item CASCADE")

        async def both_out() -> bool:
            answers = [await counter.api("items") for counter in (one, other)]
            return all(map(is_out, answers)) and ("resource", "items") in outages(shop)

        await eventually(both_out)
        assert await resources(one) == await resources(other) == {**ALL_WELL, "items": 503, "best-sellers": 503}
    with psycopg.connect(shop.owner_url) as connection:
        entries = outage_history(connection)
    assert sorted(entry.outage.name for entry in entries) == ["Line include=item", "best-sellers", "items"]


async def test_it_is_noticed_within_ten_seconds_though_nobody_asks(shop: Shop, tmp_path: Path) -> None:
    async with opened(shop, tmp_path):
        shop.execute("ALTER TABLE customer RENAME COLUMN nm TO name")

        async def written() -> bool:
            return ("route", "names") in outages(shop)

        await eventually(written)


async def test_a_materialized_view_that_was_emptied_is_out_until_it_is_filled(counter: Counter, shop: Shop) -> None:
    shop.execute("REFRESH MATERIALIZED VIEW best_seller WITH NO DATA")

    async def out() -> bool:
        return is_out(await counter.api("best-sellers"))

    await eventually(out)
    assert await resources(counter) == {**ALL_WELL, "best-sellers": 503}
    shop.execute("REFRESH MATERIALIZED VIEW best_seller")

    async def all_well() -> bool:
        return await resources(counter) == ALL_WELL

    await eventually(all_well)


async def test_a_database_that_is_away_is_no_drift(
    shop: Shop, tmp_path: Path, often: None, reported: list[Any]
) -> None:
    async with opened(shop, tmp_path) as counter:
        shop.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )

        async def all_well() -> bool:
            return await resources(counter) == ALL_WELL

        await eventually(all_well)
    assert [event for event in reported if isinstance(event, events.TakenOut)] == []
