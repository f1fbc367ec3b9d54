"""The walk through the requests, on copies that are made anew where the sides have come apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from api_gateway.evidence.compare import Verdict
from api_gateway.routes import Route
from api_gateway.verify.calls import Call
from api_gateway.verify.findings import Found, Report
from api_gateway.verify.generate import Parameters, generate, vary
from api_gateway.verify.recorded import revealed
from api_gateway.verify.shrink import smallest
from api_gateway.verify.trial import Bench, Trial
from api_gateway.verify.values import Values

MOST_FOUND = 20  # kinds of difference of one route; a side that is wrong everywhere need not be shrunk everywhere
LIKE_BEFORE = 0.5
"""Share of requests that are made from one before, the rarer its outcome the rather."""
HISTORY = 200  # writing calls after which the copies are made anew


class Asking:
    """One request after another, by chance and by what was seen. `report` is filled as it goes."""

    def __init__(
        self,
        bench: Bench,
        values: Values,
        routes: Sequence[Route],
        parameters: Mapping[str, Parameters],
        report: Report,
        recorded: Sequence[Call] = (),
        *,
        shrinks: bool = True,
    ) -> None:
        self._shrinks = shrinks
        self._bench, self._values, self._routes = bench, values, routes
        self._parameters, self._report = parameters, report
        self._recorded = [revealed(call, values) for call in recorded]
        self._waiting = self._recorded[::-1]
        self._history: list[Call] = []
        self._led: dict[str, dict[tuple[str, ...], Call]] = {}
        self._came: Counter[tuple[str, ...]] = Counter()

    async def step(self) -> None:
        """Ask one thing. A difference of a new kind is made as small as it can be before the walk goes on."""
        if self._waiting:
            call = self._waiting.pop()
            self._report.recorded += 1
        else:
            call = self._drawn(self._values.random.choice(self._routes))
        trial = await self._bench.try_(call)
        self._report.tallies[call.route].add(trial)
        self._values.remember(trial.control.body.decode("latin-1"), trial.written[0])
        self._note(trial)
        if trial.comparison.verdict is Verdict.mismatch:
            await self._mismatch(trial)
        elif trial.has_parted:
            await self._renew()
        elif trial.has_acted:
            self._history.append(call)
            if len(self._history) >= HISTORY:
                await self._renew()

    def _note(self, trial: Trial) -> None:
        """Of every outcome, and of every set of tables written, the newest call is kept, and how often it came."""
        outcome = (trial.outcome, *sorted({row.place for row in trial.written[0]}))
        self._led.setdefault(trial.call.route, {})[outcome] = trial.call
        self._came[trial.call.route, *outcome] += 1

    def _drawn(self, route: Route) -> Call:
        """Something new, or something like a request that led where few did: past the checks, to a write."""
        parameters, callers = self._parameters[route.name], self._report.callers[route.name]
        led = self._led.get(route.name, {})
        if led and self._values.random.random() < LIKE_BEFORE:
            rarity = [1 / self._came[route.name, *outcome] for outcome in led]
            [like] = self._values.random.choices(list(led.values()), rarity)
            return vary(like, parameters, self._values, callers)
        return generate(route, parameters, self._values, callers)

    async def _mismatch(self, trial: Trial) -> None:
        name = trial.call.route
        mine = [each for each in self._report.found if each.route == name]
        known = next((each for each in mine if trial.signature <= each.shown), None)
        if known is not None:
            self._report.found[self._report.found.index(known)] = replace(known, count=known.count + 1)
            if not trial.has_parted:
                return  # they answered otherwise, and are still alike
        elif len(mine) < MOST_FOUND:
            calls, shown = [*self._history, trial.call], trial
            if self._shrinks:
                calls, shown = await smallest(self._bench, trial, self._history)
            self._report.found.append(Found(name, calls, shown, trial))
        await self._renew()

    async def _renew(self) -> None:
        self._history.clear()
        await self._bench.renew()
