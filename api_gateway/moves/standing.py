"""Where everybody stands: one row per route, and one per consumer who has a stage of their own there or calls it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import Connection

from api_gateway import ledger
from api_gateway.evidence.fingerprint import fingerprint_of
from api_gateway.evidence.gate import Criterion, Evidence, missing
from api_gateway.evidence.read import read_calls, read_evidence
from api_gateway.evidence.record import NOT_CALLS
from api_gateway.moves.weigh import required
from api_gateway.project import Project
from api_gateway.routes import Route
from api_gateway.stages import Stage, StageTable


@dataclass(frozen=True, slots=True)
class Standing:
    """A route, or a route for one consumer (None: everyone without a stage of their own).

    own        false where a consumer stands where the route does.
    calls      of the last 24 hours; for None those of everybody.
    next       the stage that follows, None at the end; `unmet`: what is still missing for it.
    """

    route: str
    consumer: str | None
    stage: Stage
    own: bool
    calls: int
    conclusive: int
    mismatches: int
    next: Stage | None
    unmet: tuple[Criterion, ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "route": self.route,
            "consumer": self.consumer,
            "stage": str(self.stage),
            "own": self.own,
            "calls_24h": self.calls,
            "comparisons": self.conclusive,
            "mismatches": self.mismatches,
            "next": str(self.next) if self.next is not None else None,
            "missing": [criterion.as_json() for criterion in self.unmet],
        }


def standings(connection: Connection[Any], project: Project, route: str | None = None) -> list[Standing]:
    """Of one route or of all, in the order of routes.py."""
    table = ledger.read_table(connection)
    calls: dict[tuple[str, str | None], int] = defaultdict(int)
    for counted in read_calls(connection, route):
        if counted.outcome not in NOT_CALLS:
            calls[counted.route, counted.consumer] += counted.count
    listed = [one for one in project.routes.values() if route is None or one.name == route]
    return [
        _standing(connection, project, one, consumer, table, calls)
        for one in listed
        for consumer in (None, *_whom(one, table, calls))
    ]


def _whom(route: Route, table: StageTable, calls: dict[tuple[str, str | None], int]) -> Sequence[str]:
    own = {who for name, who in table.stages if name == route.name and who is not None}
    calling = {who for name, who in calls if name == route.name and who is not None}
    return sorted(own | calling)


def _standing(
    connection: Connection[Any],
    project: Project,
    route: Route,
    consumer: str | None,
    table: StageTable,
    calls: dict[tuple[str, str | None], int],
) -> Standing:
    stage = table.stage(route.name, consumer)
    following = list(Stage)[stage.rank + 1] if stage is not Stage.retired else None
    seen = Evidence()
    if stage.rank > Stage.legacy.rank:
        seen = read_evidence(connection, route.name, consumer, fingerprint_of(project, route))
    wanted = required(connection, project, route, consumer, stage, following) if following is not None else []
    total = sum(count for (name, who), count in calls.items() if name == route.name and consumer in (None, who))
    return Standing(
        route.name,
        consumer,
        stage,
        own=(route.name, consumer) in table.stages,
        calls=total,
        conclusive=seen.conclusive,
        mismatches=seen.mismatches,
        next=following,
        unmet=tuple(missing(wanted)),
    )
