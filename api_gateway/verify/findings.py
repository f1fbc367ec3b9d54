"""What `verify` knows: of each route what was asked, and each kind of difference once, as small as it can be shown."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from api_gateway.evidence.compare import Verdict
from api_gateway.evidence.gate import Verified
from api_gateway.verify.calls import Call
from api_gateway.verify.trial import Trial


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

    @property
    def proof(self) -> Verified:
        """As the gate counts it."""
        return Verified(
            self.asked,
            self.verdicts[Verdict.mismatch],
            self.verdicts[Verdict.inconclusive],
            self.wrote,
            dict(self.shapes.most_common(200)),
            dict(self.outcomes.most_common(200)),
        )

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
    """Everything that `verify` knows at its end. `seconds`: of asking; `prepared`: of making the copies, before.

    recorded  how many of the requests were recorded ones.
    ended  why it ended before its budget was spent; empty when it did not.
    """

    seed: int
    tallies: dict[str, Tally]
    found: list[Found] = field(default_factory=list)
    callers: dict[str, list[str]] = field(default_factory=dict)
    seconds: float = 0.0
    prepared: float = 0.0
    ended: str = ""
    recorded: int = 0

    @property
    def asked(self) -> int:
        return sum(tally.asked for tally in self.tallies.values())

    @property
    def unproven(self) -> list[str]:
        """Routes of which nothing was compared at all: no difference is no proof there."""
        return [name for name, tally in self.tallies.items() if tally.asked == tally.verdicts[Verdict.inconclusive]]
