"""`python -m benchmarks`: set up once, check that all sides answer the same, measure in turns, write the report."""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path

from api_gateway.postgres import free_port
from benchmarks import floors, report
from benchmarks.banyan_side import Banyan
from benchmarks.database import Bench, bench_database
from benchmarks.measure import Cost, load, measured, median_of
from benchmarks.same import disagreement
from benchmarks.sides import Side, peers
from benchmarks.works import EXPORTS, NAMES, Name, Position, new_orders, positions

FOLDER = Path(".bench").resolve()
LONG = 5.0  # seconds; an export that takes longer is measured once
_FEW = 8  # requests whose statements make a floor


def main() -> int:
    told = _arguments()
    FOLDER.mkdir(exist_ok=True)
    with ExitStack() as stack:
        print("database: 10k customers, 2k products, 200k orders, 1M lines …", flush=True)
        bench = stack.enter_context(bench_database(FOLDER))
        ours = Banyan(bench, FOLDER)
        ours.prepare()
        sides: list[Side] = [ours, *peers(bench.url(), floors.python_of(FOLDER / "venv"))]
        sides = [side for side in sides if side.name in told.sides]
        if not any(side.name == "fastify" for side in sides) and "fastify" in told.sides:
            print("fastify is left out: no Node, or benchmarks/peers/fastify was not installed", flush=True)
        run = Run(bench, {side.name: side for side in sides}, told.seconds, told.rounds)
        stack.callback(run.stop)
        run.start()
        for work in told.works:
            run.work(work, floor="floor" in told.sides)
    rows = report.rows(run.found)
    print(report.markdown(rows))
    print("\n".join(report.bars(rows)))
    if set(told.works) == set(NAMES) and "banyan" in told.sides and told.write:
        report.write(rows)
        print(
            f"written: {report.LATEST.name}, {report.PAGE.name}; not measured: {report.missing(run.found) or 'nothing'}"
        )
    for line in run.failures:
        print(f"FAILED {line}", file=sys.stderr)
    return 1 if run.failures else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--works", type=lambda text: text.split(","), default=list(NAMES))
    parser.add_argument("--sides", type=lambda text: text.split(","), default=list(report.SIDES))
    parser.add_argument("--seconds", type=float, default=2.0, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-write", dest="write", action="store_false", help="leave latest.json and the page alone")
    return parser.parse_args()


class Run:
    """All servers at once, idle but for the one whose turn it is."""

    def __init__(self, bench: Bench, sides: dict[str, Side], seconds: float, rounds: int) -> None:
        self.bench, self.sides, self.seconds, self.rounds = bench, sides, seconds, rounds
        self.at: list[Position] = positions(bench.url())
        self.ports = {name: free_port() for name in sides}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.found: dict[tuple[Name, str], Cost] = {}
        self.failures: list[str] = []

    def start(self) -> None:
        for name, side in self.sides.items():
            self.processes[name] = side.start(self.ports[name], FOLDER / f"{name}.log")
        for name in self.sides:
            _wait(self.ports[name], self.processes[name], FOLDER / f"{name}.log")

    def stop(self) -> None:
        for process in self.processes.values():
            process.send_signal(signal.SIGTERM)
        for process in self.processes.values():
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()

    def work(self, work: Name, *, floor: bool) -> None:
        status = 201 if work == "insert" else 200
        asked = {name: side.requests(work, self.at) for name, side in self.sides.items() if work in side.works}
        for name in list(asked):
            try:  # what is measured is warm; of an export the comparison below is enough
                if work not in EXPORTS:
                    load(self.ports[name], asked[name], seconds=0.3, status=status)
            except RuntimeError as error:
                self.failures.append(f"{work}/{name}: {str(error)[:300]}")
                del asked[name]
        if fault := disagreement(work, {name: (self.ports[name], texts[0]) for name, texts in asked.items()}):
            self.failures.append(f"{work}: {fault}")
        costs: dict[str, list[Cost]] = defaultdict(list)
        least = (
            _Floor(self.bench, work, asked["banyan"], self.ports["banyan"], status)
            if floor and "banyan" in asked
            else None
        )
        try:
            for _ in range(self.rounds):
                for name, texts in asked.items():
                    if not costs[name] or costs[name][-1].rps > 1 / LONG:
                        costs[name].append(self._one(work, name, texts, status))
                if least is not None:
                    costs["floor"].append(least.cost(self.seconds))
        finally:
            if least is not None:
                least.stop()
        for name, several in costs.items():
            self.found[work, name] = median_of(several)
            cost = self.found[work, name]
            print(
                f"{work:14} {name:19} app {cost.app_us:12,.0f}  db {cost.db_us:12,.0f} µs  {cost.rps:9,.2f}/s",
                flush=True,
            )

    def _one(self, work: Name, name: str, texts: list[str], status: int) -> Cost:
        port, seconds = self.ports[name], self.seconds
        is_whole = work in EXPORTS
        return measured(
            self.processes[name].pid,
            self.bench.server.pid,
            lambda: (
                load(port, texts, status=status, connections=1, most=1, seconds=600)
                if is_whole
                else load(port, texts, status=status, seconds=seconds)
            ),
        )


class _Floor:
    def __init__(self, bench: Bench, work: Name, asked: list[str], port: int, status: int) -> None:
        self.bench, self.work, self.status = bench, work, status
        few = [asked[n * len(asked) // _FEW] for n in range(_FEW)] if len(asked) >= _FEW else asked
        self.ran = floors.statements_of(bench, few, port, status, work)
        self.constant: floors.Constant | None = None
        self.pgbench: floors.Pgbench | None = None
        if work not in EXPORTS:
            self.pgbench = floors.Pgbench(bench, self.ran, FOLDER)
            size = load(port, few[:1], seconds=60, status=status, connections=1, most=1).bytes
            self.constant = floors.Constant(floors.python_of(FOLDER / "venv"), free_port(), size, status)
            _wait(self.constant.port, self.constant.process, FOLDER / "constant.log")

    def cost(self, seconds: float) -> Cost:
        if self.constant is None or self.pgbench is None:
            return floors.psql(self.bench, self.ran, FOLDER)
        body = new_orders(1)[0] if self.work == "insert" else None
        app = self.constant.cost(self.bench.server.pid, seconds, "POST" if body else "GET", body)
        return floors.joined(app, self.pgbench.cost(seconds), self.work)

    def stop(self) -> None:
        if self.constant is not None:
            self.constant.process.terminate()
            self.constant.process.wait(10)


def _wait(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise SystemExit(
        f"a server did not start: {log}\n{log.read_text(errors='replace')[-2000:] if log.exists() else ''}"
    )


if __name__ == "__main__":
    sys.exit(main())
