"""The gate: what evidence a move forward needs, what there is, and when the rest will be there. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from api_gateway.evidence.sequential import bound
from api_gateway.thresholds import Gate

FAR = timedelta(days=3650)
DOUBT = 0.05
GATE = Gate()


@dataclass(frozen=True, slots=True)
class Verified:
    """What the newest run of `verify` proved of a candidate. `asked` counts the inconclusive ones too."""

    asked: int = 0
    mismatches: int = 0
    inconclusive: int = 0
    wrote: int = 0
    shapes: Mapping[str, int] = field(default_factory=dict)
    outcomes: Mapping[str, int] = field(default_factory=dict)

    @property
    def conclusive(self) -> int:
        return self.asked - self.inconclusive


NOTHING = Verified()


@dataclass(frozen=True, slots=True)
class Evidence:
    """The comparisons of a route (and consumer) for one candidate fingerprint.

    first, last  when the first and the last comparison of this fingerprint were made.
    outcomes     outcome classes of the control, with counts.
    calls        calls of the route (and consumer) in the last 24 hours, at any stage: the present rate.
    skipped      exchanges that were left out whole because too many were in flight.
    control_ms, candidate_ms  what both sides take: geometric means, None where nothing was timed.
    at_canary    calls that modern answered at canary in the last 24 hours.
    verified     what was proved on copies of the database.
    """

    fingerprint: str = ""
    matches: int = 0
    mismatches: int = 0
    ignored: int = 0
    intended: int = 0
    inconclusive: int = 0
    shapes: Mapping[str, int] = field(default_factory=dict)
    outcomes: Mapping[str, int] = field(default_factory=dict)
    first: datetime | None = None
    last: datetime | None = None
    calls: int = 0
    skipped: int = 0
    control_ms: float | None = None
    candidate_ms: float | None = None
    at_canary: int = 0
    verified: Verified = Verified()

    @property
    def conclusive(self) -> int:
        return self.matches + self.mismatches + self.ignored + self.intended


@dataclass(frozen=True, slots=True)
class Criterion:
    """One thing that must hold. `eta`: when it will at the present rate; None when waiting does not bring it."""

    criterion: str
    have: int | str
    need: int | str
    met: bool
    eta: datetime | None = None

    def as_json(self) -> dict[str, int | str | None]:
        eta = self.eta.isoformat(timespec="seconds") if self.eta is not None else None
        return {"criterion": self.criterion, "have": self.have, "need": self.need, "eta": eta}


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What one of the project's own checks said last: `fine`, `broken`, `inconclusive`, or that it was never asked."""

    name: str
    verdict: str
    is_fresh: bool


def criteria(
    evidence: Evidence,
    *,
    has_mimic: bool,
    is_read: bool,
    now: datetime,
    gate: Gate = GATE,
    checks: Sequence[CheckResult] = (),
    for_live: bool = False,
) -> list[Criterion]:
    """Every criterion for letting modern answer, met or not, the ones that no waiting will meet first.

    A read is proved by live comparisons, of which fewer are needed where `verify` has proved it before. A write cannot
    be tried beside the one that counts, so it is proved by `verify` alone.
    """
    proved = evidence.verified
    wanted = [
        Criterion("mimic", "yes" if has_mimic else "none", "a mimic in routes.py", has_mimic),
        _at_most("mismatches", evidence.mismatches, gate.mismatches),
        _at_most("mismatches of verify", proved.mismatches, gate.mismatches),
        *_latency(evidence, gate),
        *(_check(result) for result in checks),
    ]
    if for_live and gate.canary_calls:
        wanted.append(_at_least("calls at canary", evidence.at_canary, gate.canary_calls))
    covered = [
        _at_least("request shapes of verify", len(proved.shapes), gate.verified_shapes),
        _at_least("outcomes of verify", len(proved.outcomes), gate.verified_outcomes),
    ]
    wanted += [criterion for criterion in covered if criterion.need]
    if not is_read:
        return [
            *wanted,
            _at_least("verified requests", proved.conclusive, gate.verified),
            _at_least("verified writes", proved.wrote, gate.wrote),
        ]
    is_proved = proved.conclusive >= gate.verified and proved.mismatches <= gate.mismatches
    comparisons = gate.comparisons_verified if is_proved else gate.comparisons
    shapes = len({*evidence.shapes, *(proved.shapes if is_proved else ())})
    outcomes = len({*evidence.outcomes, *(proved.outcomes if is_proved else ())})
    for name, have, need in (
        ("comparisons", evidence.conclusive, comparisons),
        ("request shapes", shapes, gate.shapes),
        ("outcomes", outcomes, gate.outcomes),
    ):
        eta = _eta(evidence, have, need, now) if has_mimic else None
        if name == "outcomes" and not need:
            continue
        wanted.append(Criterion(name, have, need, have >= need, eta))
    if gate.differs:
        wanted.append(_certain(evidence, proved if is_proved else Verified(), gate, now))
    return wanted


def may_differ(evidence: Evidence, proved: Verified = NOTHING) -> float:
    """The greatest share of answers that may still differ unseen, at 95 %: good however often one looks."""
    return bound(evidence.conclusive + proved.conclusive, DOUBT, evidence.mismatches + proved.mismatches)


def _certain(evidence: Evidence, proved: Verified, gate: Gate, now: datetime) -> Criterion:
    """A bound on what nobody has seen; the number of clean comparisons that it takes is what waiting brings."""
    have = may_differ(evidence, proved)
    need = 1
    while bound(need, DOUBT) > gate.differs:
        need *= 2
    count = evidence.conclusive + proved.conclusive
    eta = _eta(evidence, evidence.conclusive, max(need - proved.conclusive, 0), now) if count < need else None
    name, most = "may still differ", f"at most {100 * gate.differs:.3g} %"
    return Criterion(name, f"{100 * have:.3g} %", most, have <= gate.differs, None if evidence.mismatches else eta)


def _latency(evidence: Evidence, gate: Gate) -> list[Criterion]:
    """Where both sides were timed."""
    control, candidate = evidence.control_ms, evidence.candidate_ms
    if not gate.slower or control is None or candidate is None:
        return []
    met = candidate <= control * gate.slower or candidate - control <= gate.slower_by
    have = f"{candidate:.0f} ms where legacy takes {control:.0f}"
    return [Criterion("latency", have, f"at most {gate.slower:g} times as long", met)]


def _check(result: CheckResult) -> Criterion:
    have = result.verdict if result.is_fresh else f"{result.verdict}, and not asked lately"
    return Criterion(f"check {result.name}", have, "fine", result.verdict == "fine" and result.is_fresh)


def missing(wanted: list[Criterion]) -> list[Criterion]:
    return [criterion for criterion in wanted if not criterion.met]


def _at_most(name: str, have: int, limit: int) -> Criterion:
    """No waiting mends a mismatch: a changed candidate does, and it starts from zero."""
    return Criterion(name, have, limit, have <= limit)


def _at_least(name: str, have: int, need: int) -> Criterion:
    """What `banyan verify` brings, and no waiting."""
    return Criterion(name, have, need, have >= need)


def _eta(evidence: Evidence, have: int, need: int, now: datetime) -> datetime | None:
    """What has come since the first comparison comes on at that rate; before it, one comparison per call."""
    if have >= need:
        return now
    elapsed = (now - evidence.first).total_seconds() if evidence.first is not None else 0.0
    if have and elapsed > 0:
        rate = have / elapsed
    elif evidence.calls:
        rate = evidence.calls / timedelta(days=1).total_seconds()
    else:
        return None
    remaining = timedelta(seconds=min((need - have) / rate, FAR.total_seconds()))
    return now + remaining if remaining < FAR else None
