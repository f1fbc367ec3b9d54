"""What the edge sees of unlisted requests is counted by template, without a target, a token or a whole address."""

from __future__ import annotations

import base64
import json
import uuid
from pathlib import Path
from typing import Any

import psycopg
import pytest

from api_gateway import consumers, housekeeping
from api_gateway.consumers import load_register
from api_gateway.edge.exchange import UNLISTED, Copy, Exchange
from api_gateway.inventory.stock import OTHER, WAITING, Stock
from shared_models.statements import run
from tests.support.commands import Banyan
from tests.support.migration_project import write_project
from tests.support.observed import exchange

Owner = psycopg.Connection[Any]

TOKEN = "9f86d081884c7d659a2feaa0c55ad015"


def seen(target: str, status: int = 200, **given: Any) -> Exchange:
    return exchange("", "", why=UNLISTED, copied=Copy.head, target=target, status=status, **given)


async def note(url: str, owner: Owner, *exchanges: Exchange, share: float = 1.0) -> None:
    async with Stock(url, share, application_name="test") as stock:
        for each in exchanges:
            stock.note(each, load_register(owner))


def rows(owner: Owner) -> set[tuple[Any, ...]]:
    return set(owner.execute("SELECT method, path, caller, outcome, count FROM banyan.unlisted").fetchall())


class TestStock:
    async def test_calls_are_counted_by_template_action_caller_and_status(self, owner_url: str, owner: Owner) -> None:
        several = [seen("/orders/1"), seen("/orders/2"), seen("/index.php?action=price"), seen("/orders/3", 404)]
        await note(owner_url, owner, *several)
        await note(owner_url, owner, seen("/orders/9"))
        near = "127.0.0.0/24"
        assert rows(owner) == {
            ("GET", "/orders/{id}", near, "200", 3),
            ("GET", "/orders/{id}", near, "404", 1),
            ("GET", "/index.php action=price", near, "200", 1),
        }

    async def test_one_that_was_looked_at_stands_for_those_that_were_not(self, owner_url: str, owner: Owner) -> None:
        await note(owner_url, owner, seen("/a"), seen("/a"), share=0.05)
        assert {row[-1] for row in rows(owner)} == {40}

    async def test_what_legacy_does_not_know_is_counted_together(self, owner_url: str, owner: Owner) -> None:
        await note(owner_url, owner, *(seen(f"/wp/{'x' * n}", 404) for n in range(1, 20)), seen("/style.css"))
        assert rows(owner) == {("GET", OTHER, "127.0.0.0/24", "404", 19)}

    async def test_no_token_and_no_value_reaches_the_database(self, owner_url: str, owner: Owner) -> None:
        consumers.add_consumer(owner, "acme", "Acme")
        consumers.add_credential(owner, "acme", "query", TOKEN)
        basic = base64.b64encode(f"bob:{TOKEN}1".encode())
        await note(
            owner_url,
            owner,
            seen(f"/a?token={TOKEN}"),
            seen(f"/b?token={TOKEN}2&name=Jane"),
            seen("/c", request_headers=((b"authorization", b"Basic " + basic),)),
            seen("/d", request_headers=((b"x-api-key", f"{TOKEN}3".encode()),)),
            seen(f"/e/{TOKEN}4/f"),
            seen(f"/g?{TOKEN}5"),
            seen("/h", source_address="2001:db8:1:2::3"),
        )
        assert {(row[1], row[2]) for row in rows(owner)} == {
            ("/a", "acme"), ("/b", "unknown token"), ("/c", "user bob"), ("/d", "unknown token"),
            ("/e/{hex}/f", "127.0.0.0/24"), ("/g", "127.0.0.0/24"), ("/h", "2001:db8:1::/48"),
        }  # fmt: skip
        everything = owner.execute("SELECT json_agg(u)::text FROM banyan.unlisted u").fetchone()
        assert TOKEN not in str(everything)
        assert "Jane" not in str(everything)

    async def test_while_the_database_is_away_the_counts_are_kept_within_a_limit(self, owner: Owner) -> None:
        stock = Stock("postgresql://127.0.0.1:1/none", 1.0, application_name="test")
        register = load_register(owner)
        for n in range(WAITING + 500):
            stock.note(seen("/a", source_address=f"10.{n // 256}.{n % 256}.1"), register)
        assert not await stock.flush()
        assert len(stock._counts) == WAITING

    async def test_housekeeping_deletes_what_is_long_past(self, owner_url: str, owner: Owner) -> None:
        await note(owner_url, owner, seen("/a"))
        owner.execute(
            "INSERT INTO banyan.unlisted SELECT day - 500, method, path, caller, outcome, 1 FROM banyan.unlisted"
        )
        for statement in housekeeping.cuts():
            run(owner, statement)
        assert len(rows(owner)) == 1


class TestCommand:
    async def test_without_a_source_the_edge_is_asked(self, tmp_path: Path, owner_url: str, owner: Owner) -> None:
        codes = [seen(f"/item/{'ABCDEFGH'[n]}{'KLMNOPQR'[n]}-{n:05}") for n in range(8)]
        await note(owner_url, owner, *codes, seen("/index.php?action=price"), seen("/nothing", 404))
        project = write_project(tmp_path / f"project_{uuid.uuid4().hex[:8]}")
        banyan = Banyan(tmp_path, {"BANYAN_OWNER_DATABASE_URL": owner_url, "BANYAN_PROJECT": str(project.folder)})
        told = banyan("discover", "--json").json
        assert {(e["path"], json.dumps(e["query"]), e["calls"]) for e in told["endpoints"]} == {
            ("/item/{code}", "{}", 8),
            ("/index.php", '{"action": "price"}', 1),
        }
        assert told["elsewhere"] == 1
        assert 'Route("item.one", "GET", "/item/{code}"),' in banyan("discover").out


@pytest.mark.parametrize("share", [-0.1, 1.1, "many"])
def test_a_share_that_cannot_be_is_refused_in_one_line(tmp_path: Path, share: object) -> None:
    (tmp_path / "banyan.toml").write_text(f'name = "x"\n[edge]\nunlisted_share = {json.dumps(share)}\n')
    answer = Banyan(tmp_path, {"BANYAN_PROJECT": str(tmp_path)})("discover")
    assert answer.code == 2
    assert "edge.unlisted_share" in answer.complaint
