"""From a request that showed a difference, in the middle of many, to the smallest that still shows the same one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from api_gateway.verify.calls import NOBODY, Call, Pairs
from api_gateway.verify.trial import Bench, Trial

MOST_TRIALS = 40
_SIMPLER = ("", "0", "1", "a")


async def smallest(bench: Bench, found: Trial, before: Sequence[Call]) -> tuple[list[Call], Trial]:
    """The calls that show what `found` showed, and the trial of the last.

    before  the calls that had been made since the copies were fresh and that wrote something, in order.

    When it cannot be shown again, what was found is given back as it was.
    """
    budget = _Budget()
    calls, trial = await _shortest(bench, found, before, budget)
    if trial is None:
        return [*before, found.call], found
    progress = True
    while progress and budget.left:
        progress = False
        for simpler in _simpler(calls[-1]):
            if not budget.take():
                break
            tried = await bench.try_all([*calls[:-1], simpler])
            if tried.signature == found.signature:
                calls, trial, progress = [*calls[:-1], simpler], tried, True
                break
    return calls, trial


class _Budget:
    def __init__(self) -> None:
        self.left = MOST_TRIALS

    def take(self) -> bool:
        self.left -= 1
        return self.left >= 0


async def _shortest(
    bench: Bench, found: Trial, before: Sequence[Call], budget: _Budget
) -> tuple[list[Call], Trial | None]:
    """The call alone; else after as few of the calls before it as are needed, the nearest first."""
    length = 0
    while budget.take():
        calls = [*before[len(before) - length :], found.call] if length else [found.call]
        trial = await bench.try_all(calls)
        if trial.signature == found.signature:
            return await _without_needless(bench, calls, trial, budget)
        if length >= len(before):
            return [], None
        length = min(len(before), max(1, length * 2))
    return [], None


async def _without_needless(bench: Bench, calls: list[Call], trial: Trial, budget: _Budget) -> tuple[list[Call], Trial]:
    for call in calls[:-1]:
        if not budget.take():
            break
        fewer = [other for other in calls if other is not call]
        tried = await bench.try_all(fewer)
        if tried.signature == trial.signature:
            calls, trial = fewer, tried
    return calls, trial


def _simpler(call: Call) -> Iterator[Call]:
    """Calls with one thing less, then with one value simpler."""
    if call.caller != NOBODY:
        yield replace(call, caller=NOBODY)
    if call.body:
        yield replace(call, body="")
        lines = call.body.splitlines(keepends=True)
        for i in range(len(lines)) if len(lines) > 1 else ():
            yield replace(call, body="".join(lines[:i] + lines[i + 1 :]))
    for part in ("query", "headers", "form"):
        pairs: Pairs = getattr(call, part) or ()
        for i in range(len(pairs)):
            yield _with(call, part, pairs[:i] + pairs[i + 1 :])
    for part in ("path", "query", "headers", "form"):
        pairs = getattr(call, part) or ()
        for i, (name, value) in enumerate(pairs):
            for simple in _SIMPLER:
                if len(simple) < len(value) and (simple or part != "path"):
                    yield _with(call, part, (*pairs[:i], (name, simple), *pairs[i + 1 :]))


def _with(call: Call, part: str, pairs: Pairs) -> Call:
    changed: dict[str, Any] = {part: pairs}
    return replace(call, **changed)
