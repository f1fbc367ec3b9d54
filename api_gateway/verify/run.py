"""`banyan verify`, from the copies to the report."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from api_gateway.api.contract import load_contract, wanted_grants
from api_gateway.consumers import Register
from api_gateway.evidence.compare import Verdict
from api_gateway.project import Project
from api_gateway.routes import Route
from api_gateway.verify.callers import callers_of, find_secrets, read_secrets
from api_gateway.verify.calls import Call
from api_gateway.verify.copies import Copies, copies
from api_gateway.verify.generate import Parameters, generate, parameters_of
from api_gateway.verify.shrink import smallest
from api_gateway.verify.sides import Legacy, modern_side, running_legacy
from api_gateway.verify.trial import Bench, Trial
from api_gateway.verify.values import Values
from shared_models.granting import statements as grant_statements

MOST_FOUND = 20  # kinds of difference of one route; a side that is wrong everywhere need not be shrunk everywhere
HISTORY = 200  # writing calls after which the copies are made anew


@dataclass(frozen=True, slots=True)
class Found:
    """One kind of difference: the smallest calls that show it, and how often it came.

    first  the trial that it was found in; what differs only in places that differed there too is the same kind.
    """

    route: str
    calls: list[Call]
    trial: Trial
    first: Trial
    count: int = 1

    @property
    def shown(self) -> frozenset[tuple[str, str]]:
        return self.trial.signature | self.first.signature


@dataclass(slots=True)
class Tally:
    """What was asked of one route, and what came of it."""

    verdicts: Counter[Verdict] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    shapes: Counter[str] = field(default_factory=Counter)
    why: Counter[str] = field(default_factory=Counter)
    wrote: int = 0

    @property
    def asked(self) -> int:
        return self.verdicts.total()

    def add(self, trial: Trial) -> None:
        self.verdicts[trial.comparison.verdict] += 1
        if trial.comparison.verdict is Verdict.inconclusive:
            self.why[trial.comparison.why] += 1
            return
        self.outcomes[trial.outcome] += 1
        self.shapes[trial.shape] += 1
        self.wrote += trial.has_written


@dataclass(slots=True)
class Report:
    """Everything that `verify` knows at its end. `seconds`: of asking, without the making of the copies."""

    seed: int
    tallies: dict[str, Tally]
    found: list[Found] = field(default_factory=list)
    callers: dict[str, list[str]] = field(default_factory=dict)
    seconds: float = 0.0
    prepared: float = 0.0

    @property
    def asked(self) -> int:
        return sum(tally.asked for tally in self.tallies.values())

    @property
    def unproven(self) -> list[str]:
        """Routes of which nothing was compared at all: no difference is no proof there."""
        return [name for name, tally in self.tallies.items() if tally.asked == tally.verdicts[Verdict.inconclusive]]


@dataclass(frozen=True, slots=True)
class Plan:
    """budget  seconds of asking. secrets: a file with what cannot be found in the data."""

    seed: int = 1
    budget: float = 60.0
    requests: int | None = None
    secrets: Path | None = None


Tell = Callable[[Report, float], None]
"""Called now and then with what is known so far, and the share of the budget that is spent."""


def verify(
    project: Project, register: Register, source: str, routes: Sequence[Route], plan: Plan, tell: Tell
) -> Report:
    """Ask both sides about these routes until the budget is spent.

    source  URL of the database that is copied, as an administrator.

    Raises UsageError and EnvironmentFault in one line when a side cannot be had.
    """
    began = time.monotonic()
    statements = grant_statements(wanted_grants(project, load_contract(project, strict=False)))
    with copies(source, project.configuration.schemas, statements) as made:
        secrets = find_secrets(made.base_url, project.configuration.schemas, register)
        if plan.secrets is not None:
            secrets |= read_secrets(plan.secrets, register)
        with running_legacy(project, made.legacy_url) as url:
            made.written()  # what the app wrote while it started
            report = Report(plan.seed, {route.name: Tally() for route in routes})
            report.callers = {route.name: callers_of(route, secrets) for route in routes}
            report.prepared = time.monotonic() - began
            legacy = Legacy(url, project.configuration.legacy.ready_path)
            asyncio.run(_compare(project, register, routes, plan, made, legacy, secrets, report, tell))
    return report


async def _compare(
    project: Project,
    register: Register,
    routes: Sequence[Route],
    plan: Plan,
    made: Copies,
    legacy: Legacy,
    secrets: dict[tuple[str, str], str],
    report: Report,
    tell: Tell,
) -> None:
    async with modern_side(project, register, made.modern_url) as modern:
        bench = Bench(project, made, legacy, modern, secrets)
        values = Values(plan.seed)
        values.look_at(made, routes, plan.seed)
        parameters = {route.name: parameters_of(route, plan.seed) for route in routes}
        asking = _Asking(bench, values, routes, parameters, report)
        began = time.monotonic()
        while report.seconds < plan.budget and (plan.requests is None or report.asked < plan.requests):
            await asking.step()
            report.seconds = time.monotonic() - began
            if report.asked % 25 == 0:
                spent = report.seconds / plan.budget
                tell(report, max(spent, report.asked / plan.requests if plan.requests else 0.0))


class _Asking:
    """The walk through the requests: what was found, and what was written since the copies were fresh."""

    def __init__(
        self,
        bench: Bench,
        values: Values,
        routes: Sequence[Route],
        parameters: dict[str, Parameters],
        report: Report,
    ) -> None:
        self._bench, self._values, self._routes = bench, values, routes
        self._parameters, self._report = parameters, report
        self._history: list[Call] = []

    async def step(self) -> None:
        route = self._values.random.choice(self._routes)
        call = generate(route, self._parameters[route.name], self._values, self._report.callers[route.name])
        trial = await self._bench.try_(call)
        self._report.tallies[route.name].add(trial)
        self._values.remember(trial.control.body.decode("latin-1"), trial.written[0])
        if trial.comparison.verdict is Verdict.mismatch:
            await self._mismatch(trial)
        elif trial.has_written:
            self._history.append(call)
            if len(self._history) >= HISTORY:
                await self._renew()

    async def _mismatch(self, trial: Trial) -> None:
        name = trial.call.route
        mine = [each for each in self._report.found if each.route == name]
        known = next((each for each in mine if trial.signature <= each.shown), None)
        if known is not None:
            self._replace(known)
        elif len(mine) < MOST_FOUND:
            calls, shown = await smallest(self._bench, trial, self._history)
            self._report.found.append(Found(name, calls, shown, trial))
        await self._renew()

    def _replace(self, known: Found) -> None:
        at = self._report.found.index(known)
        self._report.found[at] = replace(known, count=known.count + 1)

    async def _renew(self) -> None:
        self._history.clear()
        await self._bench.renew()
