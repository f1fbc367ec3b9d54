"""`python -m benchmarks.start`: a gateway that serves the same resources beside a small and beside a large schema.

Both projects have one and the same contract, drafted from the small database; the second one's snapshot and typed
tables are of the large. Starts take turns. Ready is the first answer to the health check; processor time and memory
are read from /proc at that moment.
"""

from __future__ import annotations

import argparse
import http.client
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from statistics import median

import psycopg

from api_gateway.draft.init import init_project
from api_gateway.postgres import Server, free_port, running
from benchmarks import section
from shared_models.catalog import read_snapshot
from shared_models.tables_source import tables_source
from tests.support.large_schema import Large

Figures = dict[str, float]
_TICKS = os.sysconf("SC_CLK_TCK")
_MORE = 1.1  # what counts as the same, in a run on a machine that others use


def main() -> int:
    told = _arguments()
    with tempfile.TemporaryDirectory() as name, running(Path(name) / "data") as server:
        projects = _projects(Path(name), server, Large(30, 12, 0, 0), Large(told.tables))
        for project in projects.values():  # byte code is written, files are in memory
            _started(project, server)
        rounds = [{what: _started(project, server) for what, project in projects.items()} for _ in range(told.rounds)]
    found = {what: {name: median(one[what][name] for one in rounds) for name in _FORMS} for what in projects}
    return _report(found, told.rounds, write=told.write)


_FORMS = {"wall_s": ".2f", "cpu_s": ".2f", "rss_mb": ".1f", "peak_mb": ".1f"}


def _report(found: Mapping[str, Figures], rounds: int, *, write: bool) -> int:
    head = ["30 resources, in a schema of", "wall s", "processor s", "resident MB", "peak MB"]
    rows = [[what, *(f"{figures[name]:{form}}" for name, form in _FORMS.items())] for what, figures in found.items()]
    table = section.markdown(head, rows)
    print(f"median of {rounds} starts\n{table}")
    small, large = found.values()
    bars = {name: large[name] / small[name] for name in ("cpu_s", "rss_mb", "peak_mb")}
    for name, ratio in bars.items():
        print(f"{'holds' if ratio <= _MORE else 'MISSED':7} {name}: {ratio:.3f} of that beside 30 tables")
    if write:
        section.write("start", found, table)
    return 0 if all(ratio <= _MORE for ratio in bars.values()) else 1


def _projects(folder: Path, server: Server, small: Large, large: Large) -> dict[str, Path]:
    urls = {}
    for name, size in (("small", small), ("large", large)):
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        urls[name] = server.url(name)
        size.load(urls[name])
    first, second = folder / "small" / "bench_api", folder / "large" / "bench_api"
    first.parent.mkdir()
    report = init_project(first, urls["small"], legacy_url="http://127.0.0.1:9")
    shutil.copytree(first, second)
    with psycopg.connect(urls["large"], autocommit=True) as connection:
        snapshot = read_snapshot(connection, report.snapshot.schemas)
    (second / "schema.lock.json").write_text(snapshot.to_json(), "utf-8")
    (second / "tables.py").write_text(tables_source(snapshot), "utf-8")
    for project in (first, second):  # operations import the typed tables
        (project / "operations" / "__init__.py").write_text("from .. import tables as tables\n\noperations = []\n")
    counts = (len(report.snapshot.tables), len(snapshot.tables))
    return {f"{count:,} tables and views": project for count, project in zip(counts, (first, second), strict=True)}


def _started(project: Path, server: Server) -> Figures:
    port, url = free_port(), server.url(project.parent.name)
    environment = {
        **os.environ,
        "BANYAN_PROJECT": str(project),
        "BANYAN_STATE_DIR": str(project.parent / "state"),
        "BANYAN_OWNER_DATABASE_URL": url,
        "BANYAN_API_DATABASE_URL": url,
        "BANYAN_SESSION_SECRET": "benchmark",
        "BANYAN_PASS_SECRET": "benchmark",
    }
    command = [sys.executable, "-m", "api_gateway.cli", "serve", "--port", str(port)]
    began = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not _is_ready(port):
            if process.poll() is not None or time.perf_counter() - began > 60:
                raise SystemExit(f"the gateway did not start: {' '.join(command)} with BANYAN_PROJECT={project}")
            time.sleep(0.005)
        seconds = time.perf_counter() - began
        return {"wall_s": seconds, **_used(process.pid)}
    finally:
        process.terminate()
        process.wait(20)


def _is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    with suppress(OSError):
        connection.request("GET", "/banyan/health")
        return connection.getresponse().status == 200
    return False


def _used(pid: int) -> Figures:
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    rss, peak = (int(status[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM"))
    return {"cpu_s": (int(after_name[11]) + int(after_name[12])) / _TICKS, "rss_mb": rss, "peak_mb": peak}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.start", description=__doc__)
    parser.add_argument("--tables", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--no-write", dest="write", action="store_false", help="leave page and JSON as they are")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
