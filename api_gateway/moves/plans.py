"""A plan moves a route step by step: partner by partner, or share by share of those whom nobody names, with waits.

Each step is a move like any other: it goes forward when the gate lets it, and the plan says what it waits for. Whoever
moves the route meanwhile, by hand or by a threshold, pauses it. The worker takes the steps; one worker at a time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from psycopg import Connection
from sqlalchemy import Select, func, insert, select, update

from api_gateway import ledger
from api_gateway.errors import Finding, UsageError
from api_gateway.ledger import place
from api_gateway.moves.asked import known
from api_gateway.moves.move import Refused, move
from api_gateway.project import Project
from api_gateway.stages import Stage
from shared_models import state
from shared_models.statements import Row, run

State = Literal["running", "paused", "done", "ended"]

STEPPING = 0x62616E79616E02  # "banyan", 2: the advisory lock of the worker that takes steps
_plan = state.plan.c


@dataclass(frozen=True, slots=True)
class Step:
    """One move. `wait`: seconds after the step before."""

    stage: Stage
    consumer: str | None = None
    share: float | None = None
    wait: float = 0.0

    def as_json(self) -> dict[str, Any]:
        return {"stage": str(self.stage), "consumer": self.consumer, "share": self.share, "wait": self.wait}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Step:
        return cls(Stage(kept["stage"]), kept["consumer"], kept["share"], float(kept["wait"]))

    def __str__(self) -> str:
        share = f" for {self.share:g} %" if self.share is not None else ""
        return f"{self.stage}{share}{f' for {self.consumer}' if self.consumer else ''}"


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan as it stands. `step`: the next one; `since`: when the last was taken; `why`: what it waits for."""

    id: int
    route: str
    actor: str
    reason: str
    steps: tuple[Step, ...]
    step: int
    state: State
    since: datetime
    version: int
    why: str

    @property
    def next(self) -> Step | None:
        return self.steps[self.step] if self.step < len(self.steps) else None

    def as_json(self) -> dict[str, Any]:
        return {
            "route": self.route,
            "actor": self.actor,
            "reason": self.reason,
            "state": self.state,
            "steps": [step.as_json() for step in self.steps],
            "step": self.step,
            "since": self.since.isoformat(),
            "why": self.why,
        }


def partner_by_partner(partners: Sequence[str], target: Stage, wait: float) -> tuple[Step, ...]:
    """All of them to shadow at once, so that evidence gathers; then one after the other."""
    steps = [Step(Stage.shadow, partner) for partner in partners]
    stages = [stage for stage in (Stage.canary, Stage.live) if stage.rank <= target.rank]
    turns = [(partner, stage) for partner in partners for stage in stages]
    steps += [Step(stage, partner, wait=wait if number else 0.0) for number, (partner, stage) in enumerate(turns)]
    return tuple(steps)


def share_by_share(shares: Sequence[float], target: Stage, wait: float) -> tuple[Step, ...]:
    """Canary by growing shares of those whom nobody names, to everyone; then live."""
    steps = [Step(Stage.shadow)]
    steps += [
        Step(Stage.canary, share=None if share >= 100 else share, wait=wait if n else 0.0)
        for n, share in enumerate(shares)
    ]
    if steps[-1].share is not None:
        steps.append(Step(Stage.canary, wait=wait))
    if target is Stage.live:
        steps.append(Step(Stage.live, wait=wait))
    return tuple(steps)


def begin(
    connection: Connection[Any], project: Project, route: str, steps: Sequence[Step], *, actor: str, reason: str
) -> Plan:
    """Begin to move a route so. Raises UsageError for what cannot be asked, and where a plan moves it already."""
    for step in steps:
        known(connection, project, route, step.consumer)
        if not step.stage.is_modern and step.stage is not Stage.shadow:
            raise UsageError(f"a plan leads to canary or live, not to {step.stage}.")
    if not reason.strip():
        raise UsageError("a plan needs a reason: it stands in the ledger with each of its moves.")
    if plans(connection, route, present=True):
        raise UsageError(
            f"a plan moves {route} already.", hint=f"`banyan plan show {route}`; `banyan plan end {route}`."
        )
    values = {
        "route": route,
        "actor": actor,
        "reason": reason,
        "steps": [step.as_json() for step in steps],
        "version": ledger.read_table(connection).version,
    }
    return _of(run(connection, insert(state.plan).values(values).returning(state.plan))[0])


def set_state(connection: Connection[Any], route: str, wanted: State) -> Plan:
    """Pause, resume (`running`) or end the plan of a route. Raises UsageError where there is none."""
    found = plans(connection, route, present=True)
    if not found:
        raise UsageError(f"no plan moves {route}.")
    version = ledger.read_table(connection).version
    change = update(state.plan).where(_plan.id == found[0].id)
    changed = change.values(state=wanted, version=version, why="" if wanted == "running" else f"{wanted} by hand")
    return _of(run(connection, changed.returning(state.plan))[0])


def plans(connection: Connection[Any], route: str | None = None, *, present: bool = False) -> list[Plan]:
    """The newest plan of each route, or of one; with `present` only those that are not over."""
    return [_of(row) for row in run(connection, plans_query(route, present=present))]


def plans_query(route: str | None = None, *, present: bool = False) -> Select[Any]:
    newest = select(func.max(_plan.id)).group_by(_plan.route)
    query = select(state.plan).where(_plan.id.in_(newest)).order_by(_plan.route)
    if present:
        query = query.where(_plan.state.in_(["running", "paused"]))
    return query if route is None else query.where(_plan.route == route)


def take_steps(connection: Connection[Any], project: Project) -> list[Plan]:
    """Take the steps that are due, one of each plan; the plans that moved. Nothing while another worker is at it."""
    running = [plan for plan in plans(connection, present=True) if plan.state == "running"]
    if not running or ledger.read_freeze(connection) is not None:
        return []
    if not run(connection, select(func.pg_try_advisory_lock(STEPPING).label("mine")))[0]["mine"]:
        return []
    try:
        return [plan for plan in running if _take_step(connection, project, plan)]
    finally:
        run(connection, select(func.pg_advisory_unlock(STEPPING)))


def _take_step(connection: Connection[Any], project: Project, plan: Plan) -> bool:
    others = [entry for entry in ledger.history(connection, route=plan.route, limit=1) if entry.version > plan.version]
    if others:
        done = others[0].move
        _note(
            connection,
            plan,
            state="paused",
            why=f"{done.actor} moved {place(done.route, done.consumer)}: {done.reason}",
        )
        return False
    step = plan.next
    if step is None:
        _note(connection, plan, state="done", why="")
        return False
    now: datetime = run(connection, select(func.clock_timestamp().label("now")))[0]["now"]
    due = plan.since + timedelta(seconds=step.wait)
    if now < due:
        _note(connection, plan, why=f"waits until {due.astimezone(UTC):%Y-%m-%d %H:%M} UTC for {step}")
        return False
    table = ledger.read_table(connection)
    wanted = (step.stage.rank, 100.0 if step.share is None else step.share)
    if table.position(plan.route, step.consumer) >= wanted:
        _advance(connection, plan, table.version)
        return False
    try:
        outcome = move(
            connection,
            project,
            plan.route,
            step.stage,
            consumer=step.consumer,
            share=step.share,
            actor=f"plan of {plan.actor}",
            reason=plan.reason,
            by_itself=True,
            expected_version=table.version,
        )
    except Refused as refused:
        _note(connection, plan, why=str(refused.message))
        return False
    except (Finding, UsageError) as refused:
        _note(connection, plan, why=refused.message)
        return False
    _advance(connection, plan, outcome.version)
    return True


def _advance(connection: Connection[Any], plan: Plan, version: int) -> None:
    over = plan.step + 1 >= len(plan.steps)
    now = func.clock_timestamp()
    _note(connection, plan, step=plan.step + 1, since=now, version=version, why="", state="done" if over else "running")


def _note(connection: Connection[Any], plan: Plan, **values: Any) -> None:
    """What changed, unless somebody paused or ended it in the meantime."""
    if all(getattr(plan, name) == value for name, value in values.items()):
        return
    run(connection, update(state.plan).where(_plan.id == plan.id, _plan.state == "running").values(values))


def _of(row: Row) -> Plan:
    steps = tuple(Step.from_json(step) for step in row["steps"])
    names = ("id", "route", "actor", "reason", "step", "state", "since", "version", "why")
    return Plan(steps=steps, **{name: row[name] for name in names})
