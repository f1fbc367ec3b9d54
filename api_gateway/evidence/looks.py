"""Up to two more looks before a mismatch is believed: rows may have changed between the two answers.

Where legacy may be asked again, that settles it: if it still says the same, nothing moved and the difference is the
candidate's own; if it says something else now, the two are compared anew. When it keeps changing, differences in the
very places where it differs from itself prove nothing. Where legacy may not be asked, the candidate is asked again.
"""

from __future__ import annotations

import asyncio
import re
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
    moved: set[str] = set()
    for looks, pause in enumerate(PAUSES, start=2):
        if comparison.verdict is not Verdict.mismatch or _is_certain(candidate):
            break
        await asyncio.sleep(pause)
        again = await ask_control() if ask_control is not None and candidate.failure is None else None
        if again is not None and again.failure is None:
            change = compare(control, again, rules, method=method)
            if change.verdict in (Verdict.match, Verdict.ignored):
                return Judgement(comparison, control, candidate)
            moved |= _places(change)
            control = again
            comparison = replace(compare(control, candidate, rules, method=method), looks=looks)
            if comparison.verdict is not Verdict.mismatch:
                break
        candidate = await ask_candidate()
        comparison = replace(compare(control, candidate, rules, method=method), looks=looks)
    if comparison.verdict is Verdict.mismatch and _places(comparison) <= moved:
        comparison = replace(comparison, verdict=Verdict.inconclusive, why="legacy kept changing in these places")
    return Judgement(comparison, control, candidate)


def _is_certain(candidate: Observation) -> bool:
    """A failure is the candidate's own doing, and no row that moved explains it; but a busy machine is late too."""
    return candidate.failure not in (None, Failure.timed_out)


def _places(comparison: Comparison) -> set[str]:
    """Where the differences are, positions aside: a list that moves differs in another row each time."""
    return {re.sub(r"\[\d+\]", "[*]", difference.path) for difference in comparison.differences}
