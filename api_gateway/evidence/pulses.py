"""How modern and legacy fare just now: calls, failures and durations in steps of ten seconds, kept for a day.

`place` is whose stage decided: a consumer with a stage of its own, or nobody (None), which is the route itself. What
legacy answers is counted for the route as a whole, since that is what modern is measured by.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from math import log
from typing import Any, Literal, NamedTuple

from psycopg import Connection
from sqlalchemy import Select, Text, and_, column, func, literal_column, select, values
from sqlalchemy.dialects.postgresql import Insert, insert

from shared_models import state
from shared_models.statements import run

STEP = 10  # seconds
OLDER = 40  # steps that are read beyond a window, for places where few calls come
LEAST_MS = 0.01

Side = Literal["modern", "legacy", "compared"]
Outcome = Literal["ok", "failed", "match", "mismatch"]

_pulse = state.pulse.c


class Pulse(NamedTuple):
    """What is counted. `version`: of the ledger, as the process knew it; 0 for what no stage decided."""

    route: str
    place: str | None
    side: Side
    version: int
    outcome: Outcome


@dataclass(slots=True)
class Times:
    """How many, and the logarithms of their milliseconds: what a geometric mean and its error need."""

    count: int = 0
    log_sum: float = 0.0
    log_square: float = 0.0

    def add(self, milliseconds: float) -> None:
        each = log(max(milliseconds, LEAST_MS))
        self.merge(1, each, each * each)

    def merge(self, count: int, log_sum: float, log_square: float) -> None:
        self.count += count
        self.log_sum += log_sum
        self.log_square += log_square


@dataclass(frozen=True, slots=True)
class Beat:
    """Ten seconds of one place and side, beginning at `at`."""

    at: datetime
    version: int
    outcome: Outcome
    times: Times


def beat_statement(pulses: Mapping[Pulse, Times]) -> Insert:
    """Add these up in the database; in one order for everybody, so that two processes never wait crosswise."""
    epoch = func.extract("epoch", func.clock_timestamp())
    now = func.to_timestamp(func.floor(epoch / STEP) * STEP)
    rows = [
        {
            "route": pulse.route,
            "place": pulse.place or "",
            "side": pulse.side,
            "at": now,
            "version": pulse.version,
            "outcome": pulse.outcome,
            "count": times.count,
            "log_sum": times.log_sum,
            "log_square": times.log_square,
        }
        for pulse, times in sorted(pulses.items(), key=lambda item: tuple(str(part or "") for part in item[0]))
    ]
    statement = insert(state.pulse).values(rows)
    summed = ("count", "log_sum", "log_square")
    return statement.on_conflict_do_update(
        constraint=state.pulse.primary_key,
        set_={name: state.pulse.c[name] + statement.excluded[name] for name in summed},
    )


def read_beats(
    connection: Connection[Any], places: Collection[tuple[str, str | None]], window: float
) -> dict[tuple[str, str | None, Side], list[Beat]]:
    """The beats of these places, and of legacy on their routes, newest first: at least those of `window` seconds."""
    if not places:
        return {}
    wanted = sorted({(route, place or "", side) for route, place in places for side in ("modern", "compared")})
    wanted += sorted({(route, "", "legacy") for route, _ in places})
    found = run(connection, _newest(wanted, 2 * int(window / STEP + 2) + OLDER))
    beats: dict[tuple[str, str | None, Side], list[Beat]] = {}
    for row in found:
        times = Times(int(row["count"]), float(row["log_sum"]), float(row["log_square"]))
        beat = Beat(row["at"], int(row["version"]), row["outcome"], times)
        beats.setdefault((row["route"], row["place"] or None, row["side"]), []).append(beat)
    return beats


def _newest(wanted: Iterable[tuple[str, str, str]], each: int) -> Select[Any]:
    asked = values(column("route", Text), column("place", Text), column("side", Text), name="asked").data(list(wanted))
    newest = (
        select(state.pulse)
        .where(
            and_(_pulse.route == asked.c.route, _pulse.place == asked.c.place, _pulse.side == asked.c.side),
            _pulse.at > func.clock_timestamp() - literal_column("interval '1 day'"),
        )
        .order_by(_pulse.at.desc())
        .limit(each)
        .lateral("newest")
    )
    return select(newest).select_from(asked.join(newest, literal_column("true"))).order_by(newest.c.at.desc())
