"""What has been seen so far: the evidence of a route (and consumer) for one candidate, its differences, its calls."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg import Connection
from sqlalchemy import ColumnElement, Select, column, func, literal_column, select

from api_gateway.evidence.gate import Evidence
from api_gateway.evidence.record import NOT_CALLS
from api_gateway.evidence.verified import read_verified
from shared_models import state
from shared_models.statements import run

DAY: ColumnElement[timedelta] = literal_column("interval '24 hours'")

_row = state.comparison.c
_count = state.call_count.c


@dataclass(frozen=True, slots=True)
class DifferenceGroup:
    """Differences of one kind at one place, positions aside (`$.orders[*].total`), with a sample pair."""

    path: str
    kind: str
    count: int
    since: datetime
    last: datetime
    control: str | None
    candidate: str | None

    def as_json(self) -> dict[str, Any]:
        moments = {"since": self.since.isoformat(), "last": self.last.isoformat()}
        sample = {"control": self.control, "candidate": self.candidate}
        return {"path": self.path, "kind": self.kind, "count": self.count, **moments, "sample": sample}


@dataclass(frozen=True, slots=True)
class IgnoredGroup:
    """How often a rule took out what differs at one place, positions aside: a rule that never does can go."""

    path: str
    reason: str
    count: int
    last: datetime

    def as_json(self) -> dict[str, Any]:
        return {"path": self.path, "reason": self.reason, "count": self.count, "last": self.last.isoformat()}


@dataclass(frozen=True, slots=True)
class Calls:
    """How often a consumer called a route, at a stage, answered by whom."""

    route: str
    consumer: str | None
    stage: str
    answerer: str
    outcome: str
    count: int
    last: datetime

    def as_json(self) -> dict[str, Any]:
        return {**{name: getattr(self, name) for name in self.__slots__}, "last": self.last.isoformat()}


def read_evidence(connection: Connection[Any], route: str, consumer: str | None, fingerprint: str) -> Evidence:
    """Of one consumer, or with None of everybody who calls the route."""
    mine = _of(route, consumer, fingerprint)
    by_verdict = {row["verdict"]: row for row in run(connection, _verdicts(mine))}
    conclusive = [*mine, _row.verdict != "inconclusive"]
    calls = run(connection, _calls_of_the_day(route, consumer))[0]
    took = run(connection, _geometric_means(conclusive))[0]
    return Evidence(
        fingerprint=fingerprint,
        matches=_number(by_verdict, "match"),
        mismatches=_number(by_verdict, "mismatch"),
        ignored=_number(by_verdict, "ignored"),
        intended=_number(by_verdict, "intended"),
        inconclusive=_number(by_verdict, "inconclusive"),
        shapes=_grouped(connection, _row.shape, conclusive),
        outcomes=_grouped(connection, _row.outcome, conclusive),
        first=min((row["first"] for row in by_verdict.values()), default=None),
        last=max((row["last"] for row in by_verdict.values()), default=None),
        calls=int(calls["calls"] or 0),
        skipped=int(calls["skipped"] or 0),
        control_ms=took["control_ms"],
        candidate_ms=took["candidate_ms"],
        at_canary=_at_canary(connection, route, consumer),
        verified=read_verified(connection, route, fingerprint),
    )


def read_differences(
    connection: Connection[Any], route: str, consumer: str | None, fingerprint: str, *, limit: int = 20
) -> list[DifferenceGroup]:
    """The most frequent first; sample values are masked as they were stored."""
    each = func.jsonb_array_elements(_row.differences).table_valued(column("value", state.JSONB), name="each")
    difference = each.c.value
    path = func.regexp_replace(difference["path"].astext, r"\[\d+\]", "[*]", "g")
    kind = difference["kind"].astext
    query = (
        select(
            path.label("path"),
            kind.label("kind"),
            func.count().label("count"),
            func.min(_row.at).label("since"),
            func.max(_row.at).label("last"),
            func.min(difference["control"].astext).label("control"),
            func.min(difference["candidate"].astext).label("candidate"),
        )
        .select_from(state.comparison.join(each, literal_column("true")))
        .where(*_of(route, consumer, fingerprint), _row.verdict == "mismatch")
        .group_by(literal_column("1"), literal_column("2"))
        .order_by(func.count().desc(), literal_column("1"))
        .limit(limit)
    )
    return [DifferenceGroup(**row) for row in run(connection, query)]


def read_ignored(connection: Connection[Any], route: str, consumer: str | None, fingerprint: str) -> list[IgnoredGroup]:
    """What ignore rules and signed intentions took out, the most frequent first."""
    each = func.jsonb_array_elements(_row.request["ignored"]).table_valued(column("value", state.JSONB), name="each")
    path = func.regexp_replace(each.c.value["path"].astext, r"\[\d+\]", "[*]", "g")
    query = (
        select(
            path.label("path"),
            each.c.value["reason"].astext.label("reason"),
            func.count().label("count"),
            func.max(_row.at).label("last"),
        )
        .select_from(state.comparison.join(each, literal_column("true")))
        .where(*_of(route, consumer, fingerprint))
        .group_by(literal_column("1"), literal_column("2"))
        .order_by(func.count().desc(), literal_column("1"))
        .limit(50)
    )
    return [IgnoredGroup(**row) for row in run(connection, query)]


def read_calls(connection: Connection[Any], route: str | None = None) -> list[Calls]:
    """Of the last 24 hours, by the database's clock; what is no call (NOT_CALLS) is told apart by its outcome."""
    keys = (_count.route, _count.consumer, _count.stage, _count.answerer, _count.outcome)
    query = (
        select(*keys, func.sum(_count.count).label("count"), func.max(_count.last_at).label("last"))
        .where(_count.hour > func.now() - DAY)
        .group_by(*keys)
        .order_by(*keys)
    )
    if route is not None:
        query = query.where(_count.route == route)
    rows = run(connection, query)
    return [Calls(**{**row, "consumer": row["consumer"] or None, "count": int(row["count"])}) for row in rows]


def _of(route: str, consumer: str | None, fingerprint: str) -> list[ColumnElement[bool]]:
    mine = [_row.route == route, _row.fingerprint == fingerprint]
    return mine if consumer is None else [*mine, _row.consumer == consumer]


def _verdicts(mine: list[ColumnElement[bool]]) -> Select[Any]:
    times = (func.min(_row.at).label("first"), func.max(_row.at).label("last"))
    return select(_row.verdict, func.count().label("count"), *times).where(*mine).group_by(_row.verdict)


def _grouped(connection: Connection[Any], by: Any, where: list[ColumnElement[bool]]) -> dict[str, int]:
    query = select(by.label("name"), func.count().label("count")).where(*where).group_by(by)
    return {row["name"]: int(row["count"]) for row in run(connection, query.order_by(func.count().desc()).limit(200))}


def _calls_of_the_day(route: str, consumer: str | None) -> Select[Any]:
    whose = [] if consumer is None else [_count.consumer == consumer]
    is_call = _count.outcome.not_in(NOT_CALLS)
    return select(
        func.sum(_count.count).filter(is_call).label("calls"),
        func.sum(_count.count).filter(_count.outcome == "skipped").label("skipped"),
    ).where(_count.route == route, _count.hour > func.now() - DAY, *whose)


def _geometric_means(conclusive: list[ColumnElement[bool]]) -> Select[Any]:
    def mean(milliseconds: ColumnElement[Any]) -> ColumnElement[Any]:
        return func.exp(func.avg(func.ln(func.greatest(milliseconds, 0.01))))

    control, candidate = mean(_row.control_ms).label("control_ms"), mean(_row.candidate_ms).label("candidate_ms")
    return select(control, candidate).where(*conclusive, _row.control_ms > 0, _row.candidate_ms > 0)


def _at_canary(connection: Connection[Any], route: str, consumer: str | None) -> int:
    """Calls that modern answered there within the last day."""
    whose = [] if consumer is None else [_count.consumer == consumer]
    query = select(func.coalesce(func.sum(_count.count), 0).label("count")).where(
        _count.route == route,
        _count.stage == "canary",
        _count.answerer == "modern",
        _count.outcome.not_in(NOT_CALLS),
        _count.hour > func.now() - DAY,
        *whose,
    )
    return int(run(connection, query)[0]["count"])


def _number(by_verdict: dict[str, Any], verdict: str) -> int:
    return int(by_verdict[verdict]["count"]) if verdict in by_verdict else 0
