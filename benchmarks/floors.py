"""What nothing can be faster than: the database alone (pgbench, psql) and an application that only answers bytes.

The statement is the one our gateway runs, as the server logs it while one request is asked.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import psycopg

from benchmarks import processor
from benchmarks.database import Bench
from benchmarks.measure import CONNECTIONS, Cost, load, measured
from benchmarks.works import EXPORTS, Name, request

_PARAMETERS = re.compile(r"DETAIL:  Parameters: (.*)")
_PARAMETER = re.compile(r"\$(\d+) = (NULL|'(?:[^']|'')*')")


@dataclass(frozen=True, slots=True)
class Ran:
    """A statement with `$1`, …, and the values that one request gave it."""

    sql: str
    values: dict[int, str | None]


def statements_of(bench: Bench, ask: list[str], port: int, status: int, work: Name) -> list[list[Ran]]:
    """For each request what the server ran for it as `banyan_api`, transactions' own words included."""
    with psycopg.connect(bench.server.url(), autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET log_line_prefix = '[bench] %u '")
        connection.execute("ALTER SYSTEM SET log_parameter_max_length = -1")
        _logging(connection, "all")
        try:
            began = bench.server.log.stat().st_size
            load(port, ask, seconds=60, status=status, connections=1, most=len(ask))
            time.sleep(0.3)
            with bench.server.log.open("rb") as log:
                log.seek(began)
                found = _by_request(_parsed(log.read().decode()))
        finally:
            _logging(connection, "none")
    if not found:
        raise RuntimeError(f"the server's log does not show what was run for {work}")
    return found


def _logging(connection: psycopg.Connection, what: str) -> None:
    connection.execute(f"ALTER SYSTEM SET log_statement = '{what}'")
    connection.execute("SELECT pg_reload_conf()")
    time.sleep(0.3)


def _parsed(log: str) -> list[Ran]:
    ran: list[Ran] = []
    for entry in re.split(r"^\[bench\] (?=\S+ )", log, flags=re.MULTILINE):
        user, _, entry = entry.partition(" ")
        if user != "banyan_api":
            continue
        if match := re.match(r"LOG:  (?:execute [^:]*|statement): (.*)", entry, re.DOTALL):
            ran.append(Ran(match[1].strip(), {}))
        elif (match := _PARAMETERS.match(entry)) and ran:
            for number, text in _PARAMETER.findall(match[1]):
                ran[-1].values[int(number)] = None if text == "NULL" else text[1:-1].replace("''", "'")
    return [one for one in ran if "has_column_privilege(" not in one.sql]  # the watch of the schema


def _by_request(ran: list[Ran]) -> list[list[Ran]]:
    """A reading request is one statement; a writing one goes from BEGIN to COMMIT. What the gateway runs besides, for
    itself, is left out: it is not what most of them are."""
    found: list[list[Ran]] = []
    is_open = False
    for one in ran:
        if is_open:
            found[-1].append(one)
        else:
            found.append([one])
        word = one.sql[:6].upper()
        is_open = word.startswith("BEGIN") or (is_open and word != "COMMIT")
    kinds = Counter(tuple(one.sql for one in request) for request in found)
    usual = {kind for kind, times in kinds.items() if times == max(kinds.values())}
    return [request for request in found if tuple(one.sql for one in request) in usual]


@dataclass(frozen=True, slots=True)
class Spent:
    """What pgbench did, and what the database spent on it."""

    transactions: int
    cpu_us: float
    seconds: float


class Pgbench:
    """The same statements by pgbench: its answers per second, and what the database spent. The application is not
    pgbench.

    Each of its clients prepares each statement, and PostgreSQL plans a new one anew five times. A gateway did that long
    ago, so a floor is what more transactions cost than the first ones.
    """

    _FIRST = 80  # transactions of each client

    def __init__(self, bench: Bench, ran: list[list[Ran]], folder: Path) -> None:
        self._bench = bench
        self._words = _scripts(ran, folder)
        self._first = self._run(self._FIRST)

    def cost(self, seconds: float) -> Cost:
        first = self._first
        more = max(self._FIRST, round(first.transactions / first.seconds * seconds / CONNECTIONS))
        whole = self._run(self._FIRST + more)
        done = whole.transactions - first.transactions
        rps = whole.transactions / whole.seconds
        return Cost(0.0, (whole.cpu_us - first.cpu_us) / done, rps, 0.0)

    def _run(self, each: int) -> Spent:
        server = self._bench.server
        command = [str(server.programs / "pgbench"), "-n", "-M", "prepared", "-c", str(CONNECTIONS), "-j", "1"]
        command += ["-t", str(each), *self._words, self._bench.url("postgres")]
        before = processor.spent_us(server.pid)
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
        after = processor.spent_us(server.pid)
        done = re.search(r"number of transactions actually processed: (\d+)", answer.stdout)
        tps = re.search(r"tps = ([\d.]+)", answer.stdout)
        if not done or not tps or int(done[1]) < each * CONNECTIONS:
            raise RuntimeError(f"pgbench: {answer.stderr.strip()[-500:]}")
        return Spent(int(done[1]), after - before, int(done[1]) / float(tps[1]))


def _scripts(ran: list[list[Ran]], folder: Path) -> list[str]:
    """A script for each request, as words of pgbench's command line."""
    words: list[str] = []
    for n, statements in enumerate(ran):
        script = folder / f"floor-{n}.sql"
        lines = []
        for m, one in enumerate(statements):
            sql = re.sub(r"\$(\d+)", rf":v{n}_{m}_\1", one.sql)
            for number, value in one.values.items():
                if value is None:
                    sql = re.sub(rf":v{n}_{m}_{number}\b", "NULL", sql)
                else:
                    words += ["-D", f"v{n}_{m}_{number}={value}"]
            lines.append(f"{sql};")
        if len(lines) > 1:  # BEGIN goes with the first statement in one round trip, as the gateway sends it
            lines[:2] = ["\\startpipeline", *lines[:2], "\\endpipeline"]
        script.write_text("\n".join(lines))
        words += ["-f", str(script)]
    return words


def psql(bench: Bench, ran: list[list[Ran]], folder: Path) -> Cost:
    """The export as `psql` writes it to a file that keeps nothing."""
    copy = next(one for one in ran[0] if one.sql.upper().startswith("COPY"))
    script = folder / "floor-copy.sql"
    script.write_text(f"{copy.sql};\n")
    command = [str(bench.server.programs / "psql"), "-q", "-X", "-f", str(script), "-o", "/dev/null", bench.url()]
    before, began = processor.spent_us(bench.server.pid), time.perf_counter()
    usage = _children_us()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    seconds = time.perf_counter() - began
    return Cost(_children_us() - usage, processor.spent_us(bench.server.pid) - before, 1 / seconds, 0.0)


def _children_us() -> float:
    spent = os.times()
    return (spent.children_user + spent.children_system) * 1e6


class Constant:
    """uvicorn around a callable that answers as many bytes as our gateway does."""

    def __init__(self, python: Path, port: int, size: int, status: int) -> None:
        environment = {**os.environ, "BYTES": str(size), "STATUS": str(status)}
        command = [str(python), "-m", "uvicorn", "--port", str(port), "--no-access-log", "--log-level", "warning"]
        here = Path(__file__).parent / "peers"
        self.process = subprocess.Popen([*command, "constant:app"], cwd=here, env=environment)
        self.port, self.status = port, status

    def cost(self, database: int, seconds: float, method: str, body: object) -> Cost:
        asked = [request(method, "/", body=body)]
        return measured(self.process.pid, database, lambda: load(self.port, asked, seconds=seconds, status=self.status))


def joined(application: Cost, database: Cost, work: Name) -> Cost:
    """The floor of a work: the least application beside the least database. Of an export psql is both."""
    if work in EXPORTS:
        return database
    return Cost(application.app_us, database.db_us, database.rps, application.peak_mb)


def python_of(environment: Path) -> Path:
    return environment / "bin" / "python" if environment.is_dir() else Path(sys.executable)
