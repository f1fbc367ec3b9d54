"""What can be asked: routes, stages and consumers that exist, and steps that are allowed."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from psycopg import Connection

from api_gateway.consumers import load_register
from api_gateway.errors import UsageError
from api_gateway.ledger import Move, place
from api_gateway.project import Project
from api_gateway.routes import Route
from api_gateway.stages import WHOLE, Stage, StageTable


def listed_route(project: Project, name: str) -> Route:
    """Raises UsageError, with the nearest name there is, for a route that is not listed."""
    if name in project.routes:
        return project.routes[name]
    raise UsageError(f"there is no route {name}{_meant(name, project.routes)}", hint="`banyan routes list` shows them.")


def stage_named(text: str) -> Stage:
    """Raises UsageError for what is no stage."""
    try:
        return Stage(text)
    except ValueError:
        raise UsageError(f"there is no stage {text!r}: {', '.join(Stage)}.") from None


def known(connection: Connection[Any], project: Project, route: str, consumer: str | None) -> Route:
    """The route. Raises UsageError when it is not listed, or nobody knows the consumer."""
    listed = listed_route(project, route)
    if consumer is not None:
        registered = load_register(connection).consumers
        if consumer not in registered:
            raise UsageError(
                f"there is no consumer {consumer}{_meant(consumer, registered)}",
                hint="`banyan consumers list` shows them.",
            )
    return listed


def check_reason(reason: str) -> None:
    if not reason.strip():
        raise UsageError("a move needs a reason: whoever reads the ledger later will ask for it.")


def check_share(consumer: str | None, target: Stage, share: float | None) -> float | None:
    """The share of a move, None for everyone."""
    if share is None or share == WHOLE:
        return None
    if consumer is not None:
        raise UsageError("a share is of those whom nobody names: a consumer is moved whole.")
    if not target.is_modern:
        raise UsageError(f"a share can stand at canary or live, not at {target}.")
    if not 0 < share < WHOLE:
        raise UsageError(f"a share is a percentage between 0 and 100, not {share:g}.")
    return share


def check_step(wish: Move, table: StageTable) -> None:
    if wish.position == table.position(wish.route, wish.consumer):
        whom = "" if wish.share is None else f" for {wish.share:g} %"
        raise UsageError(f"{place(wish.route, wish.consumer)} stands at {wish.to_stage}{whom} already.")


def elsewhere(table: StageTable, route: str) -> str | None:
    """Who has a stage of their own beyond legacy, as a hint to whoever finds the route itself there."""
    own = sorted(who for (name, who), stage in table.stages.items() if name == route and who and stage.rank)
    return f"by themselves stand elsewhere: {', '.join(own)} (--consumer)." if own else None


def _meant(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]}?" if near else "."
