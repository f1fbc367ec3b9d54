"""What is recorded: read, counted, deleted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from sqlalchemy import delete as delete_from
from sqlalchemy import func, select

from api_gateway.recordings.recording import Recording
from shared_models import state
from shared_models.statements import run

AT_ONCE = 50  # recordings read at a time: each may hold two bodies

_row = state.recording.c


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of one route. `shapes` and `outcomes`: how many kinds; `bytes`: of the bodies."""

    route: str
    recordings: int
    consumers: int
    shapes: int
    outcomes: int
    bytes: int
    first: datetime
    last: datetime

    def as_json(self) -> dict[str, Any]:
        moments = {"first": self.first.isoformat(), "last": self.last.isoformat()}
        return {name: getattr(self, name) for name in self.__slots__} | moments


def read(connection: Connection[Any], route: str, *, consumer: str | None = None) -> Iterator[Recording]:
    """The recordings of a route (and consumer), the oldest first; memory holds AT_ONCE of them."""
    after = 0
    while True:
        query = select(state.recording).where(_row.route == route, _row.id > after, _row.expires_at > func.now())
        if consumer is not None:
            query = query.where(_row.consumer == consumer)
        rows = run(connection, query.order_by(_row.id).limit(AT_ONCE))
        for row in rows:
            yield Recording.from_row(row)
        if len(rows) < AT_ONCE:
            return
        after = rows[-1]["id"]


def summary(connection: Connection[Any]) -> list[Kept]:
    """Of every route that has recordings, also those that are listed no more."""
    query = (
        select(
            _row.route,
            func.count().label("recordings"),
            func.count(_row.consumer.distinct()).label("consumers"),
            func.count(_row.shape.distinct()).label("shapes"),
            func.count(_row.outcome.distinct()).label("outcomes"),
            func.sum(_row.bytes).label("bytes"),
            func.min(_row.at).label("first"),
            func.max(_row.at).label("last"),
        )
        .group_by(_row.route)
        .order_by(_row.route)
    )
    return [Kept(**{**row, "bytes": int(row["bytes"])}) for row in run(connection, query)]


def delete(connection: Connection[Any], route: str, *, consumer: str | None = None) -> int:
    """Delete a route's recordings, or those of one consumer; how many there were."""
    statement = delete_from(state.recording).where(_row.route == route)
    if consumer is not None:
        statement = statement.where(_row.consumer == consumer)
    return len(run(connection, statement.returning(_row.id)))
