"""`python -m benchmarks.verify`: requests a second that `banyan verify` puts to both sides; how long it looks for each
deliberate error of `tests/verify` at seed 1; and that the right side shows no difference.

The example's small seed, everything on this machine: the legacy app with two processes, the modern side, PostgreSQL.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from api_gateway.postgres import running
from api_gateway.project import Project, load_project
from api_gateway.verify.findings import Report
from api_gateway.verify.run import Plan, Prepared, ask, prepared
from benchmarks import section
from shared_models.migrations import BANYAN, upgrade
from tests.support import seeded_bugs
from tests.support.changed_example import ROOT, changed_example, northgate_register
from tests.verify.seeded_bugs import BUGS, WITHIN, Bug


def main() -> int:
    told = _arguments()
    project = load_project(ROOT / "northgate_api")
    with tempfile.TemporaryDirectory() as name, _ready(Path(name), project) as ready:
        rates = {
            what: _rate(project, ready, told.seconds, reads=reads)
            for what, reads in (("reads", True), ("writes", False))
        }
        right = _asked(project, list(project.routes), ready, Plan(1, 3600.0, told.requests))
        bugs = {bug.what: _found(bug, Path(name), ready) for bug in BUGS if told.bugs in bug.what}
    figures = {
        "rates": rates,
        "prepared": ready.seconds,
        "right": {"asked": right.asked, "seconds": right.seconds, "found": len(right.found)},
        "bugs": bugs,
    }
    missed = [what for what, found in bugs.items() if found is None]
    table = _table(figures)
    print(table)
    for what, found in bugs.items():
        print(f"{what}: " + ("MISSED" if found is None else f"{found['seconds']:.1f} s, {found['asked']} requests"))
    if told.write:
        section.write("verify", figures, table)
        seeded_bugs.PAGE.write_text(seeded_bugs.page(), "utf-8")
    return 1 if missed or right.found or right.unproven else 0


def _table(figures: dict[str, Any]) -> str:
    right, found = figures["right"], [each for each in figures["bugs"].values() if each]
    rows = [[f"{what}, requests a second", f"{rate:.0f}"] for what, rate in figures["rates"].items()]
    rows.append(["preparation, seconds", f"{figures['prepared']:.1f}"])
    rows.append([f"right side, {right['asked']:,} requests: differences", str(right["found"])])
    if found:
        slowest = max(each["seconds"] for each in found)
        rows.append([f"deliberate errors found, of {len(figures['bugs'])}", str(len(found))])
        rows.append(["slowest found, seconds", f"{slowest:.1f}"])
    return section.markdown(["`banyan verify`", ""], rows)


def _quietly(report: Report, spent: float) -> None:
    """Nobody looks at the progress of a measurement."""


def _asked(project: Project, names: list[str], ready: Prepared, plan: Plan) -> Report:
    routes = [project.routes[name] for name in names if project.routes[name].mimic is not None]
    return ask(project, routes, ready, plan, _quietly)


def _rate(project: Project, ready: Prepared, seconds: float, *, reads: bool) -> float:
    names = [name for name, route in project.routes.items() if route.is_read is reads]
    report = _asked(project, names, ready, Plan(2, seconds))
    return report.asked / report.seconds


def _found(bug: Bug, folder: Path, ready: Prepared) -> dict[str, float] | None:
    project = changed_example(folder, bug.file, bug.old, bug.new)
    report = _asked(project, list(bug.routes), ready, Plan(1, WITHIN, only_first=True, shrinks=False))
    return {"seconds": report.seconds, "asked": report.asked} if report.found else None


@contextmanager
def _ready(folder: Path, project: Project) -> Iterator[Prepared]:
    with running(folder / "postgres") as server:
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute("CREATE DATABASE northgate")
        url = server.url("northgate")
        for words in (["migrate", "--verbosity", "0"], ["seed", "--small"]):
            environment = {**os.environ, "NORTHGATE_DATABASE_URL": url}
            subprocess.run(
                [sys.executable, "manage.py", *words],
                cwd=ROOT / "legacy_admin", env=environment, check=True, stdout=subprocess.DEVNULL,
            )  # fmt: skip
        upgrade(url, BANYAN)
        with prepared(project, northgate_register(), url) as ready:
            yield ready


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.verify", description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0, help="of each rate")
    parser.add_argument("--requests", type=int, default=10_000, help="put to the right side")
    parser.add_argument("--bugs", default="", help="only those whose name has this in it")
    parser.add_argument("--no-write", dest="write", action="store_false", help="leave pages and JSON as they are")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
