"""Keeps recordings: chosen as the route says, stored in batches, the oldest deleted beyond the route's bounds."""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import psycopg
from psycopg import AsyncConnection
from sqlalchemy import ColumnElement, Delete, delete, func, insert, select

from api_gateway.edge.exchange import Exchange
from api_gateway.evidence.storing import Storing
from api_gateway.recordings.masking import recording_of
from api_gateway.recordings.recording import Recording
from api_gateway.routes import Recorded, Route
from shared_models import state
from shared_models.statements import run_async

WAITING = 200  # recordings held in memory; beyond that the next ones are not made
KINDS = 2000  # of requests and answers that are remembered as kept

_row = state.recording.c
_Batch = list[tuple[Recorded, Recording]]


class Keeper(Storing[_Batch]):
    """`offer` each complete exchange of a recorded route. It never waits and never raises for what legacy sent."""

    def __init__(self, url: str, *, application_name: str, seed: int | None = None) -> None:
        super().__init__(url, application_name)
        self._waiting: deque[tuple[Recorded, Recording]] = deque()
        self._kinds: set[tuple[str, str, str]] = set()
        self._random = random.Random(seed)  # noqa: S311  # a sample, no secret
        self._skipped: Counter[tuple[str, str]] = Counter()

    def offer(self, route: Route, exchange: Exchange, consumer: str | None) -> None:
        kept = route.recorded
        if kept is None:
            return
        chosen = self._random.random() < kept.share
        if not chosen and len(self._kinds) >= KINDS:
            return
        if not exchange.complete:
            self._skipped[route.name, "not recorded: incomplete"] += 1
        elif len(self._waiting) >= WAITING:
            self._skipped[route.name, "not recorded: too many waiting"] += 1
        else:
            recording = recording_of(route, exchange, consumer)
            kind = (route.name, recording.shape, recording.outcome)
            if chosen or kind not in self._kinds:
                self._waiting.append((kept, recording))
            if len(self._kinds) < KINDS:
                self._kinds.add(kind)

    def take_skipped(self) -> Mapping[tuple[str, str], int]:
        """What was not recorded since the last time: by route and reason."""
        skipped, self._skipped = self._skipped, Counter()
        return skipped

    def _take(self) -> _Batch | None:
        batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), 50))]
        return batch or None

    async def _write(self, connection: AsyncConnection[Any], batch: _Batch) -> None:
        rows = [
            {**recording.as_row(), "expires_at": func.clock_timestamp() + timedelta(days=kept.days)}
            for kept, recording in batch
        ]
        await run_async(connection, insert(state.recording).values(rows))
        for route, kept in {recording.route: kept for kept, recording in batch}.items():
            await run_async(connection, _beyond(route, kept))

    def _put_back(self, batch: _Batch, error: BaseException) -> None:
        """A database that is away will be back; what it will not have, it will never have."""
        if isinstance(error, (psycopg.OperationalError, OSError)) or not isinstance(error, psycopg.Error):
            self._waiting.extendleft(reversed(batch))
        else:
            self._skipped.update((recording.route, f"not recorded: {type(error).__name__}") for _, recording in batch)


def _beyond(route: str, kept: Recorded) -> Delete:
    """The oldest recordings of a route, beyond what it may keep."""
    newest_first: ColumnElement[Any] = _row.id.desc()
    ranked = (
        select(
            _row.id,
            func.row_number().over(order_by=newest_first).label("place"),
            func.sum(_row.bytes).over(order_by=newest_first).label("total"),
        )
        .where(_row.route == route)
        .subquery("ranked")
    )
    beyond = (ranked.c.place > kept.most) | (ranked.c.total > kept.megabytes * 1024 * 1024)
    return delete(state.recording).where(_row.id.in_(select(ranked.c.id).where(beyond)))
