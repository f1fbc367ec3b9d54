"""What a move forward asks for, weighed against what there is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from psycopg import Connection
from sqlalchemy import func, select

from api_gateway.evidence.checks import checks_of, read_checks
from api_gateway.evidence.fingerprint import fingerprint_of
from api_gateway.evidence.gate import Criterion, Evidence, criteria
from api_gateway.evidence.read import read_evidence
from api_gateway.ledger import Move
from api_gateway.project import Project
from api_gateway.routes import Route
from api_gateway.stages import WHOLE, Stage, StageTable
from shared_models.statements import run


def required(
    connection: Connection[Any], project: Project, route: Route, consumer: str | None, stands: Stage, target: Stage
) -> list[Criterion]:
    """What a move forward from `stands` to `target` asks for, met or not: no stage left out, and its evidence."""
    before = list(Stage)[target.rank - 1]
    left_out = [] if stands is before else [Criterion("stage", str(stands), f"{before} first", met=False)]
    return left_out + _evidence_wanted(connection, project, route, consumer, target)


def required_of(
    connection: Connection[Any],
    project: Project,
    routes: Sequence[Route],
    consumer: str | None,
    table: StageTable,
    wish: Move,
) -> list[Criterion]:
    """The same of every route that moves along, those beside the one that was asked for by their names."""
    wanted: list[Criterion] = []
    for route in routes:
        rank, share = table.position(route.name, consumer)
        stands = list(Stage)[rank]
        mine = (
            required(connection, project, route, consumer, stands, wish.to_stage)
            if stands is not wish.to_stage
            else (_evidence_wanted(connection, project, route, consumer, wish.to_stage))
        )
        if stands is not wish.to_stage and share < WHOLE:
            mine.append(Criterion("share", f"{share:g} % at {stands}", f"everyone at {stands} first", met=False))
        wanted += (
            mine
            if route.name == wish.route
            else [replace(one, criterion=f"{one.criterion} of {route.name}") for one in mine]
        )
    return wanted


def _evidence_wanted(
    connection: Connection[Any], project: Project, route: Route, consumer: str | None, target: Stage
) -> list[Criterion]:
    now: datetime = run(connection, select(func.clock_timestamp().label("now")))[0]["now"]
    has_mimic, is_read = route.mimic is not None, route.is_read
    match target:
        case Stage.retired:
            named = route.successor is not None
            return [Criterion("successor", route.successor or "none", "a successor in routes.py", named)]
        case Stage.shadow:
            unseen = criteria(Evidence(), has_mimic=has_mimic, is_read=is_read, now=now)
            return [criterion for criterion in unseen if criterion.criterion == "mimic"]
        case _:
            evidence = read_evidence(connection, route.name, consumer, fingerprint_of(project, route))
            configured = project.configuration
            checks = checks_of(read_checks(connection), configured.checks, route.name) if configured.checks else []
            return criteria(
                evidence,
                has_mimic=has_mimic,
                is_read=is_read,
                now=now,
                gate=configured.gate.but(route.gate),
                checks=checks,
                for_live=target is Stage.live,
            )


def as_evidence(project: Project, route: Route, wanted: Sequence[Criterion]) -> Mapping[str, Any]:
    """What the ledger keeps of it."""
    return {"fingerprint": fingerprint_of(project, route), "criteria": [criterion.as_json() for criterion in wanted]}


def may_be_overridden(criterion: Criterion) -> bool:
    """Nobody can answer for a candidate that does not exist."""
    return criterion.criterion.partition(" of ")[0] != "mimic"


def spoken(unmet: Sequence[Criterion]) -> str:
    """What is missing, in one line for a person; and by when it will be there, where waiting brings all of it."""
    said = "; ".join(
        f"{one.criterion}: {one.have} of {one.need}"
        if isinstance(one.need, int) and one.need
        else f"{one.criterion}: {one.have}, needs {one.need}"
        for one in unmet
    )
    coming = enough_by(unmet)
    return said if coming is None else f"{said}; {coming}"


def enough_by(unmet: Sequence[Criterion]) -> str | None:
    """`enough by 3 December 2026, 14:00 UTC at today's rate`; None where waiting alone does not bring it."""
    moments = [one.eta for one in unmet if one.eta is not None]
    if not moments or len(moments) < len(unmet):
        return None
    last = max(moments).astimezone(UTC)
    return f"enough by {last.day} {last:%B %Y, %H:%M} UTC at today's rate"
