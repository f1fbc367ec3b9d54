"""Writes down who called and how candidates compared: collected in memory, stored in batches, never waited for.

While the database is away counts go on adding up and comparisons are kept up to a limit; nothing that answers a request
depends on either.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

import psycopg
from psycopg import AsyncConnection
from sqlalchemy import func, insert
from sqlalchemy.dialects.postgresql import insert as upsert

from api_gateway import events
from api_gateway.evidence.compare import Comparison
from api_gateway.logging import report
from shared_models import state
from shared_models.statements import run_async

EVERY = 0.5  # seconds between batches
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


def outcome_of(status: int) -> str:
    """`2xx` of 204; a status of 0 is an answer that never came."""
    return f"{status // 100}xx" if status else "incomplete"


class Recorder:
    """Collects without waiting, and stores every half second while it is open, once more when it is closed.

        async with Recorder(url, application_name="banyan observer") as recorder: ...

    url  as banyan_owner.
    """

    def __init__(self, url: str, *, application_name: str) -> None:
        self._url = url
        self._application_name = application_name
        self._calls: Counter[Call] = Counter()
        self._compared: deque[Compared] = deque(maxlen=KEPT)
        self._connection: AsyncConnection[Any] | None = None
        self._task: asyncio.Task[None] | None = None

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

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self.flush()
        await self._close()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            await self.flush()

    async def flush(self) -> bool:
        """Store what was collected. False when the database did not take it; nothing is lost or counted twice then."""
        calls, self._calls = self._calls, Counter()
        compared = [self._compared.popleft() for _ in range(min(len(self._compared), BATCH))]
        if not calls and not compared:
            return True
        try:
            connection = await self._open()
            async with connection.transaction():
                if calls:
                    await run_async(connection, _count(calls))
                if compared:
                    await run_async(connection, insert(state.comparison).values([_row(each) for each in compared]))
        except BaseException as error:
            self._calls.update(calls)
            self._compared.extendleft(reversed(compared[: KEPT - len(self._compared)]))
            await self._close()
            if not isinstance(error, (psycopg.Error, OSError)):
                raise
            return False
        return True

    async def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _open(self) -> AsyncConnection[Any]:
        if self._connection is None or self._connection.closed:
            self._connection = await AsyncConnection.connect(
                self._url,
                autocommit=True,
                connect_timeout=2,
                application_name=self._application_name,
                options="-c statement_timeout=5s -c lock_timeout=2s",
            )
        return self._connection


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
