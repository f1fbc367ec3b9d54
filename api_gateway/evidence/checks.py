"""What the project's own checks said last: kept by the worker that asks them, read by the gate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Literal

from psycopg import Connection
from sqlalchemy import case, func, select
from sqlalchemy.dialects.postgresql import insert

from api_gateway.evidence.gate import CheckResult
from api_gateway.thresholds import Check
from shared_models import state
from shared_models.statements import Row, run

Verdict = Literal["fine", "broken", "inconclusive"]

LATE = timedelta(minutes=1)  # beyond twice the time between two answers

_kept = state.check_result.c


def note_check(connection: Connection[Any], name: str, verdict: Verdict, detail: str) -> int:
    """Keep an answer; how often in a row the check has said so by now."""
    now = func.clock_timestamp()
    fresh = insert(state.check_result).values(name=name, verdict=verdict, detail=detail)
    same = _kept.verdict == fresh.excluded.verdict
    kept = fresh.on_conflict_do_update(
        index_elements=["name"],
        set_={
            "verdict": fresh.excluded.verdict,
            "detail": fresh.excluded.detail,
            "at": now,
            "times": case((same, _kept.times + 1), else_=1),
            "since": case((same, _kept.since), else_=now),
        },
    )
    return int(run(connection, kept.returning(_kept.times))[0]["times"])


def read_checks(connection: Connection[Any]) -> list[Row]:
    """Name, verdict, detail, times in a row, since when, and the moment of the last answer."""
    query = select(state.check_result, (func.clock_timestamp() - _kept.at).label("age")).order_by(_kept.name)
    return list(run(connection, query))


def checks_of(rows: Sequence[Mapping[str, Any]], configured: Mapping[str, Check], route: str) -> list[CheckResult]:
    """Those that a route's gate goes by: not the dry runs."""
    known = {row["name"]: row for row in rows}
    found = []
    for name, check in configured.items():
        if check.dry_run or not check.is_about(route):
            continue
        row = known.get(name)
        fresh = row is not None and row["age"] < 2 * timedelta(seconds=check.every) + LATE
        found.append(CheckResult(name, row["verdict"] if row is not None else "never asked", fresh))
    return found
