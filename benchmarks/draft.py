"""`python -m benchmarks.draft`: `banyan init` and the `banyan check` after it, beside a schema of 1,000 tables.

Both are the commands as somebody types them, each a process of its own: what is timed is from its start to its end. The
folder is new in every round, and so is its byte code.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median

import psycopg

from api_gateway.postgres import running
from benchmarks import section
from tests.support.large_schema import Large

Figures = dict[str, float]
BAR = 10.0  # seconds for both
_FORMS = {"wall_s": ".2f", "cpu_s": ".2f", "peak_mb": ".0f"}


def main() -> int:
    told = _arguments()
    size = Large(tables=told.tables, columns=12, views=told.views)
    with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "data") as server:
        size.load(server.url())
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
        rounds = [_round(Path(folder) / f"round{n}", server.url()) for n in range(told.rounds)]
    found = {name: {what: median(one[name][what] for one in rounds) for what in _FORMS} for name in rounds[0]}
    return _report(found, size, told.rounds, write=told.write)


def _round(folder: Path, url: str) -> Mapping[str, Figures]:
    folder.mkdir()
    project = folder / "bench_api"
    commands = {"banyan init": ["init", str(project)], "banyan check": ["check", "--project", str(project)]}
    return {name: _timed([*words, "--database-url", url]) for name, words in commands.items()}


def _timed(words: list[str]) -> Figures:
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "api_gateway.cli", *words], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"banyan {' '.join(words)} ended with {process.returncode}")
    return {"wall_s": seconds, "cpu_s": used.ru_utime + used.ru_stime, "peak_mb": used.ru_maxrss / 1024}


def _report(found: Mapping[str, Figures], size: Large, rounds: int, *, write: bool) -> int:
    head = ["", "wall s", "processor s", "peak MB"]
    rows = [
        [f"`{name}`", *(f"{figures[what]:{form}}" for what, form in _FORMS.items())] for name, figures in found.items()
    ]
    table = section.markdown(head, rows)
    print(f"{size}, median of {rounds} rounds\n{table}")
    whole = sum(figures["wall_s"] for figures in found.values())
    print(f"{'holds' if whole < BAR else 'MISSED':7} less than {BAR:g} s for both: {whole:.1f} s")
    if write:
        section.write("draft", found, table)
    return 0 if whole < BAR else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.draft", description=__doc__)
    parser.add_argument("--tables", type=int, default=1000)
    parser.add_argument("--views", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-write", dest="write", action="store_false", help="leave page and JSON as they are")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
