"""The console's page as a value: who appears where, and what needs a person."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from api_gateway.console.charts import HEIGHT, WIDTH, bars, segments
from api_gateway.console.overview import COLUMNS, overview
from api_gateway.console.values import Answers, Hour, Mismatch, Overview, Place
from api_gateway.routes import Route
from api_gateway.stages import Stage

NOW = datetime(2026, 3, 4, 12, 30, tzinfo=UTC)
LATELY = NOW - timedelta(minutes=3)


def mimic() -> None:
    """A candidate; never called here."""


ORDERS = Route("orders.list", "GET", "/partner/orders.xml", mimic=mimic)
INTAKE = Route("orders.intake", "POST", "/partner/order_in")
EVERY_KIND = tuple(
    {
        "kind": kind, "host": "h", "pid": 1, "build": "0", "acknowledged": 3,
        "started": LATELY, "seen": NOW, "live": True,
    }
    for kind in ("edge", "app", "observer", "worker")
)  # fmt: skip


def page(*routes: Route, **answers: Any) -> Overview:
    answers = {"version": 3, "processes": EVERY_KIND, **answers}
    return overview({route.name: route for route in routes}, Answers(NOW, **answers))


def calls(route: str, consumer: str, count: int, outcome: str = "2xx", answerer: str = "legacy") -> dict[str, Any]:
    return {
        "route": route, "consumer": consumer, "answerer": answerer,
        "outcome": outcome, "count": count, "last_at": LATELY,
    }  # fmt: skip


def stands(route: str, consumer: str | None, stage: str) -> dict[str, Any]:
    return {"route": route, "consumer": consumer, "stage": stage, "since": LATELY}


def verdict(consumer: str, name: str, count: int) -> dict[str, Any]:
    return {
        "route": "orders.list", "consumer": consumer, "verdict": name, "count": count, "first": LATELY, "last": LATELY,
    }  # fmt: skip


def subjects(found: Overview) -> list[tuple[str, str]]:
    return [(need.level, need.subject) for need in found.needs]


def test_a_failure_of_modern_is_not_one_more_call() -> None:
    found = page(ORDERS, calls=[calls("orders.list", "acme", 7), calls("orders.list", "acme", 2, "failed", "modern")])
    assert (found.figures.count, found.figures.failed, found.figures.modern) == (7, 2, 0)
    assert ("act", "orders.list") in subjects(found)


def test_an_exchange_that_was_not_compared_counts_for_nothing() -> None:
    assert page(ORDERS, calls=[calls("orders.list", "acme", 9, "skipped")]).figures.count == 0


def test_calls_in_which_nobody_was_named_have_the_last_column() -> None:
    found = page(ORDERS, calls=[calls("orders.list", "", 1), calls("orders.list", "zeta", 1)])
    assert [consumer.code for consumer in found.columns] == ["zeta", ""]


def test_a_consumer_without_a_stage_of_its_own_stands_where_everyone_stands() -> None:
    consumers = [{"code": "acme", "name": "Acme"}, {"code": "bolt", "name": "Bolt"}]
    found = page(
        ORDERS,
        consumers=consumers,
        stages=[stands("orders.list", None, "shadow"), stands("orders.list", "bolt", "live")],
    )
    assert [(cell.stage, cell.own) for cell in found.rows[0].cells] == [(Stage.shadow, False), (Stage.live, True)]


def test_of_very_many_consumers_those_who_moved_and_the_busiest_have_columns() -> None:
    everybody = [{"code": f"c{number:03}", "name": ""} for number in range(200)]
    found = page(
        ORDERS,
        consumers=everybody,
        stages=[stands("orders.list", "c150", "live")],
        calls=[calls("orders.list", "c199", 5)],
    )
    shown = {consumer.code for consumer in found.columns}
    assert {"c150", "c199"} <= shown
    assert (len(shown), found.unshown, len(found.callers)) == (COLUMNS, 200 - COLUMNS, 200)


def test_a_route_that_moved_and_is_no_longer_listed_stays_in_sight() -> None:
    found = page(ORDERS, stages=[stands("orders.gone", "acme", "live")])
    assert [(row.name, row.route) for row in found.rows] == [("orders.list", ORDERS), ("orders.gone", None)]
    assert ("act", "orders.gone") in subjects(found)


def test_a_routes_own_evidence_is_that_of_everybody() -> None:
    found = page(
        ORDERS,
        stages=[stands("orders.list", None, "shadow"), stands("orders.list", "bolt", "shadow")],
        verdicts=[verdict("acme", "match", 30), verdict("bolt", "match", 4)],
    )
    assert [(proof.consumer, proof.evidence.matches) for proof in found.proofs] == [(None, 34), ("bolt", 4)]


def test_a_mismatch_of_one_consumer_is_told_once_and_with_its_name() -> None:
    found = page(
        ORDERS,
        stages=[stands("orders.list", None, "shadow"), stands("orders.list", "bolt", "canary")],
        verdicts=[verdict("bolt", "mismatch", 1)],
    )
    need = next(need for need in found.needs if need.level == "act")
    assert (need.subject, need.sentence) == ("orders.list for bolt", "differs: 1 mismatch.")
    assert need.command == "banyan routes rollback orders.list --consumer bolt --reason '…'"
    assert sum("mismatch" in need.sentence for need in found.needs) == 1


def test_differences_of_one_kind_at_one_place_are_one_line_whatever_their_position() -> None:
    differences = [
        {"path": f"/orders/order[{n}]/total", "kind": "value", "control": f"{n}.00", "candidate": f"{n}.0"}
        for n in range(1, 51)
    ]
    newest = {"route": "orders.list", "consumer": "bolt", "at": NOW, "shape": "GET", "differences": differences}
    found = page(
        ORDERS,
        stages=[stands("orders.list", "bolt", "shadow")],
        mismatches=[{**newest, "at": LATELY, "differences": []}, newest],
    )
    assert found.proofs[0].mismatch == Mismatch(
        NOW, "GET", (Place("/orders/order[*]/total", "value", 50, "1.00", "1.0"),)
    )


def test_complete_evidence_offers_the_next_stage_with_the_command() -> None:
    shapes = [{"route": "orders.list", "consumer": "a b", "shape": shape, "count": 9} for shape in ("x", "y", "z")]
    found = page(
        ORDERS,
        stages=[stands("orders.list", "a b", "shadow")],
        verdicts=[verdict("a b", "match", 27)],
        shapes=shapes,
    )
    assert [need.command for need in found.needs] == [
        "banyan routes move orders.list canary --consumer 'a b' --reason '…'"
    ]


def test_a_mimic_that_nobody_has_tried_is_offered_and_a_route_without_one_is_not() -> None:
    assert subjects(page(ORDERS, INTAKE)) == [("next", "orders.list")]


def test_a_process_that_is_behind_or_missing_comes_before_everything_else() -> None:
    late = [{**one, "acknowledged": 2} if one["kind"] == "app" else one for one in EVERY_KIND if one["kind"] != "edge"]
    assert subjects(page(ORDERS, processes=late))[:2] == [("act", "edge"), ("act", "app 1")]


def test_a_dead_process_is_shown_last_and_asks_for_nothing_while_another_lives() -> None:
    dead = {**EVERY_KIND[0], "acknowledged": 1, "live": False}
    found = page(INTAKE, processes=[dead, *EVERY_KIND])
    assert found.processes[-1].silent
    assert found.needs == ()


def test_the_ladder_counts_each_route_at_the_furthest_stage_of_anybody() -> None:
    found = page(ORDERS, INTAKE, stages=[stands("orders.list", None, "shadow"), stands("orders.list", "acme", "live")])
    assert {stage: count for stage, count in found.ladder.items() if count} == {Stage.legacy: 1, Stage.live: 1}


def test_there_are_24_hours_the_empty_ones_too_and_the_present_one_is_last() -> None:
    hour = NOW.replace(minute=0)
    found = page(ORDERS, hours=[{"hour": hour, "answerer": "modern", "count": 3}])
    assert len(found.hours) == 24
    assert found.hours[-1] == Hour(hour, legacy=0, modern=3)
    assert found.hours[0] == Hour(hour - timedelta(hours=23))


def test_bars_stay_in_the_picture_and_every_hour_with_a_call_can_be_seen() -> None:
    hours = [Hour(NOW, legacy, modern) for legacy, modern in ((0, 0), (1, 0), (1_000_000, 1), (5, 999_999))]
    for bar, hour in zip(bars(hours), hours, strict=True):
        assert bar.legacy_y >= 0
        assert bar.modern_y + bar.modern_height <= HEIGHT + 0.01
        assert (bar.legacy_height > 0, bar.modern_height > 0) == (hour.legacy > 0, hour.modern > 0)


def test_segments_fill_the_line_in_the_order_of_the_stages() -> None:
    drawn = segments({Stage.legacy: 6, Stage.shadow: 0, Stage.canary: 2, Stage.live: 1, Stage.retired: 0})
    assert [segment.stage for segment in drawn] == [Stage.legacy, Stage.canary, Stage.live]
    assert abs(drawn[-1].x + drawn[-1].width - WIDTH) < 0.1
    assert segments(dict.fromkeys(Stage, 0)) == []
