"""Every question that the console asks: SQLAlchemy Core on the tables of schema `banyan`, all of them reading.

Each is bounded: by a window of time, or by a number of rows.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, and_, case, cast, false, func, or_, select, tuple_
from sqlalchemy.dialects.postgresql import distinct_on

from api_gateway.evidence.record import NOT_CALLS
from api_gateway.ledger import LIVE_FOR, newest_moves
from shared_models.job_tables import queued, status_is
from shared_models.state import (
    call_count,
    check_result,
    comparison,
    consumer,
    credential,
    job_fault,
    ledger,
    outage,
    process,
)

DAY = timedelta(hours=24)
MONTH = timedelta(days=30)
MOVES, OUTAGES, CONSUMERS, PROCESSES, CREDENTIALS, FAULTS = 20, 50, 200, 60, 50, 100


def now() -> Select[Any]:
    """The database's clock, which set every time that the page shows."""
    return select(func.now())


def consumers() -> Select[Any]:
    return select(consumer.c.code, consumer.c.name).order_by(consumer.c.code).limit(CONSUMERS)


def register() -> Select[Any]:
    """Every consumer with what it is known by, and its calls of listed routes within 30 days."""
    is_live = and_(credential.c.revoked.is_(None), func.coalesce(credential.c.expires > func.now(), True))
    known = (
        select(
            credential.c.consumer,
            func.array_agg(credential.c.kind.distinct()).filter(is_live).label("kinds"),
            func.max(credential.c.last_used).label("last_used"),
        )
        .group_by(credential.c.consumer)
        .subquery()
    )
    made = (
        select(call_count.c.consumer, func.sum(call_count.c.count).label("calls"))
        .where(call_count.c.hour > func.now() - MONTH, call_count.c.outcome.not_in(NOT_CALLS))
        .group_by(call_count.c.consumer)
        .subquery()
    )
    return (
        select(
            consumer.c.code,
            consumer.c.name,
            consumer.c.contact,
            consumer.c.version,
            known.c.kinds,
            known.c.last_used,
            cast(func.coalesce(made.c.calls, 0), BigInteger).label("calls"),
        )
        .select_from(
            consumer.outerjoin(known, known.c.consumer == consumer.c.code).outerjoin(
                made, made.c.consumer == consumer.c.code
            )
        )
        .order_by(consumer.c.code)
        .limit(CONSUMERS)
    )


def registered(code: str) -> Select[Any]:
    return select(consumer).where(consumer.c.code == code)


def credentials(code: str) -> Select[Any]:
    """Without their hashes; the live ones first, then the newest."""
    shown = [column for column in credential.c if column.name != "hash"]
    newest = (credential.c.revoked.is_not(None), credential.c.id.desc())
    return select(*shown).where(credential.c.consumer == code).order_by(*newest).limit(CREDENTIALS)


def faults(job: int) -> Select[Any]:
    """The first rows that it could not take; what they held is not shown: it is a customer's."""
    shown = (job_fault.c.row, job_fault.c.field, job_fault.c.code, job_fault.c.detail)
    return select(*shown).where(job_fault.c.job == job).order_by(job_fault.c.row, job_fault.c.n).limit(FAULTS)


def failed_jobs() -> Select[Any]:
    return select(func.count()).select_from(queued).where(status_is("failed"))


def stages() -> Select[Any]:
    """The newest move of each (route, consumer): where everybody stands. Consumer null is the route itself."""
    return newest_moves(ledger.c.to_stage.label("stage"), ledger.c.at.label("since"), ledger.c.share)


def ledger_version() -> Select[Any]:
    return select(func.coalesce(func.max(ledger.c.version), 0))


def moves() -> Select[Any]:
    """The last moves, newest first."""
    return select(ledger).order_by(ledger.c.version.desc()).limit(MOVES)


def outages() -> Select[Any]:
    """Of each thing that a changed schema took out of service the newest entry; what is back only for a while."""
    newest = (
        select(outage)
        .ext(distinct_on(outage.c.subject, outage.c.name))
        .order_by(outage.c.subject, outage.c.name, outage.c.id.desc())
        .subquery()
    )
    shown = or_(newest.c.change == "out", newest.c.at > func.now() - DAY)
    return select(newest).where(shown).order_by(newest.c.id.desc()).limit(OUTAGES)


def calls() -> Select[Any]:
    """Per route, consumer, answerer and outcome: calls in the last 24 hours, and the last call within 30 days."""
    recent = call_count.c.hour > func.now() - DAY
    place = (call_count.c.route, call_count.c.consumer, call_count.c.answerer, call_count.c.outcome)
    return (
        select(
            *place,
            func.coalesce(func.sum(case((recent, call_count.c.count))), 0).label("count"),
            func.max(call_count.c.last_at).label("last_at"),
        )
        .where(call_count.c.hour > func.now() - MONTH)
        .group_by(*place)
    )


def hours() -> Select[Any]:
    """Calls of the last 24 hours, per hour and answerer."""
    return (
        select(call_count.c.hour, call_count.c.answerer, func.sum(call_count.c.count).label("count"))
        .where(call_count.c.hour > func.now() - DAY, call_count.c.outcome.not_in(NOT_CALLS))
        .group_by(call_count.c.hour, call_count.c.answerer)
    )


def verdicts(fingerprints: Mapping[str, str]) -> Select[Any]:
    """Per route and consumer: how the comparisons of today's candidates came out. `fingerprints` is by route."""
    return (
        select(
            comparison.c.route,
            comparison.c.consumer,
            comparison.c.verdict,
            func.count().label("count"),
            func.min(comparison.c.at).label("first"),
            func.max(comparison.c.at).label("last"),
        )
        .where(_candidates(fingerprints))
        .group_by(comparison.c.route, comparison.c.consumer, comparison.c.verdict)
    )


def shapes(fingerprints: Mapping[str, str]) -> Select[Any]:
    """Per route and consumer: the request shapes that were conclusively compared."""
    return (
        select(comparison.c.route, comparison.c.consumer, comparison.c.shape, func.count().label("count"))
        .where(_candidates(fingerprints), comparison.c.verdict != "inconclusive")
        .group_by(comparison.c.route, comparison.c.consumer, comparison.c.shape)
    )


def outcomes(fingerprints: Mapping[str, str]) -> Select[Any]:
    """Per route and consumer: the kinds of legacy's answers that were conclusively compared."""
    return (
        select(comparison.c.route, comparison.c.consumer, comparison.c.outcome, func.count().label("count"))
        .where(_candidates(fingerprints), comparison.c.verdict != "inconclusive")
        .group_by(comparison.c.route, comparison.c.consumer, comparison.c.outcome)
    )


def canary() -> Select[Any]:
    """Per route and consumer: calls of the last 24 hours that modern answered at canary."""
    return (
        select(call_count.c.route, call_count.c.consumer, func.sum(call_count.c.count).label("count"))
        .where(call_count.c.stage == "canary", call_count.c.answerer == "modern")
        .where(call_count.c.outcome.not_in(NOT_CALLS), call_count.c.hour > func.now() - DAY)
        .group_by(call_count.c.route, call_count.c.consumer)
    )


def checks() -> Select[Any]:
    """What the project's own checks said last, and how long ago."""
    return select(check_result, (func.now() - check_result.c.at).label("age")).order_by(check_result.c.name)


def durations(fingerprints: Mapping[str, str]) -> Select[Any]:
    """Per route, and per route and consumer (`whole` 1 and 0): how long both sides take, median in milliseconds."""

    def median(column: ColumnElement[Any]) -> ColumnElement[Any]:
        return func.percentile_cont(0.5).within_group(column)

    route, who = comparison.c.route, comparison.c.consumer
    return (
        select(
            route,
            who,
            func.grouping(who).label("whole"),
            median(comparison.c.control_ms).label("control_ms"),
            median(comparison.c.candidate_ms).label("candidate_ms"),
        )
        .where(_candidates(fingerprints), comparison.c.verdict != "inconclusive")
        .group_by(func.grouping_sets(tuple_(route), tuple_(route, who)))
    )


def last_mismatches(fingerprints: Mapping[str, str]) -> Select[Any]:
    """Of each route and consumer the newest mismatch, with its differences as they were stored: masked."""
    return (
        select(comparison.c.route, comparison.c.consumer, comparison.c.at, comparison.c.shape, comparison.c.differences)
        .ext(distinct_on(comparison.c.route, comparison.c.consumer))
        .where(_candidates(fingerprints), comparison.c.verdict == "mismatch")
        .order_by(comparison.c.route, comparison.c.consumer, comparison.c.at.desc())
    )


def processes() -> Select[Any]:
    """The processes of the last day that did not leave, the dead ones included; of each kind the oldest first."""
    return (
        select(process, (process.c.seen > func.now() - LIVE_FOR).label("live"))
        .where(process.c.seen > func.now() - DAY)
        .order_by(process.c.kind, process.c.started, process.c.id)
        .limit(PROCESSES)
    )


def _candidates(fingerprints: Mapping[str, str]) -> ColumnElement[bool]:
    pairs: Collection[tuple[str, str]] = [(route, mark) for route, mark in fingerprints.items() if mark]
    matches = [and_(comparison.c.route == route, comparison.c.fingerprint == mark) for route, mark in pairs]
    return or_(*matches) if matches else false()
