"""What the recorder stores, the reader finds: calls, comparisons, evidence per consumer and candidate."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import psycopg
import pytest

from api_gateway.evidence.compare import Comparison, Verdict
from api_gateway.evidence.difference import Difference
from api_gateway.evidence.read import read_calls, read_differences, read_evidence
from api_gateway.evidence.record import Call, Compared, Recorder
from shared_models.migrations import BANYAN, upgrade

CALL = Call("orders.list", "acme", "shadow", "legacy", "2xx")


@pytest.fixture
def url(database_url: str) -> str:
    upgrade(database_url, BANYAN)
    return database_url.replace("postgres@", "banyan_owner@")


@pytest.fixture
def connection(url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


def compared(verdict: Verdict, *, consumer: str | None = "acme", fingerprint: str = "f1", **given: Any) -> Compared:
    differences = tuple(given.pop("differences", ()))
    fields = {"shape": "GET page=integer", "outcome": "200 text/xml <orders>", "control_ms": 5.0, "candidate_ms": 4.0}
    return Compared(
        "orders.list", consumer, fingerprint, comparison=Comparison(verdict, differences), **{**fields, **given}
    )


async def store(url: str, *, calls: Iterable[Call] = (), comparisons: Iterable[Compared] = ()) -> None:
    async with Recorder(url, application_name="test") as recorder:
        for call in calls:
            recorder.call(call)
        for comparison in comparisons:
            recorder.compared(comparison)


async def test_calls_add_up_over_batches_and_processes(url: str, connection: psycopg.Connection[Any]) -> None:
    for _ in range(2):
        await store(url, calls=[CALL, CALL, CALL._replace(consumer=None)])
    assert [(c.consumer, c.count) for c in read_calls(connection, "orders.list")] == [(None, 2), ("acme", 4)]


async def test_evidence_is_counted_per_consumer_and_candidate(url: str, connection: psycopg.Connection[Any]) -> None:
    comparisons = [
        compared(Verdict.match),
        compared(Verdict.ignored, shape="GET since=date"),
        compared(Verdict.inconclusive, shape="GET never"),
        compared(Verdict.mismatch, consumer="bolt"),
        compared(Verdict.mismatch, fingerprint="f0"),
    ]
    await store(url, comparisons=comparisons)
    acme = read_evidence(connection, "orders.list", "acme", "f1")
    assert (acme.matches, acme.ignored, acme.inconclusive, acme.mismatches) == (1, 1, 1, 0)
    assert dict(acme.shapes) == {"GET page=integer": 1, "GET since=date": 1}
    assert read_evidence(connection, "orders.list", None, "f1").mismatches == 1
    assert read_evidence(connection, "orders.list", "acme", "f2").conclusive == 0


async def test_calls_of_the_day_give_the_rate_and_leave_out_what_is_no_call(
    url: str, connection: psycopg.Connection[Any]
) -> None:
    await store(url, calls=[CALL._replace(outcome=outcome) for outcome in ("2xx", "4xx", "failed", "skipped")])
    evidence = read_evidence(connection, "orders.list", "acme", "f1")
    assert (evidence.calls, evidence.skipped) == (2, 1)


async def test_differences_are_grouped_by_place_and_kind_with_a_sample(
    url: str, connection: psycopg.Connection[Any]
) -> None:
    places = [f"/orders/order[{position}]/total[1]" for position in (1, 2)]
    found = [[Difference(place, "value", "1.00", "1.0")] for place in places]
    await store(url, comparisons=[compared(Verdict.mismatch, differences=each) for each in found])
    groups = read_differences(connection, "orders.list", "acme", "f1")
    assert [(g.path, g.kind, g.count, g.control, g.candidate) for g in groups] == [
        ("/orders/order[*]/total[*]", "value", 2, "1.00", "1.0")
    ]


async def test_while_the_database_is_away_nothing_is_lost_and_nothing_counted_twice(
    url: str, connection: psycopg.Connection[Any]
) -> None:
    async with Recorder(url, application_name="test") as recorder:
        connection.execute("ALTER TABLE banyan.comparison RENAME TO away")
        recorder.call(CALL)
        recorder.compared(compared(Verdict.match))
        assert not await recorder.flush()
        recorder.call(CALL)
        connection.execute("ALTER TABLE banyan.away RENAME TO comparison")
    assert [call.count for call in read_calls(connection)] == [2]
    assert read_evidence(connection, "orders.list", "acme", "f1").matches == 1
