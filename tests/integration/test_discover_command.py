"""`banyan discover` as an operator types it: with a project or without, and whatever the file is."""

from __future__ import annotations

import gzip
import json
import uuid
from pathlib import Path
from typing import Any

import psycopg
import pytest

from api_gateway import consumers
from tests.support.commands import Banyan
from tests.support.migration_project import write_project

TOKEN = "9f86d081884c7d659a2feaa0c55ad015"


def line(target: str, day: int = 1, status: int = 200) -> str:
    return f'192.0.2.1 - - [{day:02}/Nov/2026:10:00:00 +0000] "GET {target} HTTP/1.1" {status} 5 "-" "curl"\n'


@pytest.fixture
def alone(tmp_path: Path) -> Banyan:
    """Where there is neither project nor database."""
    return Banyan(tmp_path, {"BANYAN_PROJECT": "nowhere"})


class TestWithoutAProject:
    def test_several_sources_are_one_inventory(self, alone: Banyan, tmp_path: Path) -> None:
        (tmp_path / "a.log").write_text(line("/orders/1", 3) + "garbage\n" + line("/style.css"))
        (tmp_path / "b.log.gz").write_bytes(gzip.compress(line(f"/orders/2?token={TOKEN}", 5).encode()))
        answer = alone("discover", "a.log", "b.log.gz", "-", "--json", stdin=line("/orders/3", 4, 404))
        [endpoint] = answer.json["endpoints"]
        assert (endpoint["method"], endpoint["path"], endpoint["calls"]) == ("GET", "/orders/{id}", 3)
        assert (endpoint["first"], endpoint["last"]) == ("2026-11-03T10:00:00+00:00", "2026-11-05T10:00:00+00:00")
        assert endpoint["statuses"] == {"200": 2, "404": 1}
        assert endpoint["callers"] == {"192.0.2.1": 2, "token 1": 1}
        assert answer.json["malformed"] == {"no line of a known format": 1}
        assert (answer.json["lines"], answer.json["static"]) == (5, 1)
        assert TOKEN not in answer.out

    def test_it_is_told_as_a_table_with_routes_to_paste(self, alone: Banyan, tmp_path: Path) -> None:
        (tmp_path / "a.log").write_text(line(f"/orders/1?token={TOKEN}") + line("/wp-admin/x", status=404) + "*\n")
        answer = alone("discover", "a.log")
        assert "/orders/{id}" in answer.out
        assert "wp-admin" not in answer.out
        assert "1 endpoints were never found there" in answer.out
        assert "3 lines read, 1 of them malformed: 1 no line of a known format." in answer.out
        assert 'Route("orders.one", "GET", "/orders/{id}", consumer=QueryToken("token")),' in answer.out
        assert TOKEN not in answer.out + answer.err

    def test_since_leaves_out_what_was_earlier(self, alone: Banyan, tmp_path: Path) -> None:
        (tmp_path / "a.log").write_text(line("/old", 1) + line("/new", 9))
        answer = alone("discover", "a.log", "--since", "2026-11-05", "--json")
        assert [endpoint["path"] for endpoint in answer.json["endpoints"]] == ["/new"]
        assert answer.json["earlier"] == 1

    @pytest.mark.parametrize(
        ("words", "complaint"),
        [
            (("no.log",), "no.log: No such file or directory."),
            (("broken.gz",), "broken.gz: it is packed wrongly, or cut off."),
            (("other.json",), "this is neither an access log nor an HTTP archive."),
            (("a.log", "--since", "soon"), "'soon' is no duration: a number and s, m, h or d, such as 90d."),
            (("a.log", "--since", "2026-02-31"), "--since 2026-02-31: there is no such day."),
        ],
    )
    def test_what_cannot_be_read_is_one_line(
        self, alone: Banyan, tmp_path: Path, words: tuple[str, ...], complaint: str
    ) -> None:
        (tmp_path / "a.log").write_text(line("/a"))
        (tmp_path / "broken.gz").write_bytes(gzip.compress(b"x" * 100_000)[:-20])
        (tmp_path / "other.json").write_text(json.dumps({"a": {"b": 1}}, indent=1))
        answer = alone("discover", *words)
        assert (answer.code, answer.complaint) == (2, complaint)


class TestWithAProject:
    def test_routes_and_consumers_are_named(
        self, tmp_path: Path, owner: psycopg.Connection[Any], owner_url: str
    ) -> None:
        consumers.add_consumer(owner, "acme", "Acme")
        consumers.add_credential(owner, "acme", "query", TOKEN)
        project = write_project(tmp_path / f"project_{uuid.uuid4().hex[:8]}")
        banyan = Banyan(tmp_path, {"BANYAN_OWNER_DATABASE_URL": owner_url, "BANYAN_PROJECT": str(project.folder)})
        (tmp_path / "a.log").write_text(
            line(f"/partner/orders.xml?token={TOKEN}") + line("/partner//stock.csv?token=x")
        )
        answer = banyan("discover", "a.log", "--json")
        told = {tuple(endpoint["routes"]): endpoint["callers"] for endpoint in answer.json["endpoints"]}
        assert told == {("orders.list",): {"acme": 1}, ("stock.csv",): {"token 1": 1}}
        assert answer.json["proposals"] == []

    def test_without_the_database_consumers_are_not_named(self, tmp_path: Path) -> None:
        project = write_project(tmp_path / f"project_{uuid.uuid4().hex[:8]}")
        away = {"BANYAN_OWNER_DATABASE_URL": "postgresql://127.0.0.1:1/none", "BANYAN_PROJECT": str(project.folder)}
        (tmp_path / "a.log").write_text(line("/partner/orders.xml?token=x"))
        answer = Banyan(tmp_path, away)("discover", "a.log", "--json")
        assert answer.code == 0
        assert answer.err.startswith("Consumers are not named: the database at 127.0.0.1:1/none is away.")
        assert [endpoint["routes"] for endpoint in answer.json["endpoints"]] == [["orders.list"]]
