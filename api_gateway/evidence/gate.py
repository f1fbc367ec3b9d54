"""The gate: what evidence a move forward needs, what there is, and when the rest will be there. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

FAR = timedelta(days=3650)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """How much is enough.

    comparisons  of live requests; `comparisons_verified` where `verify` has proved the candidate on copies before.
    verified     requests that verify must have put to both sides; `wrote`: of a write, those that left rows behind.
    """

    comparisons: int = 20
    comparisons_verified: int = 5
    shapes: int = 3
    mismatches: int = 0
    verified: int = 200
    wrote: int = 20


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


@dataclass(frozen=True, slots=True)
class Evidence:
    """The comparisons of a route (and consumer) for one candidate fingerprint.

    first, last  when the first and the last comparison of this fingerprint were made.
    outcomes     outcome classes of the control, with counts.
    calls        calls of the route (and consumer) in the last 24 hours, at any stage: the present rate.
    skipped      exchanges that were left out whole because too many were in flight.
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


def criteria(
    evidence: Evidence,
    *,
    has_mimic: bool,
    is_read: bool,
    now: datetime,
    thresholds: Thresholds = Thresholds(),
) -> list[Criterion]:
    """Every criterion for letting modern answer, met or not, the ones that no waiting will meet first.

    A read is proved by live comparisons, of which fewer are needed where `verify` has proved it before. A write cannot
    be tried beside the one that counts, so it is proved by `verify` alone.
    """
    proved = evidence.verified
    wanted = [
        Criterion("mimic", "yes" if has_mimic else "none", "a mimic in routes.py", has_mimic),
        _at_most("mismatches", evidence.mismatches, thresholds.mismatches),
        _at_most("mismatches of verify", proved.mismatches, thresholds.mismatches),
    ]
    if not is_read:
        return [
            *wanted,
            _at_least("verified requests", proved.conclusive, thresholds.verified),
            _at_least("verified writes", proved.wrote, thresholds.wrote),
        ]
    is_proved = proved.conclusive >= thresholds.verified and proved.mismatches <= thresholds.mismatches
    comparisons = thresholds.comparisons_verified if is_proved else thresholds.comparisons
    shapes = len({*evidence.shapes, *(proved.shapes if is_proved else ())})
    for name, have, need in (
        ("comparisons", evidence.conclusive, comparisons),
        ("request shapes", shapes, thresholds.shapes),
    ):
        eta = _eta(evidence, have, need, now) if has_mimic else None
        wanted.append(Criterion(name, have, need, have >= need, eta))
    return wanted


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
