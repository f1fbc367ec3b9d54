"""Writes down who called and how candidates compared: collected in memory, stored in batches, never waited for.

While the database is away counts go on adding up and comparisons are kept up to a limit; nothing that answers a request
depends on either.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from psycopg import AsyncConnection
from sqlalchemy import func, insert
from sqlalchemy.dialects.postgresql import insert as upsert

from api_gateway import events
from api_gateway.evidence.compare import Comparison
from api_gateway.evidence.storing import Storing
from api_gateway.logging import report
from shared_models import state
from shared_models.statements import run_async

BATCH = 200
KEPT = 5000  # comparisons kept in memory while the database is away; the oldest go first

NOT_CALLS = ("failed", "skipped")
"""Outcomes that are no call of their own: modern failed and legacy answered; an exchange was not compared."""


class Call(NamedTuple):
    """What is counted. `outcome`: `2xx` … `5xx`, `incomplete`, or one of NOT_CALLS."""

    route: str
    consumer: str | None
    stage: str
    answerer: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Compared:
    """A comparison with what it was about. `request` is masked: method, target."""

    route: str
    consumer: str | None
    fingerprint: str
    shape: str
    outcome: str
    comparison: Comparison
    control_ms: float
    candidate_ms: float
    request: dict[str, Any] = field(default_factory=dict)


_Batch = tuple[Counter[Call], list[Compared]]


def outcome_of(status: int) -> str:
    """`2xx` of 204; a status of 0 is an answer that never came."""
    return f"{status // 100}xx" if status else "incomplete"


class Recorder(Storing[_Batch]):
    """Collects calls and comparisons without waiting.

        async with Recorder(url, application_name="banyan observer") as recorder: ...

    url  as banyan_owner.
    """

    def __init__(self, url: str, *, application_name: str) -> None:
        super().__init__(url, application_name)
        self._calls: Counter[Call] = Counter()
        self._compared: deque[Compared] = deque(maxlen=KEPT)

    def call(self, call: Call) -> None:
        self._calls[call] += 1

    def compared(self, compared: Compared) -> None:
        self._compared.append(compared)
        report(
            events.ComparisonRecorded(
                compared.route,
                compared.consumer,
                str(compared.comparison.verdict),
                compared.shape,
                compared.control_ms,
                compared.candidate_ms,
            )
        )

    def _take(self) -> _Batch | None:
        calls, self._calls = self._calls, Counter()
        compared = [self._compared.popleft() for _ in range(min(len(self._compared), BATCH))]
        return (calls, compared) if calls or compared else None

    async def _write(self, connection: AsyncConnection[Any], batch: _Batch) -> None:
        calls, compared = batch
        if calls:
            await run_async(connection, _count(calls))
        if compared:
            await run_async(connection, insert(state.comparison).values([_row(each) for each in compared]))

    def _put_back(self, batch: _Batch, error: BaseException) -> None:
        calls, compared = batch
        self._calls.update(calls)
        self._compared.extendleft(reversed(compared[: KEPT - len(self._compared)]))


def _count(calls: Counter[Call]) -> Any:
    """In one order for everybody, so that two processes never wait for each other's rows crosswise."""
    rows = [
        {
            "hour": func.date_trunc("hour", func.clock_timestamp()),
            "route": call.route,
            "consumer": call.consumer or "",
            "stage": call.stage,
            "answerer": call.answerer,
            "outcome": call.outcome,
            "count": number,
        }
        for call, number in sorted(calls.items(), key=lambda item: tuple(part or "" for part in item[0]))
    ]
    statement = upsert(state.call_count).values(rows)
    return statement.on_conflict_do_update(
        constraint=state.call_count.primary_key,
        set_={"count": state.call_count.c.count + statement.excluded.count, "last_at": func.clock_timestamp()},
    )


def _row(compared: Compared) -> dict[str, Any]:
    comparison = compared.comparison
    about: dict[str, Any] = {**compared.request, "looks": comparison.looks}
    if comparison.why:
        about["why"] = comparison.why
    if comparison.ignored:
        about["ignored"] = [{"path": path, "reason": reason} for path, reason in comparison.ignored[:20]]
    return {
        "route": compared.route,
        "consumer": compared.consumer,
        "fingerprint": compared.fingerprint,
        "verdict": str(comparison.verdict),
        "shape": compared.shape,
        "outcome": compared.outcome,
        "differences": [difference.as_json() for difference in comparison.differences],
        "control_ms": compared.control_ms,
        "candidate_ms": compared.candidate_ms,
        "request": about,
    }
