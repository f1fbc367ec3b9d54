"""The ledger: append-only, one entry per move, whose version numbers are the versions of the stage table.

Appending takes one advisory lock, so entries become visible in the order of their versions: a reader that has seen a
version has seen all before it. A promotion names the version its author looked at, and loses against any later entry of
the same route; a rollback names none, so it always wins.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from psycopg import Connection
from sqlalchemy import ColumnElement, Select, any_, func, insert, literal, or_, select
from sqlalchemy.dialects.postgresql import array, distinct_on

from api_gateway.errors import Finding
from api_gateway.ledger.freezing import APPENDING, refuse_if_frozen
from api_gateway.stages import WHOLE, Stage, StageTable
from shared_models import state
from shared_models.statements import Row, run

MoveKind = Literal["promotion", "rollback", "automatic"]


@dataclass(frozen=True, slots=True)
class Move:
    """What is to be written. `consumer` None moves the route itself; `evidence` is kept as it stood.

    kind        `automatic` is a rollback that a program made, such as canary's on errors.
    overridden  who moved it without the evidence, None when the evidence sufficed or none was needed.
    members     routes of a group, `route` among them, that this one entry moves: all of them or none.
    share       percent of those whom nobody names that are moved; None: everyone.
    by_itself   nobody asks for it at this moment: not while it is frozen.
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
    members: tuple[str, ...] = ()
    share: float | None = None
    by_itself: bool = False

    @property
    def routes(self) -> tuple[str, ...]:
        return self.members or (self.route,)

    @property
    def position(self) -> tuple[int, float]:
        """As `StageTable.position`: where it leads."""
        return self.to_stage.rank, WHOLE if self.share is None else self.share


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
            "members": list(move.members),
            "share": move.share,
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
        table = read_table(connection)
        if move.kind == "automatic" or move.by_itself:
            refuse_if_frozen(connection)
        if move.kind == "promotion":
            for route in move.routes:
                _refuse_if_overtaken(connection, move, route, table, expected_version)
        else:
            move = _still_beyond(move, table)
        row = run(
            connection,
            insert(state.ledger)
            .values(
                actor=move.actor,
                kind=move.kind,
                route=move.route,
                consumer=move.consumer,
                from_stage=str(table.stage(move.route, move.consumer)),
                to_stage=str(move.to_stage),
                reason=move.reason,
                evidence=dict(move.evidence) if move.evidence is not None else None,
                overridden=move.overridden,
                members=list(move.members) or None,
                share=move.share,
            )
            .returning(state.ledger),
        )[0]
        run(connection, select(func.pg_notify(state.CHANNEL, "")))
    return _entry(row)


def _refuse_if_overtaken(
    connection: Connection[Any], move: Move, route: str, table: StageTable, expected_version: int | None
) -> None:
    if expected_version is None:
        raise ValueError("a promotion names the version it was decided on")
    latest = history(connection, route=route, limit=1)
    if latest and latest[0].version > expected_version:
        other = latest[0].move
        raise Superseded(
            f"{other.actor} moved {place(route, other.consumer)} to {other.to_stage} in the meantime "
            f"(version {latest[0].version}): {other.reason}",
            hint=f"look again: `banyan routes show {route}`.",
        )
    stands = table.stage(route, move.consumer)
    if (route == move.route and stands is not move.from_stage) or table.position(route, move.consumer) >= move.position:
        raise Superseded(f"{place(route, move.consumer)} stands at {stands}, not at {move.from_stage}.")


def _still_beyond(move: Move, table: StageTable) -> Move:
    """The part of a move back that is still to be made: who stands as far back already is not moved forward by it."""
    beyond = tuple(route for route in move.routes if table.position(route, move.consumer) > move.position)
    if not beyond:
        stands = table.stage(move.route, move.consumer)
        raise Superseded(f"{place(move.route, move.consumer)} stands at {stands} already.")
    route = move.route if move.route in beyond else beyond[0]
    return replace(move, route=route, members=beyond if len(beyond) > 1 else ())


def place(route: str, consumer: str | None) -> str:
    """A route, or a route for one consumer, as it is said to a person."""
    return route if consumer is None else f"{route} for {consumer}"


def table_query() -> Select[Any]:
    """The newest entry of every (route, consumer) that ever moved; an entry of several routes is one of each."""
    return newest_moves(state.ledger.c.version, state.ledger.c.to_stage, state.ledger.c.share)


def newest_moves(*told: ColumnElement[Any]) -> Select[Any]:
    """Of each (route, consumer) that ever moved the newest entry: `route`, `consumer`, and what of it is to be told."""
    entry = state.ledger.c
    every = func.unnest(func.coalesce(entry.members, array([entry.route])))
    moved = every.table_valued("route", name="moved").render_derived()
    return (
        select(moved.c.route, entry.consumer, *told)
        .select_from(state.ledger, moved)
        .ext(distinct_on(moved.c.route, entry.consumer))
        .order_by(moved.c.route, entry.consumer, entry.version.desc())
    )


def table_of(rows: Sequence[Row]) -> StageTable:
    """The stage table from the rows of `table_query`."""
    stages = {(row["route"], row["consumer"]): Stage(row["to_stage"]) for row in rows}
    shares = {row["route"]: float(row["share"]) for row in rows if row["share"] is not None}
    return StageTable(max((row["version"] for row in rows), default=0), stages, shares)


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
        query = query.where(is_about(route))
    if consumer is not None:
        query = query.where(state.ledger.c.consumer == consumer)
    return [_entry(row) for row in run(connection, query)]


def previous_stage(connection: Connection[Any], route: str, consumer: str | None, stands: Stage) -> Stage | None:
    """From where the last promotion brought this place to the stage at which it stands; None when none did."""
    entry = state.ledger.c
    query = (
        select(entry.from_stage)
        .where(
            is_about(route),
            entry.from_stage != entry.to_stage,
            entry.consumer.is_not_distinct_from(consumer),
            entry.kind == "promotion",
            entry.to_stage == str(stands),
        )
        .order_by(entry.version.desc())
        .limit(1)
    )
    rows = run(connection, query)
    return Stage(rows[0]["from_stage"]) if rows else None


def last_stage_of_legacy(connection: Connection[Any], route: str, consumer: str | None) -> Stage | None:
    """From which stage of legacy's this place was last let beyond it; None when it never was."""
    entry = state.ledger.c
    beyond = [str(stage) for stage in Stage if stage.rank > Stage.shadow.rank]
    query = (
        select(entry.from_stage)
        .where(is_about(route), entry.consumer.is_not_distinct_from(consumer))
        .where(entry.from_stage.not_in(beyond), entry.to_stage.in_(beyond))
        .order_by(entry.version.desc())
        .limit(1)
    )
    rows = run(connection, query)
    return Stage(rows[0]["from_stage"]) if rows else None


def is_about(route: str) -> ColumnElement[bool]:
    """Entries that move this route, by itself or in a group."""
    return or_(state.ledger.c.route == route, literal(route) == any_(state.ledger.c.members))


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
        members=tuple(row["members"] or ()),
        share=row["share"],
    )
    return Entry(row["version"], row["at"], move)
