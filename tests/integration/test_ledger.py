"""The ledger: one winner, rollbacks first, and who acts on which version."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from api_gateway import ledger
from api_gateway.ledger import Identity, Move, Superseded
from api_gateway.stages import Stage

Owner = psycopg.Connection[Any]

TO_SHADOW = Move("orders.list", "acme", Stage.legacy, Stage.shadow, "ann", "first look")
TO_CANARY = Move("orders.list", "acme", Stage.shadow, Stage.canary, "ann", "looks good")
BACK = Move("orders.list", "acme", Stage.canary, Stage.legacy, "bob", "alarm", kind="rollback")


def test_an_empty_ledger_is_everything_at_legacy(owner: Owner) -> None:
    table = ledger.read_table(owner)
    assert (table.version, table.stage("orders.list", "acme")) == (0, Stage.legacy)


def test_a_move_makes_the_next_version_of_the_stages(owner: Owner) -> None:
    entry = ledger.append(owner, TO_SHADOW, 0)
    table = ledger.read_table(owner)
    assert table.version == entry.version
    assert table.stages == {("orders.list", "acme"): Stage.shadow}


def test_the_newest_entry_of_each_route_and_consumer_counts(owner: Owner) -> None:
    first = ledger.append(owner, TO_SHADOW, 0)
    second = ledger.append(owner, TO_CANARY, first.version)
    ledger.append(owner, replace(TO_SHADOW, consumer=None), second.version)
    assert ledger.read_table(owner).stages == {
        ("orders.list", "acme"): Stage.canary,
        ("orders.list", None): Stage.shadow,
    }


def test_history_tells_who_moved_what_why_and_on_what_evidence(owner: Owner) -> None:
    evidence = {"fingerprint": "f1", "criteria": [{"criterion": "comparisons", "have": 3, "need": 20, "eta": None}]}
    ledger.append(owner, replace(TO_SHADOW, evidence=evidence, overridden="ann"), 0)
    ledger.append(owner, replace(TO_SHADOW, route="orders.status", consumer=None), 0)
    (entry,) = ledger.history(owner, route="orders.list")
    assert entry.move == replace(TO_SHADOW, evidence=evidence, overridden="ann")
    assert [e.move.route for e in ledger.history(owner)] == ["orders.status", "orders.list"]
    assert [e.move.route for e in ledger.history(owner, consumer="acme")] == ["orders.list"]


def test_a_promotion_loses_against_a_move_it_has_not_seen(owner: Owner) -> None:
    ledger.append(owner, TO_SHADOW, 0)
    with pytest.raises(Superseded, match=r"ann moved orders\.list for acme to shadow in the meantime"):
        ledger.append(owner, replace(TO_SHADOW, consumer=None), 0)
    assert len(ledger.history(owner)) == 1


def test_a_move_of_another_route_does_not_stand_in_the_way(owner: Owner) -> None:
    ledger.append(owner, TO_SHADOW, 0)
    ledger.append(owner, replace(TO_SHADOW, route="orders.status"), 0)
    assert len(ledger.history(owner)) == 2


def test_a_promotion_from_a_stage_where_the_route_does_not_stand_is_refused(owner: Owner) -> None:
    with pytest.raises(Superseded, match="stands at legacy, not at shadow"):
        ledger.append(owner, TO_CANARY, 0)


def test_a_rollback_wins_against_a_promotion_it_has_not_seen(owner: Owner) -> None:
    first = ledger.append(owner, TO_SHADOW, 0)
    ledger.append(owner, TO_CANARY, first.version)
    entry = ledger.append(owner, replace(BACK, from_stage=Stage.shadow))
    assert entry.move.from_stage is Stage.canary, "the ledger tells where the route really stood"
    assert ledger.read_table(owner).stage("orders.list", "acme") is Stage.legacy


def test_a_promotion_that_was_decided_before_a_rollback_loses_against_it(owner: Owner) -> None:
    first = ledger.append(owner, TO_SHADOW, 0)
    ledger.append(owner, replace(BACK, from_stage=Stage.shadow))
    with pytest.raises(Superseded):
        ledger.append(owner, TO_CANARY, first.version)


def test_a_rollback_never_moves_a_route_forward(owner: Owner) -> None:
    with pytest.raises(Superseded, match="stands at legacy already"):
        ledger.append(owner, replace(BACK, to_stage=Stage.shadow))
    assert ledger.history(owner) == []


def test_of_many_operators_at_once_one_wins(owner_url: str, owner: Owner) -> None:
    outcomes: list[str] = []
    start = threading.Barrier(6)

    def operator(name: str) -> None:
        with psycopg.connect(owner_url, autocommit=True) as connection:
            start.wait()
            try:
                ledger.append(connection, replace(TO_SHADOW, actor=name), 0)
                outcomes.append(name)
            except Superseded:
                outcomes.append("lost")

    at_once(lambda number: operator(f"operator {number}"), 6)
    assert outcomes.count("lost") == 5
    (entry,) = ledger.history(owner)
    assert entry.move.actor in outcomes


def test_a_rollback_among_promotions_always_comes_through(owner_url: str, owner: Owner) -> None:
    version = ledger.append(owner, TO_SHADOW, 0).version
    start = threading.Barrier(4)
    failures: list[Exception] = []

    def act(number: int) -> None:
        with psycopg.connect(owner_url, autocommit=True) as connection:
            start.wait()
            try:
                ledger.append(connection, *((BACK,) if number == 0 else (TO_CANARY, version)))
            except Superseded as lost:
                failures.append(lost)
                assert number != 0

    at_once(act, 4)
    assert ledger.read_table(owner).stage("orders.list", "acme") is Stage.legacy
    assert len(failures) in (2, 3), "at most one promotion came first"


def test_versions_become_visible_in_their_order(owner_url: str, owner: Owner) -> None:
    """Whoever has seen a version has seen all before it, so a process cannot acknowledge what it has missed."""

    def move_one(number: int) -> None:
        with psycopg.connect(owner_url, autocommit=True) as connection:
            for step in range(10):
                ledger.append(connection, replace(TO_SHADOW, route=f"r{number}.{step}"), 0)

    movers = threading.Thread(target=lambda: at_once(move_one, 4))
    movers.start()
    seen: set[int] = set()
    while movers.is_alive():
        now = {entry.version for entry in ledger.history(owner)}
        assert all(version > max(seen, default=0) for version in now - seen)
        seen = now
    movers.join()
    assert len(ledger.history(owner)) == 40


def test_the_stage_before_is_that_of_the_last_promotion_to_where_it_stands(owner: Owner) -> None:
    version = ledger.append(owner, TO_SHADOW, 0).version
    ledger.append(owner, TO_CANARY, version)
    ledger.append(owner, replace(BACK, to_stage=Stage.shadow))
    assert ledger.previous_stage(owner, "orders.list", "acme", Stage.shadow) is Stage.legacy
    assert ledger.previous_stage(owner, "orders.list", None, Stage.shadow) is None


def test_a_live_process_lags_until_it_acknowledges(owner: Owner) -> None:
    app, edge = Identity("app"), Identity("edge")
    ledger.acknowledge(owner, app, 4)
    ledger.acknowledge(owner, edge, 5)
    assert [process.id for process in ledger.laggards(owner, 5)] == [app.id]
    ledger.acknowledge(owner, app, 5)
    assert ledger.laggards(owner, 5) == []


def test_a_process_that_was_not_seen_for_three_seconds_of_the_databases_clock_is_dead(owner: Owner) -> None:
    app = Identity("app")
    ledger.acknowledge(owner, app, 1)
    age(owner, app, timedelta(seconds=2.5))
    assert len(ledger.laggards(owner, 2)) == 1
    age(owner, app, timedelta(seconds=1))
    assert ledger.laggards(owner, 2) == []
    assert [process.live for process in ledger.processes(owner)] == [False]


def test_a_process_that_left_is_gone_at_once(owner: Owner) -> None:
    app = Identity("app")
    ledger.acknowledge(owner, app, 1)
    ledger.leave(owner, app)
    assert ledger.processes(owner) == []


def age(owner: Owner, identity: Identity, by: timedelta) -> None:
    owner.execute("UPDATE banyan.process SET seen = seen - %s WHERE id = %s", [by, identity.id])


def at_once(act: Callable[[int], None], count: int) -> None:
    failures: list[BaseException] = []

    def guarded(number: int) -> None:
        try:
            act(number)
        except BaseException as error:  # noqa: BLE001  whatever it is, it is raised below, in the test's own thread
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
