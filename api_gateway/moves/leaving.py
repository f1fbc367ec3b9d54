"""What a consumer still calls of the legacy protocol, what takes its place, until when; and the mail that tells it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from psycopg import Connection
from sqlalchemy import Select, and_, case, func, literal_column, select

from api_gateway import ledger
from api_gateway.evidence.record import NOT_CALLS
from api_gateway.project import Project
from api_gateway.routes import Route
from api_gateway.stages import Stage, StageTable
from shared_models import state
from shared_models.statements import Row, run

DAYS = 30

_count = state.call_count.c


@dataclass(frozen=True, slots=True)
class StillCalled:
    """A listed route that a consumer called within DAYS days, whoever answered: it is the legacy protocol either way.

    by_legacy   calls of those that legacy answered
    deadline    the route's sunset; None: nobody has set one
    link        a page for people about the change
    """

    route: str
    address: str
    stage: Stage
    calls: int
    by_legacy: int
    last: datetime
    successor: str | None
    deadline: date | None
    link: str | None

    def as_json(self) -> dict[str, Any]:
        moments = {
            "last": self.last.isoformat(),
            "deadline": None if self.deadline is None else self.deadline.isoformat(),
        }
        return {**{name: getattr(self, name) for name in self.__slots__}, "stage": str(self.stage), **moments}


def calls_of(consumer: str) -> Select[Any]:
    """Per route: `calls`, those of them `by_legacy`, and the `last` one."""
    return (
        select(
            _count.route,
            func.sum(_count.count).label("calls"),
            func.coalesce(func.sum(case((_count.answerer == "legacy", _count.count))), 0).label("by_legacy"),
            func.max(_count.last_at).label("last"),
        )
        .where(
            and_(
                _count.consumer == consumer,
                _count.hour > func.now() - literal_column(f"interval '{DAYS} days'"),
                _count.outcome.not_in(NOT_CALLS),
            )
        )
        .group_by(_count.route)
    )


def still_called(
    routes: Mapping[str, Route], table: StageTable, consumer: str, calls: list[Row]
) -> tuple[StillCalled, ...]:
    """What `calls_of` found, told by what routes.py says of it: the nearest deadline first, then the busiest."""
    found = [_told(routes[row["route"]], table, consumer, row) for row in calls if row["route"] in routes]
    return tuple(sorted(found, key=lambda one: (one.deadline is None, str(one.deadline), -one.calls, one.route)))


def read_still_called(connection: Connection[Any], project: Project, consumer: str) -> tuple[StillCalled, ...]:
    calls = list(run(connection, calls_of(consumer)))
    return still_called(project.routes, ledger.read_table(connection), consumer, calls)


def _told(route: Route, table: StageTable, consumer: str, row: Row) -> StillCalled:
    ending = route.deprecated
    asked = "&".join(f"{name}={value}" for part in (route.query, route.form) for name, value in part.items())
    return StillCalled(
        route.name,
        f"{route.method} {route.path}" + (f"?{asked}" if asked and route.query else f" with {asked}" if asked else ""),
        table.stage(route.name, consumer),
        int(row["calls"]),
        int(row["by_legacy"]),
        row["last"],
        (ending.successor if ending is not None else None) or route.successor,
        _day(ending.sunset) if ending is not None and ending.sunset is not None else None,
        ending.link if ending is not None else None,
    )


def _day(moment: date) -> date:
    return moment.date() if isinstance(moment, datetime) else moment


def mail(project: Project, name: str, contact: str, still: tuple[StillCalled, ...]) -> str:
    """The text to send, as RFC 5322 has it: To, Subject, an empty line, the body. Empty where nothing is called."""
    if not still:
        return ""
    api = project.configuration.api
    dated = [one.deadline for one in still if one.deadline is not None]
    ending = f" until {min(dated).isoformat()}" if dated else ""
    many = "1 address" if len(still) == 1 else f"{len(still)} addresses"
    lines = [
        f"To: {contact or '(no contact: `banyan consumers set` has one)'}",
        f"Subject: {api.title}: {many} to leave{ending}",
        "",
        f"{name} still calls these addresses of ours. Each has a successor, or will have one:",
        "",
    ]
    for one in still:
        often = f"{one.calls:,} time{'s' if one.calls != 1 else ''}"
        lines += [
            f"  {one.address}",
            f"    called {often} in {DAYS} days, last on {one.last.date().isoformat()}",
            f"    instead: {_whole(one.successor, api.url) if one.successor else 'nothing yet; we shall write again'}",
            f"    {_until(one)}",
            *([f"    more: {_whole(one.link, api.url)}"] if one.link else []),
            "",
        ]
    lines.append(f"The new addresses are described at {_whole(f'{api.prefix}/docs', api.url)}.")
    return "\n".join(lines)


def _until(one: StillCalled) -> str:
    if one.stage is Stage.retired:
        return "answers no more: 410 Gone"
    if one.deadline is None:
        return "no end is set yet"
    return f"answers until {one.deadline.isoformat()}"


def _whole(target: str, origin: str | None) -> str:
    return f"{origin or ''}{target}" if target.startswith("/") else target
