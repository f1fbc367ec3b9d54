"""Up to two more looks before a mismatch is believed: rows may have changed between the two answers.

Where legacy may be asked again, that settles it: if it still says the same, nothing moved and the difference is the
candidate's own; if it says something else now, the two are compared anew. Else the candidate is asked again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from api_gateway.evidence.compare import Comparison, Verdict, compare
from api_gateway.evidence.observation import Failure, Observation
from api_gateway.evidence.rules import Rules

PAUSES = (0.05, 0.25)  # seconds before each further look

Ask = Callable[[], Awaitable[Observation]]


@dataclass(frozen=True, slots=True)
class Judgement:
    """The comparison that was believed, and the two observations it is about."""

    comparison: Comparison
    control: Observation
    candidate: Observation


async def judge(
    control: Observation, ask_candidate: Ask, ask_control: Ask | None, rules: Rules, *, method: str = "GET"
) -> Judgement:
    candidate = await ask_candidate()
    comparison = compare(control, candidate, rules, method=method)
    for looks, pause in enumerate(PAUSES, start=2):
        if comparison.verdict is not Verdict.mismatch or _is_certain(candidate):
            break
        await asyncio.sleep(pause)
        if ask_control is not None and candidate.failure is None:
            again = await ask_control()
            if again.failure is None and _same(control, again, rules, method):
                break
            if again.failure is None:
                control = again
                comparison = replace(compare(control, candidate, rules, method=method), looks=looks)
                if comparison.verdict is not Verdict.mismatch:
                    break
        candidate = await ask_candidate()
        comparison = replace(compare(control, candidate, rules, method=method), looks=looks)
    return Judgement(comparison, control, candidate)


def _is_certain(candidate: Observation) -> bool:
    """A failure is the candidate's own doing, and no row that moved explains it; but a busy machine is late too."""
    return candidate.failure not in (None, Failure.timed_out)


def _same(control: Observation, again: Observation, rules: Rules, method: str) -> bool:
    return compare(control, again, rules, method=method).verdict in (Verdict.match, Verdict.ignored)
