"""Geometry of the two small pictures, in the units of their viewBox. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from api_gateway.console.values import Hour
from api_gateway.stages import Stage

WIDTH, HEIGHT = 240.0, 56.0
_GAP = 2.0


@dataclass(frozen=True, slots=True)
class Bar:
    """One hour: what modern answered stands at the bottom, legacy on top of it."""

    x: float
    width: float
    legacy_y: float
    legacy_height: float
    modern_y: float
    modern_height: float
    hour: Hour


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of one line that is `WIDTH` long."""

    x: float
    width: float
    stage: Stage
    count: int


def bars(hours: Sequence[Hour]) -> list[Bar]:
    """The busiest hour is as high as the picture; an hour with any call at all can be seen."""
    step = WIDTH / max(1, len(hours))
    highest = max((hour.count for hour in hours), default=0) or 1
    drawn = []
    for index, hour in enumerate(hours):
        modern, legacy = (_height(count, highest) for count in (hour.modern, hour.legacy))
        over = max(0.0, modern + legacy - HEIGHT)  # the least height of a tiny part may not push the bar out
        legacy -= over if legacy >= modern else 0.0
        modern -= over if legacy < modern else 0.0
        top = HEIGHT - modern
        drawn.append(
            Bar(round(index * step, 2), round(step - _GAP, 2), round(top - legacy, 2), round(legacy, 2), round(top, 2),
                round(modern, 2), hour)
        )  # fmt: skip
    return drawn


def segments(ladder: Mapping[Stage, int]) -> list[Segment]:
    """The stages at which routes stand, in the order of the migration."""
    total = sum(ladder.values())
    there = [(stage, count) for stage, count in ladder.items() if count]
    usable, x, drawn = WIDTH - _GAP * (len(there) - 1), 0.0, []
    for stage, count in there:
        width = usable * count / total
        drawn.append(Segment(round(x, 2), round(width, 2), stage, count))
        x += width + _GAP
    return drawn


def _height(count: int, highest: int) -> float:
    return max(1.5, HEIGHT * count / highest) if count else 0.0
