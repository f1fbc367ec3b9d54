"""A move: checked, weighed against the evidence, written to the ledger, and acknowledged by every live process.

Forward goes one stage at a time, with evidence from canary on; back goes anywhere, at once, and asks for nothing.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import psycopg
from psycopg import Connection

from api_gateway import ledger
from api_gateway.errors import EnvironmentFault, Finding, UsageError
from api_gateway.evidence.gate import Criterion, missing
from api_gateway.ledger import Move, MoveKind, Process, place
from api_gateway.moves.asked import check_reason, check_share, check_step, elsewhere, known
from api_gateway.moves.told import report_moved
from api_gateway.moves.weigh import as_evidence, may_be_overridden, required_of, spoken
from api_gateway.project import Project
from api_gateway.routes import Route
from api_gateway.stages import Stage

RECENTLY = timedelta(minutes=1)


class Refused(Finding):
    """The evidence does not suffice. `criteria` are those that are not met."""

    def __init__(self, message: str, unmet: Sequence[Criterion]) -> None:
        super().__init__(message)
        self.criteria = tuple(unmet)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A move that is in the ledger.

    laggards  live processes that had not acknowledged it when the time was over: it is not in force there yet.
    silent    processes that were there a minute ago, and neither live nor left: nobody knows what they act on.
    """

    version: int
    move: Move
    acknowledged: tuple[Process, ...]
    laggards: tuple[Process, ...]
    silent: tuple[Process, ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "version": self.version,
            "route": self.move.route,
            "consumer": self.move.consumer,
            "from": str(self.move.from_stage),
            "to": str(self.move.to_stage),
            "kind": self.move.kind,
            "actor": self.move.actor,
            "reason": self.move.reason,
            "overridden": self.move.overridden,
            "members": list(self.move.members),
            "share": self.move.share,
            **{name: [p.name for p in getattr(self, name)] for name in ("acknowledged", "laggards", "silent")},
        }


def move(
    connection: Connection[Any],
    project: Project,
    route: str,
    target: Stage,
    *,
    consumer: str | None = None,
    actor: str,
    reason: str,
    share: float | None = None,
    override: str | None = None,
    by_itself: bool = False,
    expected_version: int | None = None,
    timeout: float = 1.0,
) -> Outcome:
    """Move a route, or a route for one consumer; with it the routes of its group: all of them, or none.

    by_itself         nobody asks for it now: a freeze keeps it from being made (ledger.Frozen).
    share             percent of those whom nobody names; the others stand one stage before. None: everyone.
    connection        as banyan_owner, committing each statement.
    override          who answers for moving without the evidence; recorded only where it was needed.
    expected_version  the ledger version that the decision was taken on; default: the present one.
    timeout           seconds to wait for every live process.

    Raises UsageError for what cannot be asked, Refused for missing evidence, ledger.Superseded when somebody was
    faster; then nothing was written.
    """
    listed, table = known(connection, project, route, consumer), ledger.read_table(connection)
    stands = table.stage(route, consumer)
    share = check_share(consumer, target, share)
    check_reason(reason)
    wish = Move(route, consumer, stands, target, actor, reason, share=share, by_itself=by_itself)
    check_step(wish, table)
    together = project.together(listed)
    if wish.position < table.position(route, consumer):
        back = replace(wish, kind="rollback", members=_members(together))
        return _write(connection, back, None, timeout)
    taken = [one for one in together if table.position(one.name, consumer) < wish.position]
    wanted = required_of(connection, project, taken, consumer, table, wish)
    unmet = missing(wanted)
    if unmet and (override is None or any(not may_be_overridden(criterion) for criterion in unmet)):
        raise Refused(f"{place(route, consumer)} stays at {stands}: {spoken(unmet)}.", unmet)
    forward = replace(
        wish,
        evidence=as_evidence(project, listed, wanted),
        overridden=override if unmet else None,
        members=_members(taken),
    )
    return _write(connection, forward, table.version if expected_version is None else expected_version, timeout)


def rollback(
    connection: Connection[Any],
    project: Project,
    route: str,
    *,
    consumer: str | None = None,
    to: Stage | None = None,
    actor: str,
    reason: str,
    kind: MoveKind = "rollback",
    timeout: float = 1.0,
) -> Outcome:
    """Go back to the stage before, or to `to`. A concurrent promotion loses. Raises UsageError at legacy."""
    table = ledger.read_table(connection)
    if (route, consumer) not in table.stages:
        known(connection, project, route, consumer)
    stands = table.stage(route, consumer)
    check_reason(reason)
    if stands is Stage.legacy:
        raise UsageError(
            f"{place(route, consumer)} stands at legacy: there is nothing to go back to.", hint=elsewhere(table, route)
        )
    target = to or _stage_before(connection, route, consumer, stands)
    if target.rank >= stands.rank:
        raise UsageError(f"{place(route, consumer)} stands at {stands}: {target} is not back from there.")
    members = _members(project.together(project.routes[route])) if route in project.routes else ()
    back = Move(route, consumer, stands, target, actor, reason, kind=kind, members=members)
    return _write(connection, back, None, timeout)


def rollback_everyone(
    connection: Connection[Any],
    project: Project,
    route: str,
    *,
    to: Stage = Stage.legacy,
    actor: str,
    reason: str,
    timeout: float = 1.0,
) -> list[Outcome]:
    """Take the route, and every consumer with a stage of their own on it, back to `to`; one entry for each.

    Raises UsageError where nobody stands beyond `to`.
    """
    table = ledger.read_table(connection)
    beyond = [who for (name, who), stage in table.stages.items() if name == route and stage.rank > to.rank]
    if not beyond:
        known(connection, project, route, None)
        raise UsageError(f"nobody stands beyond {to} on {route}.")
    deadline = time.monotonic() + timeout

    def back(who: str | None, seconds: float) -> Outcome:
        return rollback(connection, project, route, consumer=who, to=to, actor=actor, reason=reason, timeout=seconds)

    first = [back(who, 0) for who in beyond[:-1]]
    return [*first, back(beyond[-1], deadline - time.monotonic())]


def _members(routes: Sequence[Route]) -> tuple[str, ...]:
    return tuple(one.name for one in routes) if len(routes) > 1 else ()


def _stage_before(connection: Connection[Any], route: str, consumer: str | None, stands: Stage) -> Stage:
    before = ledger.previous_stage(connection, route, consumer, stands)
    return before if before is not None and before.rank < stands.rank else list(Stage)[stands.rank - 1]


def _write(connection: Connection[Any], wanted: Move, expected_version: int | None, timeout: float) -> Outcome:
    if not connection.autocommit:
        raise ValueError("a move is in force only once it is committed: the connection must commit each statement")
    entry = ledger.append(connection, wanted, expected_version)
    report_moved(entry)
    done = entry.move
    try:
        late = ledger.await_processes(lambda: ledger.laggards(connection, entry.version), timeout)
        there = ledger.processes(connection)
    except psycopg.Error:
        raise EnvironmentFault(
            f"{place(done.route, done.consumer)} is moved to {done.to_stage} (version {entry.version}), but the "
            "database went away before every process had acknowledged it."
        ) from None
    waiting = {process.id for process in late}
    newest = max((process.seen for process in there), default=None)
    return Outcome(
        entry.version,
        done,
        acknowledged=tuple(p for p in there if p.live and p.id not in waiting),
        laggards=tuple(late),
        silent=tuple(p for p in there if not p.live and newest is not None and p.seen > newest - RECENTLY),
    )
