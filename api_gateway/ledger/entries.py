"""The ledger: append-only, one entry per move, whose version numbers are the versions of the stage table.

Appending takes one advisory lock, so entries become visible in the order of their versions: a reader that has seen a
version has seen all before it. A promotion names the version its author looked at, and loses against any later entry of
the same route; a rollback names none, so it always wins.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from psycopg import Connection
from sqlalchemy import Select, func, insert, select

from api_gateway.errors import Finding
from api_gateway.stages import Stage, StageTable
from shared_models import state
from shared_models.statements import Row, run

MoveKind = Literal["promotion", "rollback", "automatic"]

APPENDING = 0x62616E79616E01  # "banyan", 1: the advisory lock of whoever appends


@dataclass(frozen=True, slots=True)
class Move:
    """What is to be written. `consumer` None moves the route itself; `evidence` is kept as it stood.

    kind        `automatic` is a rollback that a program made, such as canary's on errors.
    overridden  who moved it without the evidence, None when the evidence sufficed or none was needed.
    """

    route: str
    consumer: str | None
    from_stage: Stage
    to_stage: Stage
    actor: str
    reason: str
    kind: MoveKind = "promotion"
    evidence: Mapping[str, Any] | None = None
    overridden: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A move in the ledger."""

    version: int
    at: datetime
    move: Move

    def as_json(self) -> dict[str, Any]:
        move = self.move
        return {
            "version": self.version,
            "at": self.at.isoformat(),
            "actor": move.actor,
            "kind": move.kind,
            "route": move.route,
            "consumer": move.consumer,
            "from": str(move.from_stage),
            "to": str(move.to_stage),
            "reason": move.reason,
            "evidence": move.evidence,
            "overridden": move.overridden,
        }


class Superseded(Finding):
    """Somebody moved the route after the version that this move was decided on."""


def append(connection: Connection[Any], move: Move, expected_version: int | None = None) -> Entry:
    """Write a move and notify every watcher; returns it as written. Raises Superseded, and then nothing is written.

    A promotion needs `expected_version`, the version its author saw: any later entry of the same route makes it lose,
    and so does a stage that is no longer `from_stage`. A rollback needs none: it goes back from wherever the route
    stands by then, and is superseded only where that is as far back already.
    """
    with connection.transaction():
        run(connection, select(func.pg_advisory_xact_lock(APPENDING)))
        stands = read_table(connection).stage(move.route, move.consumer)
        if move.kind == "promotion":
            _refuse_if_overtaken(connection, move, stands, expected_version)
        elif stands.rank <= move.to_stage.rank:
            raise Superseded(f"{place(move.route, move.consumer)} stands at {stands} already.")
        row = run(
            connection,
            insert(state.ledger)
            .values(
                actor=move.actor,
                kind=move.kind,
                route=move.route,
                consumer=move.consumer,
                from_stage=str(stands),
                to_stage=str(move.to_stage),
                reason=move.reason,
                evidence=dict(move.evidence) if move.evidence is not None else None,
                overridden=move.overridden,
            )
            .returning(state.ledger),
        )[0]
        run(connection, select(func.pg_notify(state.CHANNEL, "")))
    return _entry(row)


def _refuse_if_overtaken(connection: Connection[Any], move: Move, stands: Stage, expected_version: int | None) -> None:
    if expected_version is None:
        raise ValueError("a promotion names the version it was decided on")
    latest = history(connection, route=move.route, limit=1)
    if latest and latest[0].version > expected_version:
        other = latest[0].move
        raise Superseded(
            f"{other.actor} moved {place(other.route, other.consumer)} to {other.to_stage} in the meantime "
            f"(version {latest[0].version}): {other.reason}",
            hint=f"look again: `banyan routes show {move.route}`.",
        )
    if stands is not move.from_stage:
        raise Superseded(f"{place(move.route, move.consumer)} stands at {stands}, not at {move.from_stage}.")


def place(route: str, consumer: str | None) -> str:
    """A route, or a route for one consumer, as it is said to a person."""
    return route if consumer is None else f"{route} for {consumer}"


def table_query() -> Select[Any]:
    """The newest entry of every (route, consumer) that ever moved."""
    entry = state.ledger.c
    newest = select(func.max(entry.version)).group_by(entry.route, entry.consumer)
    return select(entry.version, entry.route, entry.consumer, entry.to_stage).where(entry.version.in_(newest))


def table_of(rows: Sequence[Row]) -> StageTable:
    """The stage table from the rows of `table_query`."""
    stages = {(row["route"], row["consumer"]): Stage(row["to_stage"]) for row in rows}
    return StageTable(max((row["version"] for row in rows), default=0), stages)


def read_table(connection: Connection[Any]) -> StageTable:
    return table_of(run(connection, table_query()))


def history(
    connection: Connection[Any],
    *,
    route: str | None = None,
    consumer: str | None = None,
    limit: int = 100,
) -> list[Entry]:
    """The newest entries first; of one route, of one consumer (its own moves only), or all."""
    query = select(state.ledger).order_by(state.ledger.c.version.desc()).limit(limit)
    if route is not None:
        query = query.where(state.ledger.c.route == route)
    if consumer is not None:
        query = query.where(state.ledger.c.consumer == consumer)
    return [_entry(row) for row in run(connection, query)]


def previous_stage(connection: Connection[Any], route: str, consumer: str | None, stands: Stage) -> Stage | None:
    """From where the last promotion brought this place to the stage at which it stands; None when none did."""
    entry = state.ledger.c
    query = (
        select(entry.from_stage)
        .where(
            entry.route == route,
            entry.consumer.is_not_distinct_from(consumer),
            entry.kind == "promotion",
            entry.to_stage == str(stands),
        )
        .order_by(entry.version.desc())
        .limit(1)
    )
    rows = run(connection, query)
    return Stage(rows[0]["from_stage"]) if rows else None


def _entry(row: Row) -> Entry:
    move = Move(
        route=row["route"],
        consumer=row["consumer"],
        from_stage=Stage(row["from_stage"]),
        to_stage=Stage(row["to_stage"]),
        actor=row["actor"],
        reason=row["reason"],
        kind=row["kind"],
        evidence=row["evidence"],
        overridden=row["overridden"],
    )
    return Entry(row["version"], row["at"], move)
