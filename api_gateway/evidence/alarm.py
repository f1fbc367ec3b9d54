"""Has modern crossed a threshold at one place? Pure: what was counted goes in, what is to be said of it comes out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import exp, log, sqrt
from typing import Any, Literal

from api_gateway.evidence.pulses import STEP, Beat, Times
from api_gateway.evidence.sequential import fails_too_often
from api_gateway.thresholds import Rollback

SLOW_VOLUME = 20  # calls of each side, below which durations say little
SURE = 3.0  # standard errors

Threshold = Literal["errors", "latency", "mismatches", "check"]


@dataclass(frozen=True, slots=True)
class Alarm:
    """A crossed threshold. `said`: one line for people; `evidence`: the figures, as the ledger keeps them."""

    threshold: Threshold
    said: str
    evidence: dict[str, Any]


def alarm(
    modern: Sequence[Beat],
    compared: Sequence[Beat],
    legacy: Sequence[Beat],
    limits: Rollback,
    *,
    since: int,
    now: datetime,
) -> Alarm | None:
    """The first threshold that is crossed, None when none is.

    modern, compared, legacy  beats, newest first; of the former two only those count that ran at ledger version `since`
                              or later: what was before the place came to its stage is none of its doing
    """
    own = [beat for beat in modern if beat.version >= since]
    looks = [beat for beat in compared if beat.version >= since]
    return _errors(own, legacy, limits, now) or _mismatches(looks, limits) or _latency(own, legacy, limits, now)


def _errors(own: Sequence[Beat], legacy: Sequence[Beat], limits: Rollback, now: datetime) -> Alarm | None:
    seen = _recent(own, limits, now)
    count, failed = _count(seen), _count(seen, "failed")
    if count < limits.volume or not failed:
        return None
    beside = _recent(legacy, limits, now)
    fails_there = _count(beside, "failed") / _count(beside) if _count(beside) >= limits.volume else 0.0
    may_fail = min(limits.errors + fails_there, 0.99)
    if not fails_too_often(failed, count, may_fail, limits.doubt):
        return None
    figures = {"calls": count, "failed": failed, "may_fail": may_fail, "since": seen[-1].at.isoformat()}
    said = f"{failed} of {count} calls failed in modern; {_percent(may_fail)} may"
    return Alarm("errors", said, figures)


def _mismatches(looks: Sequence[Beat], limits: Rollback) -> Alarm | None:
    found, count = _count(looks, "mismatch"), _count(looks)
    if found <= limits.mismatches:
        return None
    said = f"{found} of {count} answers were not as legacy's; {limits.mismatches} may"
    figures = {"compared": count, "mismatches": found, "may_be": limits.mismatches}
    return Alarm("mismatches", said, figures)


def _latency(own: Sequence[Beat], legacy: Sequence[Beat], limits: Rollback, now: datetime) -> Alarm | None:
    modern = _times(_recent(own, limits, now, SLOW_VOLUME))
    beside = _times(_recent(legacy, limits, now, SLOW_VOLUME))
    if not limits.slower or min(modern.count, beside.count) < max(SLOW_VOLUME, limits.volume):
        return None
    here, there = exp(modern.log_sum / modern.count), exp(beside.log_sum / beside.count)
    error = sqrt(_variance(modern) / modern.count + _variance(beside) / beside.count)
    if log(here / there) - SURE * error <= log(limits.slower) or here - there <= limits.slower_by:
        return None
    said = f"modern takes {here:.0f} ms where legacy takes {there:.0f}; {limits.slower:g} times as long may be"
    figures = {
        "modern_ms": round(here, 1),
        "legacy_ms": round(there, 1),
        "calls": modern.count,
        "slower": limits.slower,
    }
    return Alarm("latency", said, figures)


def _recent(beats: Sequence[Beat], limits: Rollback, now: datetime, volume: int = 0) -> list[Beat]:
    """Those of the window, and older ones until there are as many calls as are needed."""
    begin = now - timedelta(seconds=limits.window + STEP)
    found: list[Beat] = []
    for beat in beats:
        if beat.at < begin and _count(found) >= max(volume, limits.volume):
            break
        found.append(beat)
    return found


def _count(beats: Iterable[Beat], outcome: str | None = None) -> int:
    return sum(beat.times.count for beat in beats if outcome in (None, beat.outcome))


def _times(beats: Iterable[Beat]) -> Times:
    total = Times()
    for beat in beats:
        if beat.outcome == "ok":
            total.merge(beat.times.count, beat.times.log_sum, beat.times.log_square)
    return total


def _variance(times: Times) -> float:
    mean = times.log_sum / times.count
    return max(0.0, times.log_square / times.count - mean * mean)


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
