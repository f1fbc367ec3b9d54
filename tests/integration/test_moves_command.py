"""`banyan routes` as an operator types it: what it prints, and how it ends."""

from __future__ import annotations

import asyncio
import json
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from api_gateway import consumers, ledger
from api_gateway.ledger import Identity, Watcher
from api_gateway.project import Project
from api_gateway.stages import Stage
from tests.support.commands import Banyan
from tests.support.migration_project import store_comparisons, write_project

Owner = psycopg.Connection[Any]


@pytest.fixture
def project(tmp_path: Path, owner: Owner) -> Project:
    consumers.add_consumer(owner, "acme", "Acme")
    return write_project(tmp_path / f"project_{uuid.uuid4().hex[:8]}")


@pytest.fixture
def banyan(tmp_path: Path, owner_url: str, project: Project) -> Banyan:
    return Banyan(tmp_path, {"BANYAN_OWNER_DATABASE_URL": owner_url, "BANYAN_PROJECT": str(project.folder)})


@contextmanager
def process(url: str, kind: ledger.ProcessKind, folder: Path) -> Iterator[Watcher]:
    """A process that watches, in a thread of its own."""
    ready, over = threading.Event(), asyncio.Event()
    loop, found = asyncio.new_event_loop(), []

    async def live() -> None:
        async with Watcher(url, kind, folder, lambda table, register: None) as watcher:
            found.append(watcher)
            ready.set()
            await over.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(live()))
    thread.start()
    ready.wait()
    try:
        yield found[0]
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
        loop.close()


def test_a_move_exits_0_when_every_live_process_acknowledged_it(
    banyan: Banyan, owner_url: str, owner: Owner, tmp_path: Path
) -> None:
    with process(owner_url, "app", tmp_path / "a") as app, process(owner_url, "edge", tmp_path / "e") as edge:
        answer = banyan("routes", "move", "orders.list", "shadow", "--consumer", "acme", "--reason", "look", "--json")
        assert (answer.code, answer.err) == (0, "")
        assert len(answer.json["acknowledged"]) == 2
        for watcher in (app, edge):
            assert watcher.table.stage("orders.list", "acme") is Stage.shadow
    assert ledger.read_table(owner).version == answer.json["version"]


def test_a_move_exits_1_naming_the_process_that_did_not_acknowledge(banyan: Banyan, owner: Owner) -> None:
    ledger.acknowledge(owner, Identity("edge", host="front", pid=77), 0)
    owner.execute("UPDATE banyan.process SET seen = seen + interval '1 minute'")  # it lives as long as the test
    answer = banyan("routes", "move", "orders.list", "shadow", "--reason", "look")
    assert answer.code == 1
    assert answer.complaint == "the move stands in the ledger, but is not acknowledged by edge 77 on front."
    assert ledger.read_table(owner).stage("orders.list") is Stage.shadow


def test_without_evidence_a_move_exits_1_and_lists_what_is_missing(
    banyan: Banyan, owner: Owner, project: Project
) -> None:
    banyan("routes", "move", "orders.list", "shadow", "--consumer", "acme", "--reason", "look")
    store_comparisons(owner, project, count=5, shapes=1)
    words = ["routes", "move", "orders.list", "canary", "--consumer", "acme", "--reason", "x"]
    answer = banyan(*words, "--json")
    assert answer.code == 1
    assert [(one["criterion"], one["have"], one["need"]) for one in answer.json] == [
        ("comparisons", 5, 20),
        ("request shapes", 1, 3),
    ]
    assert all(one.keys() == {"criterion", "have", "need", "eta"} for one in answer.json)
    said = banyan(*words).complaint
    lacks = "comparisons: 5 of 20; request shapes: 1 of 3"
    assert said.startswith(f"orders.list for acme stays at shadow: {lacks}; enough by ")
    assert said.endswith(" UTC at today's rate.")


def test_an_override_is_named_in_the_history(banyan: Banyan) -> None:
    banyan("routes", "move", "orders.list", "shadow", "--reason", "look")
    words = ["--override", "Ann Lee", "--actor", "bob", "--reason", "the old one is down"]
    answer = banyan("routes", "move", "orders.list", "canary", *words)
    assert (answer.code, answer.err) == (0, "")
    newest = banyan("routes", "history", "orders.list", "--json").json[0]
    assert (newest["actor"], newest["overridden"], newest["from"], newest["to"]) == (
        "bob",
        "Ann Lee",
        "shadow",
        "canary",
    )
    assert "override by Ann Lee" in banyan("routes", "history").out


def test_a_rollback_goes_back_at_once(banyan: Banyan, owner: Owner) -> None:
    banyan("routes", "move", "orders.list", "shadow", "--reason", "look")
    answer = banyan("routes", "rollback", "orders.list", "--reason", "alarm")
    assert (answer.code, answer.err) == (0, "")
    assert "shadow to legacy" in answer.out
    assert ledger.read_table(owner).stage("orders.list") is Stage.legacy


def test_one_command_takes_everyone_back_to_legacy(banyan: Banyan, owner: Owner) -> None:
    banyan("routes", "move", "orders.list", "shadow", "--reason", "look")
    banyan("routes", "move", "orders.list", "canary", "--consumer", "acme", "--override", "ann", "--reason", "look")
    answer = banyan("routes", "rollback", "orders.list", "--everyone", "--reason", "alarm")
    assert (answer.code, answer.err) == (0, "")
    assert set(ledger.read_table(owner).stages.values()) == {Stage.legacy}
    again = banyan("routes", "rollback", "orders.list", "--everyone", "--reason", "alarm")
    assert (again.code, again.complaint) == (2, "nobody stands beyond legacy on orders.list.")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["move", "order.list", "shadow"], "there is no route order.list; did you mean orders.list?"),
        (["move", "orders.list", "shado"], "there is no stage 'shado': legacy, shadow, canary, live, retired."),
        (["move", "orders.list", "legacy"], "orders.list stands at legacy already."),
        (["move", "orders.list", "shadow", "--consumer", "acne"], "there is no consumer acne; did you mean acme?"),
        (["rollback", "orders.list"], "orders.list stands at legacy: there is nothing to go back to."),
        (
            ["rollback", "orders.list", "--to", "zero"],
            "there is no stage 'zero': legacy, shadow, canary, live, retired.",
        ),
    ],
)
def test_what_cannot_be_asked_exits_2_with_one_line(
    banyan: Banyan, owner: Owner, words: list[str], complaint: str
) -> None:
    answer = banyan("routes", *words, "--reason", "x")
    assert (answer.code, answer.complaint) == (2, complaint)
    assert ledger.history(owner) == []


def test_a_move_without_a_reason_exits_2(banyan: Banyan) -> None:
    answer = banyan("routes", "move", "orders.list", "shadow")
    assert answer.code == 2
    assert "--reason" in answer.err
    assert banyan("routes", "move", "orders.list", "shadow", "--reason", " ").code == 2


def test_the_list_shows_where_everybody_stands(banyan: Banyan) -> None:
    banyan("routes", "move", "orders.list", "shadow", "--consumer", "acme", "--reason", "look")
    listed = banyan("routes", "list", "--json").json
    assert {(one["route"], one["consumer"]): one["stage"] for one in listed} == {
        ("orders.list", None): "legacy",
        ("orders.list", "acme"): "shadow",
        ("orders.status", None): "legacy",
        ("orders.intake", None): "legacy",
        ("stock.csv", None): "legacy",
    }
    table = banyan("routes", "list").out
    assert [line.split()[:3] for line in table.splitlines()[1:3]] == [
        ["orders.list", "everyone", "legacy"],
        ["orders.list", "acme", "shadow"],
    ]


def test_one_route_is_shown_with_its_history(banyan: Banyan) -> None:
    banyan("routes", "move", "orders.list", "shadow", "--reason", "first look")
    document = banyan("routes", "show", "orders.list", "--json").json
    assert (document["method"], document["path"]) == ("GET", "/partner/orders.xml")
    assert document["history"][0]["reason"] == "first look"
    shown = banyan("routes", "show", "orders.list").out
    assert "first look" in shown
    assert "canary: lacks comparisons 0/20" in shown


def test_what_an_operator_wrote_cannot_move_the_cursor(banyan: Banyan) -> None:
    banyan("routes", "move", "orders.list", "shadow", "--reason", "\x1b[2J\x1b[31mevil\nline")
    assert "\x1b" not in banyan("routes", "history").out


def test_a_database_that_is_away_exits_2_without_its_password(banyan: Banyan) -> None:
    answer = banyan("routes", "list", BANYAN_OWNER_DATABASE_URL="postgresql://banyan_owner:hunter2@127.0.0.1:1/x")
    assert (answer.code, answer.complaint) == (2, "the database at 127.0.0.1:1/x is away.")


def test_a_database_without_the_schema_exits_2_naming_the_command(banyan: Banyan, database_url: str) -> None:
    answer = banyan("routes", "list", BANYAN_OWNER_DATABASE_URL=database_url.replace("postgres@", "banyan_owner@"))
    assert (answer.code, "banyan migrate up" in answer.err) == (2, True)


def test_without_variables_it_speaks_to_the_instance_that_runs_in_this_folder(
    banyan: Banyan, administrator_url: str, tmp_path: Path
) -> None:
    (tmp_path / ".banyan").mkdir()
    (tmp_path / ".banyan" / "up.json").write_text(json.dumps({"database": administrator_url}))
    alone = Banyan(tmp_path, {"BANYAN_PROJECT": banyan.variables["BANYAN_PROJECT"]})
    assert alone("routes", "move", "orders.list", "shadow", "--reason", "look").code == 0
    (tmp_path / ".banyan" / "up.json").unlink()
    answer = alone("routes", "list")
    assert (answer.code, answer.complaint) == (2, "BANYAN_DATABASE_URL is not set.")
