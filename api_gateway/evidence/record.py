"""Writes down who called and how candidates compared: collected in memory, stored in batches, never waited for.

While the database is away counts go on adding up and comparisons are kept up to a limit; nothing that answers a request
depends on either.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from psycopg import AsyncConnection
from sqlalchemy import func, insert
from sqlalchemy.dialects.postgresql import insert as upsert

from api_gateway import events
from api_gateway.evidence.compare import Comparison, Verdict
from api_gateway.evidence.pulses import Pulse, Times, beat_statement
from api_gateway.evidence.storing import Storing
from api_gateway.logging import report
from shared_models import state
from shared_models.statements import run_async

BATCH = 200
SOON = 0.03  # seconds, once something failed that should have been modern's
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
    """A comparison with what it was about. `request` is masked: method, target.

    pulse  as what it counts where modern answers already: whose stage decided, at which version.
    """

    route: str
    consumer: str | None
    fingerprint: str
    shape: str
    outcome: str
    comparison: Comparison
    control_ms: float
    candidate_ms: float
    request: dict[str, Any] = field(default_factory=dict)
    pulse: Pulse | None = None


Places = frozenset[tuple[str, str | None]]
"""Routes, and on them the consumers whose own stage decided; None for the route's."""


class _Batch(NamedTuple):
    calls: Counter[Call]
    pulses: dict[Pulse, Times]
    compared: list[Compared]


def outcome_of(status: int) -> str:
    """`2xx` of 204; a status of 0 is an answer that never came."""
    return f"{status // 100}xx" if status else "incomplete"


class Recorder(Storing[_Batch]):
    """Collects calls and comparisons without waiting.

        async with Recorder(url, application_name="banyan observer") as recorder: ...

    url     as banyan_owner.
    stored  called when it has been stored how modern fared at these places; it must not wait.
    """

    def __init__(self, url: str, *, application_name: str, stored: Callable[[Places], None] | None = None) -> None:
        super().__init__(url, application_name)
        self._stored = stored
        self._pulses: dict[Pulse, Times] = {}
        self._fared: set[tuple[str, str | None]] = set()
        self._hurry = asyncio.Event()
        self._calls: Counter[Call] = Counter()
        self._compared: deque[Compared] = deque(maxlen=KEPT)

    def call(self, call: Call) -> None:
        self._calls[call] += 1

    def pulse(self, pulse: Pulse, milliseconds: float) -> None:
        """Count how one call fared. A failure of modern is stored at once: somebody may have to act on it."""
        self._pulses.setdefault(pulse, Times()).add(milliseconds)
        if pulse.outcome in ("failed", "mismatch") and pulse.side != "legacy":
            self._hurry.set()

    def compared(self, compared: Compared) -> None:
        self._compared.append(compared)
        verdict = compared.comparison.verdict
        if compared.pulse is not None and verdict is not Verdict.inconclusive:
            outcome: Literal["match", "mismatch"] = "mismatch" if verdict is Verdict.mismatch else "match"
            self.pulse(compared.pulse._replace(outcome=outcome), compared.candidate_ms)
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

    async def _pause(self) -> None:
        """Until it is time; hardly at all once modern has failed."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self.every):  # wait_for of Python 3.11 may swallow that we are to end
                await self._hurry.wait()
            self._hurry.clear()
            await asyncio.sleep(SOON)

    async def flush(self) -> bool:
        """As any that stores, and then somebody is told how modern fared."""
        done = await super().flush()
        fared, self._fared = frozenset(self._fared), set()
        if done and fared and self._stored is not None:
            self._stored(fared)
        return done

    def _take(self) -> _Batch | None:
        calls, self._calls = self._calls, Counter()
        pulses, self._pulses = self._pulses, {}
        compared = [self._compared.popleft() for _ in range(min(len(self._compared), BATCH))]
        return _Batch(calls, pulses, compared) if calls or pulses or compared else None

    async def _write(self, connection: AsyncConnection[Any], batch: _Batch) -> None:
        if batch.calls:
            await run_async(connection, _count(batch.calls))
        if batch.pulses:
            await run_async(connection, beat_statement(batch.pulses))
            self._fared |= {(pulse.route, pulse.place) for pulse in batch.pulses if pulse.side != "legacy"}
        if batch.compared:
            await run_async(connection, insert(state.comparison).values([_row(each) for each in batch.compared]))

    def _put_back(self, batch: _Batch, error: BaseException) -> None:
        self._calls.update(batch.calls)
        for pulse, times in batch.pulses.items():
            self._pulses.setdefault(pulse, Times()).merge(times.count, times.log_sum, times.log_square)
        self._compared.extendleft(reversed(batch.compared[: KEPT - len(self._compared)]))


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
