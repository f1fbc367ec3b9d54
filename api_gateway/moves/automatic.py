"""A place goes back by itself: to the stage where legacy answered last, since a candidate that fails at live fails at
canary as well. The reason and the figures stand in the ledger, and a job tells people.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from psycopg import Connection
from sqlalchemy import func, select

from api_gateway import events, ledger
from api_gateway.evidence.alarm import Alarm, alarm
from api_gateway.evidence.pulses import read_beats
from api_gateway.ledger import Entry, Frozen, Move, Superseded
from api_gateway.logging import report
from api_gateway.moves.notices import enqueue_notice
from api_gateway.moves.told import report_moved
from api_gateway.project import Project
from api_gateway.stages import Stage, StageTable
from shared_models.statements import run

ACTOR = "banyan"


class Overseer:
    """Goes by what was counted of modern, and acts on it. A `connection` is as banyan_owner and commits as it goes."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._held_back: set[tuple[str, str | None, str]] = set()

    def look(self, connection: Connection[Any], places: Collection[tuple[str, str | None]]) -> list[Entry]:
        """Look at these places, and take back where a threshold is crossed; what was moved. Raises psycopg.Error."""
        rows = run(connection, ledger.table_query())
        table = ledger.table_of(rows)
        since = {(row["route"], row["consumer"]): int(row["version"]) for row in rows}
        wanted = [place for place in places if place[0] in self._project.routes and _is_modern(table, place)]
        if not wanted:
            return []
        limits = {
            route: self._project.configuration.rollback.but(self._project.routes[route].rollback) for route, _ in wanted
        }
        beats = read_beats(connection, wanted, max(limit.window for limit in limits.values()))
        now: datetime = run(connection, select(func.clock_timestamp().label("now")))[0]["now"]
        moved = []
        for route, consumer in wanted:
            found = alarm(
                beats.get((route, consumer, "modern"), []),
                beats.get((route, consumer, "compared"), []),
                beats.get((route, None, "legacy"), []),
                limits[route],
                since=since[route, consumer],
                now=now,
            )
            if found is not None and (entry := self.go_back(connection, route, consumer, found)) is not None:
                moved.append(entry)
        return moved

    def go_back(self, connection: Connection[Any], route: str, consumer: str | None, found: Alarm) -> Entry | None:
        """Take one place back, with its group. None where somebody was faster, and while it is frozen."""
        stands = ledger.read_table(connection).stage(route, consumer)
        together = tuple(one.name for one in self._project.together(self._project.routes[route]))
        back = Move(
            route,
            consumer,
            stands,
            answered_by_legacy(connection, route, consumer),
            ACTOR,
            found.said,
            kind="automatic",
            evidence={"threshold": found.threshold, **found.evidence},
            members=together if len(together) > 1 else (),
        )
        try:
            with connection.transaction():
                entry = ledger.append(connection, back)
                enqueue_notice(connection, self._project.configuration.name, entry)
        except Superseded:
            return None
        except Frozen:
            self._hold_back(route, consumer, found)
            return None
        self._held_back.discard((route, consumer, found.threshold))
        report_moved(entry)
        return entry

    def _hold_back(self, route: str, consumer: str | None, found: Alarm) -> None:
        """Said once for each threshold, not at every call."""
        if (route, consumer, found.threshold) not in self._held_back:
            self._held_back.add((route, consumer, found.threshold))
            report(events.RollbackHeldBack(route, consumer, found.threshold, found.said))


def _is_modern(table: StageTable, place: tuple[str, str | None]) -> bool:
    return place in table.stages and table.stages[place].is_modern


def answered_by_legacy(connection: Connection[Any], route: str, consumer: str | None) -> Stage:
    """The stage at which the place stood before modern was to answer there: shadow, as a rule."""
    return ledger.last_stage_of_legacy(connection, route, consumer) or Stage.legacy
