"""What a run found: `benchmarks/latest.json`, the table in the docs, and the same on the terminal."""

from __future__ import annotations

import json
import os
import platform
import re
from collections.abc import Mapping
from pathlib import Path

from benchmarks.measure import Cost
from benchmarks.works import NAMES, Name

HERE = Path(__file__).parent
LATEST = HERE / "latest.json"
PAGE = HERE.parent / "docs" / "reference" / "benchmarks.md"
SIDES = ("banyan", "fastapi-sqlalchemy", "drf", "fastify", "asyncpg", "floor")
Found = Mapping[tuple[Name, str], Cost]
Row = dict[str, str | float]


def rows(found: Found) -> list[Row]:
    works: tuple[Name, ...] = ("get", "list", "include", "insert", "export-ndjson", "export-csv")
    ordered = [(work, side) for work in works for side in SIDES]
    return [_row(work, side, found[work, side]) for work, side in ordered if (work, side) in found]


def _row(work: str, side: str, cost: Cost) -> Row:
    return {
        "work": work,
        "side": side,
        "app_us": round(cost.app_us, 1),
        "db_us": round(cost.db_us, 1),
        "total_us": round(cost.app_us + cost.db_us, 1),
        "rps": round(cost.rps, 2),
        "peak_mb": round(cost.peak_mb, 1),
    }


def write(found: list[Row]) -> None:
    LATEST.write_text("[\n" + ",\n".join(f"  {json.dumps(row)}" for row in found) + "\n]\n")
    table = f"<!-- api: written by make bench -->\n\n{markdown(found)}\n\n<!-- /api -->"
    page = PAGE.read_text("utf-8")
    pattern = re.compile(r"<!-- api: written by make bench -->.*?<!-- /api -->", re.DOTALL)
    PAGE.write_text(pattern.sub(lambda _: table, page), "utf-8")


def markdown(found: list[Row]) -> str:
    """One line per work and side; the last column is how many of ours the total is worth."""
    ours = {row["work"]: float(row["total_us"]) for row in found if row["side"] == "banyan"}
    lines = [
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}.",
        f"Load average of the last five minutes: {os.getloadavg()[1]:.1f}; this measurement makes about two of it.",
        "",
        "| work | side | application µs | database µs | total µs | × Banyan | answers/s | peak MB |",
        "|---|---|--:|--:|--:|--:|--:|--:|",
    ]
    for row in found:
        ratio = f"{float(row['total_us']) / ours[row['work']]:.2f}" if ours.get(row["work"]) else ""
        figures = [f"{float(row[name]):,.0f}" for name in ("app_us", "db_us", "total_us")]
        rps = f"{float(row['rps']):,.2f}" if float(row["rps"]) < 100 else f"{float(row['rps']):,.0f}"
        peak = f"{float(row['peak_mb']):,.0f}" if row["peak_mb"] else ""
        lines.append(f"| {row['work']} | {row['side']} | " + " | ".join([*figures, ratio, rps, peak]) + " |")
    return "\n".join(lines)


BARS: tuple[tuple[Name, str, str, float], ...] = (
    ("get", "total_us", "fastapi-sqlalchemy", 1 / 8),
    ("get", "total_us", "fastify", 1.0),
    ("get", "app_us", "fastify", 0.85),
    ("list", "total_us", "fastapi-sqlalchemy", 1 / 4),
    ("list", "total_us", "fastify", 0.85),
    ("include", "total_us", "fastapi-sqlalchemy", 1 / 6),
    ("include", "total_us", "fastify", 0.6),
    ("insert", "total_us", "fastapi-sqlalchemy", 1 / 6),
    ("insert", "total_us", "fastify", 0.7),
    ("export-ndjson", "total_us", "fastify", 0.45),
)


def bars(found: list[Row]) -> list[str]:
    """How this run stands to what we hold ourselves to: our figure is at most this part of theirs."""
    at = {(row["work"], row["side"]): row for row in found}
    lines = []
    for work, figure, side, bar in BARS:
        if (work, "banyan") in at and (work, side) in at:
            ratio = float(at[work, "banyan"][figure]) / float(at[work, side][figure])
            lines.append(_line(f"{work}: {figure} beside {side}", ratio, bar, ratio <= bar))
    if ("include", "banyan") in at and ("include", "floor") in at:
        part = float(at["include", "banyan"]["rps"]) / float(at["include", "floor"]["rps"])
        lines.append(_line("include: answers/s beside pgbench", part, 0.65, part >= 0.65))
    if ("export-csv", "banyan") in at and ("export-csv", "floor") in at:
        times = float(at["export-csv", "floor"]["rps"]) / float(at["export-csv", "banyan"]["rps"])
        lines.append(_line("export-csv: wall time beside psql", times, 1.3, times <= 1.3))
    return lines


def _line(what: str, got: float, bar: float, holds: bool) -> str:
    return f"{'holds' if holds else 'MISSED':7} {what}: {got:.3f} (bar {bar:.3f})"


def missing(found: Found) -> list[str]:
    return [f"{work}/{side}" for work in NAMES for side in SIDES if (work, side) not in found]
