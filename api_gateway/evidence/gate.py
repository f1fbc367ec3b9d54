"""The gate: what evidence a move forward needs, what there is, and when the rest will be there. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

FAR = timedelta(days=3650)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """How much is enough."""

    comparisons: int = 20
    shapes: int = 3
    mismatches: int = 0


@dataclass(frozen=True, slots=True)
class Evidence:
    """The comparisons of a route (and consumer) for one candidate fingerprint.

    first, last  when the first and the last comparison of this fingerprint were made.
    outcomes     outcome classes of the control, with counts.
    calls        calls of the route (and consumer) in the last 24 hours, at any stage: the present rate.
    skipped      exchanges that were left out whole because too many were in flight.
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
    """Every criterion for letting modern answer, met or not, the ones that no waiting will meet first."""
    wanted = [
        Criterion("mimic", "yes" if has_mimic else "none", "a mimic in routes.py", has_mimic),
        Criterion("reads", "yes" if is_read else "a write", "a read, or a named override", is_read),
        _at_most("mismatches", evidence.mismatches, thresholds.mismatches),
    ]
    waiting = has_mimic and is_read
    for name, have, need in (
        ("comparisons", evidence.conclusive, thresholds.comparisons),
        ("request shapes", len(evidence.shapes), thresholds.shapes),
    ):
        eta = _eta(evidence, have, need, now) if waiting else None
        wanted.append(Criterion(name, have, need, have >= need, eta))
    return wanted


def missing(wanted: list[Criterion]) -> list[Criterion]:
    return [criterion for criterion in wanted if not criterion.met]


def _at_most(name: str, have: int, limit: int) -> Criterion:
    """No waiting mends a mismatch: a changed candidate does, and it starts from zero."""
    return Criterion(name, have, limit, have <= limit)


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
