"""The page as values: everything that the template shows, and nothing that it would have to work out.

Overview
├── figures, hours, ladder      how much of the work modern does, and how far the routes are
├── needs                       what waits for a person, most urgent first
├── columns, rows               the matrix: route x consumer
├── proofs                      evidence: what the gate asks for and what there is
├── callers                     who calls
├── moves                       the ledger's last lines
├── outages                     what a changed schema took out of service lately, and whether it is back
└── processes                   who acts on which ledger version
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from api_gateway.evidence.gate import Criterion, Evidence
from api_gateway.routes import Route
from api_gateway.stages import Stage
from api_gateway.thresholds import Check, Gate

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Answers:
    """What the database said, one field per query."""

    now: datetime
    version: int = 0
    consumers: Rows = ()
    stages: Rows = ()
    calls: Rows = ()
    hours: Rows = ()
    verdicts: Rows = ()
    shapes: Rows = ()
    outcomes: Rows = ()
    checks: Rows = ()
    freeze: Rows = ()
    canary: Rows = ()
    durations: Rows = ()
    mismatches: Rows = ()
    verified: Rows = ()
    moves: Rows = ()
    outages: Rows = ()
    processes: Rows = ()
    failed_jobs: int = 0


@dataclass(frozen=True, slots=True)
class Calls:
    """Calls of the last 24 hours; `last` within 30 days. `failed`: modern should have answered and could not."""

    count: int = 0
    modern: int = 0
    failed: int = 0
    last: datetime | None = None

    def __add__(self, other: Calls) -> Calls:
        last = max((moment for moment in (self.last, other.last) if moment is not None), default=None)
        return Calls(self.count + other.count, self.modern + other.modern, self.failed + other.failed, last)


@dataclass(frozen=True, slots=True)
class Hour:
    at: datetime
    legacy: int = 0
    modern: int = 0

    @property
    def count(self) -> int:
        return self.legacy + self.modern


@dataclass(frozen=True, slots=True)
class Consumer:
    """`code` is empty for the calls in which nobody was named."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Cell:
    """One consumer on one route. `own`: the stage is its own, not the route's. `blocked`: evidence is missing."""

    consumer: Consumer
    stage: Stage
    own: bool
    calls: Calls
    blocked: bool

    @property
    def is_quiet(self) -> bool:
        return not self.own and self.calls.last is None


@dataclass(frozen=True, slots=True)
class Row:
    """One route. `route` is None when the ledger knows it and routes.py no longer does.

    `share`: percent of those whom nobody names that stand there; the others are one stage before.
    `out`: its mimic cannot run on the schema as it is; where modern would answer, legacy does.
    """

    name: str
    route: Route | None
    stage: Stage
    calls: Calls
    cells: tuple[Cell, ...]
    blocked: bool = False
    out: bool = False
    share: float | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where two answers differ, positions aside (`/orders/order[*]/total`), with one pair of values."""

    path: str
    kind: str
    count: int
    control: str | None
    candidate: str | None


@dataclass(frozen=True, slots=True)
class Mismatch:
    """The newest one. `shape`: of the request that showed it."""

    at: datetime
    shape: str
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Proof:
    """The evidence of a route, or of one consumer on it, for the candidate of today. `durations` are medians in ms."""

    route: str
    consumer: str | None
    stage: Stage
    evidence: Evidence
    criteria: tuple[Criterion, ...]
    mismatch: Mismatch | None = None
    durations: tuple[float, float] | None = None

    @property
    def complete(self) -> bool:
        return all(criterion.met for criterion in self.criteria)

    @property
    def place(self) -> str:
        return f"{self.route} for {self.consumer}" if self.consumer else self.route


@dataclass(frozen=True, slots=True)
class Caller:
    consumer: Consumer
    calls: Calls
    routes: int


@dataclass(frozen=True, slots=True)
class Process:
    """`behind`: ledger versions not yet acknowledged. `silent`: taken for dead, and not waited for."""

    kind: str
    host: str
    pid: int
    build: str
    started: datetime
    seen: datetime
    acknowledged: int
    behind: int
    silent: bool


@dataclass(frozen=True, slots=True)
class Outage:
    """Of a resource, operation or route: out of service, or `back`, since then. `why`: one line for people."""

    subject: str
    name: str
    since: datetime
    why: str
    back: bool


@dataclass(frozen=True, slots=True)
class Frozen:
    """Nothing moves by itself: since when, at whose word, and why."""

    since: datetime
    actor: str
    reason: str


@dataclass(frozen=True, slots=True)
class Rules:
    """What the gate of each route asks for, and the checks of the project's own; nothing said: as it is by itself."""

    gates: Mapping[str, Gate] = field(default_factory=dict)
    checks: Mapping[str, Check] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Need:
    """One sentence, where to look, and the command that would do something about it. `level`: act, look or next."""

    level: str
    subject: str
    sentence: str
    anchor: str
    command: str | None = None


@dataclass(frozen=True, slots=True)
class Overview:
    now: datetime
    version: int
    figures: Calls
    hours: tuple[Hour, ...]
    ladder: Mapping[Stage, int]
    needs: tuple[Need, ...]
    columns: tuple[Consumer, ...]
    rows: tuple[Row, ...]
    proofs: tuple[Proof, ...]
    callers: tuple[Caller, ...]
    unshown: int
    moves: tuple[Mapping[str, Any], ...]
    outages: tuple[Outage, ...]
    frozen: Frozen | None
    processes: tuple[Process, ...]
