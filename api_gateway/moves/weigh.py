"""What a move forward asks for, weighed against what there is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from psycopg import Connection
from sqlalchemy import func, select

from api_gateway.evidence.fingerprint import fingerprint_of
from api_gateway.evidence.gate import Criterion, Evidence, criteria
from api_gateway.evidence.read import read_evidence
from api_gateway.project import Project
from api_gateway.routes import Route
from api_gateway.stages import Stage
from shared_models.statements import run


def required(
    connection: Connection[Any], project: Project, route: Route, consumer: str | None, stands: Stage, target: Stage
) -> list[Criterion]:
    """What a move forward from `stands` to `target` asks for, met or not: no stage left out, and its evidence."""
    before = list(Stage)[target.rank - 1]
    left_out = [] if stands is before else [Criterion("stage", str(stands), f"{before} first", met=False)]
    return left_out + _evidence_wanted(connection, project, route, consumer, target)


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
            return criteria(evidence, has_mimic=has_mimic, is_read=is_read, now=now)


def as_evidence(project: Project, route: Route, wanted: Sequence[Criterion]) -> Mapping[str, Any]:
    """What the ledger keeps of it."""
    return {"fingerprint": fingerprint_of(project, route), "criteria": [criterion.as_json() for criterion in wanted]}


def may_be_overridden(criterion: Criterion) -> bool:
    """Nobody can answer for a candidate that does not exist."""
    return criterion.criterion != "mimic"


def spoken(unmet: Sequence[Criterion]) -> str:
    """What is missing, in one line for a person."""
    return "; ".join(
        f"{one.criterion}: {one.have} of {one.need}"
        if isinstance(one.need, int) and one.need
        else f"{one.criterion}: {one.have}, needs {one.need}"
        for one in unmet
    )
