"""Recordings are kept within their bounds, read, exported and deleted; nothing waits for them."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from api_gateway import housekeeping, recordings
from api_gateway.recordings.keep import WAITING, Keeper
from api_gateway.routes import QueryToken, Recorded, Route
from shared_models.statements import run
from tests.support.commands import Banyan
from tests.support.observed import exchange

Owner = psycopg.Connection[Any]

ROUTE = Route("orders", "GET", "/orders", QueryToken("token"), recorded=Recorded())


async def keep(url: str, route: Route, *targets: str, **changed: Any) -> Keeper:
    async with Keeper(url, application_name="test", seed=1) as keeper:
        for target in targets:
            keeper.offer(route, exchange("orders", "answer", target=target, **changed), "acme")
    return keeper


class TestKeeping:
    async def test_what_is_kept_is_read_again_in_its_order(self, owner_url: str, owner: Owner) -> None:
        await keep(owner_url, ROUTE, *(f"/orders?token=tok-acme&page={n}" for n in range(120)))
        found = list(recordings.read(owner, "orders"))
        assert [dict(each.query) for each in found] == [{"page": str(n)} for n in range(120)]
        assert {(each.consumer, each.status, each.response.body) for each in found} == {("acme", 200, "answer")}
        assert list(recordings.read(owner, "orders", consumer="bolt")) == []
        assert list(recordings.read(owner, "other")) == []

    async def test_a_route_that_does_not_ask_for_it_is_not_recorded(self, owner_url: str, owner: Owner) -> None:
        await keep(owner_url, replace(ROUTE, recorded=None), "/orders?page=1")
        assert recordings.summary(owner) == []

    async def test_of_a_share_the_first_of_every_kind_is_kept_and_then_about_the_share(
        self, owner_url: str, owner: Owner
    ) -> None:
        sampled = replace(ROUTE, recorded=Recorded(share=0.1))
        kinds = ["page=1", "page=x", "page=-1", "since=2024-01-01"]
        await keep(owner_url, sampled, *(f"/orders?{kinds[n % 4]}" for n in range(1000)))
        found = list(recordings.read(owner, "orders"))
        assert {each.shape for each in found[:50]} == {
            "GET page=integer", "GET page=word", "GET page=negative", "GET since=date",
        }  # fmt: skip
        assert 50 < len(found) < 150

    async def test_the_oldest_go_beyond_the_number_and_beyond_the_size(self, owner_url: str, owner: Owner) -> None:
        few = replace(ROUTE, recorded=Recorded(most=3))
        await keep(owner_url, few, *(f"/orders?page={n}" for n in range(60)))
        assert [each.query for each in recordings.read(owner, "orders")] == [(("page", str(n)),) for n in (57, 58, 59)]
        long = exchange("orders", "x" * 60_000)
        async with Keeper(owner_url, application_name="test") as keeper:
            for _ in range(40):
                keeper.offer(replace(ROUTE, recorded=Recorded(megabytes=1)), long, None)
        [kept] = recordings.summary(owner)
        assert (kept.recordings, kept.bytes) == (17, 17 * 60_000)

    async def test_what_is_incomplete_or_too_much_at_once_is_counted_not_kept(
        self, owner_url: str, owner: Owner
    ) -> None:
        keeper = Keeper(owner_url, application_name="test")
        keeper.offer(ROUTE, exchange("orders", "ans", complete=False), None)
        for _ in range(WAITING + 5):
            keeper.offer(ROUTE, exchange("orders", "answer"), None)
        assert dict(keeper.take_skipped()) == {
            ("orders", "not recorded: incomplete"): 1,
            ("orders", "not recorded: too many waiting"): 5,
        }
        assert dict(keeper.take_skipped()) == {}

    async def test_while_the_database_is_away_they_wait_within_the_limit(self) -> None:
        keeper = Keeper("postgresql://127.0.0.1:1/none", application_name="test")
        for _ in range(WAITING + 5):
            keeper.offer(ROUTE, exchange("orders", "answer"), None)
        assert not await keeper.flush()
        assert len(keeper._waiting) == WAITING

    async def test_housekeeping_deletes_what_is_older_than_its_days(self, owner_url: str, owner: Owner) -> None:
        await keep(owner_url, ROUTE, "/orders?page=1")
        for statement in housekeeping.cuts():
            run(owner, statement)
        assert [each.recordings for each in recordings.summary(owner)] == [1]
        await keep(owner_url, replace(ROUTE, recorded=Recorded(days=1)), "/orders?page=2")
        [age] = owner.execute(
            "SELECT max(expires_at - at) FROM banyan.recording WHERE expires_at < at + '2 days'"
        ).fetchone()
        assert 0.9 < age.total_seconds() / 86400 <= 1.01
        owner.execute(
            "INSERT INTO banyan.recording (expires_at, route, method, shape, outcome, status, duration_ms, request,"
            " response, bytes) VALUES (now() - interval '1 s', 'old', 'GET', '', '', 200, 0, '{}', '{}', 0)"
        )
        assert list(recordings.read(owner, "old")) == []
        for statement in housekeeping.cuts():
            run(owner, statement)
        assert [each.route for each in recordings.summary(owner)] == ["orders"]


@pytest.fixture
def banyan(tmp_path: Path, owner_url: str) -> Banyan:
    folder = tmp_path / f"project_{uuid.uuid4().hex[:8]}"
    folder.mkdir()
    (folder / "banyan.toml").write_text('name = "shop"\n[legacy]\nurl = "http://legacy.test"\n')
    (folder / "routes.py").write_text(
        "from api_gateway.routes import QueryToken, Recorded, Route\n"
        'routes = [Route("orders", "GET", "/orders", QueryToken("token"), recorded=Recorded())]\n'
    )
    return Banyan(tmp_path, {"BANYAN_OWNER_DATABASE_URL": owner_url, "BANYAN_PROJECT": str(folder)})


class TestCommand:
    async def test_recordings_are_listed_exported_and_deleted(
        self, banyan: Banyan, owner_url: str, tmp_path: Path
    ) -> None:
        await keep(owner_url, ROUTE, "/orders?token=tok-acme&page=1", "/orders?token=tok-acme&page=2")
        listed = banyan("recordings", "list", "--json").json
        assert [(each["route"], each["recordings"], each["consumers"]) for each in listed] == [("orders", 2, 1)]
        assert "orders" in banyan("recordings", "list").out
        one_by_one = banyan("recordings", "list", "orders", "--json").json
        assert [each["target"] for each in one_by_one] == ["/orders?page=1", "/orders?page=2"]
        assert "/orders?page=2" in banyan("recordings", "list", "orders").out
        exported = banyan("recordings", "export", "orders")
        assert [entry["request"]["url"] for entry in exported.json["log"]["entries"]] == [
            "http://legacy.test/orders?page=1", "http://legacy.test/orders?page=2",
        ]  # fmt: skip
        assert "tok-acme" not in exported.out
        assert banyan("recordings", "export", "orders", "--output", "orders.har").code == 0
        assert len(json.loads((tmp_path / "orders.har").read_text())["log"]["entries"]) == 2
        assert banyan("recordings", "delete", "orders", "--consumer", "bolt").out == "0 recordings deleted.\n"
        assert banyan("recordings", "delete", "orders").out == "2 recordings deleted.\n"
        assert banyan("recordings", "list").out.startswith("Nothing is recorded.")

    def test_what_cannot_be_done_is_one_line(self, banyan: Banyan) -> None:
        answer = banyan("recordings", "export", "nothing")
        assert (answer.code, answer.complaint) == (2, "there is no route nothing.")
        answer = banyan("recordings", "export", "orders", "--output", "no/such/folder.har")
        assert (answer.code, answer.complaint) == (2, "no/such/folder.har: No such file or directory.")
