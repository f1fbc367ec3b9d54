"""One measurement: a side under one work's load for a moment, and what that cost per answer."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from benchmarks import processor

CONNECTIONS = 8


@dataclass(frozen=True, slots=True)
class Cost:
    """Microseconds of processor time per answer, answers per second, peak memory of the application."""

    app_us: float
    db_us: float
    rps: float
    peak_mb: float


@dataclass(frozen=True, slots=True)
class Loaded:
    answered: int
    seconds: float
    bytes: int


def load(
    port: int,
    requests: list[str],
    *,
    seconds: float,
    status: int = 200,
    connections: int = CONNECTIONS,
    most: int | None = None,
) -> Loaded:
    """Raises RuntimeError with the answer that was not the expected one."""
    told = {
        "port": port,
        "requests": requests,
        "seconds": seconds,
        "status": status,
        "connections": connections,
        "most": most,
    }
    command = [sys.executable, "-m", "benchmarks.load"]
    answer = subprocess.run(command, input=json.dumps(told), capture_output=True, text=True, check=True)
    said = json.loads(answer.stdout)
    if said["error"] or not said["answered"]:
        raise RuntimeError(said["error"] or "nothing was answered")
    return Loaded(said["answered"], said["seconds"], said["bytes"])


def measured(application: int, database: int, run: Callable[[], Loaded]) -> Cost:
    """`application`, `database`: process ids at the root of what each consists of."""
    processor.forget_peak(application)
    before = processor.spent_us(application), processor.spent_us(database)
    loaded = run()
    after = processor.spent_us(application), processor.spent_us(database)
    app, db = ((late - early) / loaded.answered for early, late in zip(before, after, strict=True))
    return Cost(app, db, loaded.answered / loaded.seconds, processor.peak_mb(application))


def median_of(costs: list[Cost]) -> Cost:
    """Of each figure its own median."""
    figures = ([getattr(cost, name) for cost in costs] for name in ("app_us", "db_us", "rps", "peak_mb"))
    return Cost(*(median(one) for one in figures))
