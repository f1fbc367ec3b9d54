"""`python -m benchmarks.reflection`: a schema of 1,000 tables read by us and by SQLAlchemy, in turns, in one run.

Each reading is a process of its own: the peak of its memory is that of the reading, interpreter and imports included.
What is timed is the reading alone, on an open connection.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median
from typing import Any

import psycopg

from api_gateway.postgres import running
from benchmarks import section
from tests.support.large_schema import Large

SIDES = ("banyan", "sqlalchemy")
Figures = Mapping[str, float]


def main() -> int:
    told = _arguments()
    if told.side:
        print(json.dumps({"banyan": _banyan, "sqlalchemy": _sqlalchemy}[told.side](told.url)))
        return 0
    size = Large(tables=told.tables, columns=12, views=told.views)
    with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "data") as server:
        size.load(server.url())
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
        rounds = [{side: _measured(side, server.url()) for side in SIDES} for _ in range(told.rounds)]
    found = {side: {what: median(one[side][what] for one in rounds) for what in rounds[0][side]} for side in SIDES}
    return _report(found, size, told.rounds, write=told.write)


def _report(found: Mapping[str, Figures], size: Large, rounds: int, *, write: bool) -> int:
    ours, theirs = found["banyan"], found["sqlalchemy"]
    head = ["", "wall s", "peak MB", "statements", "tables and views", "columns"]
    named = {"banyan": "`read_snapshot`", "sqlalchemy": "`MetaData.reflect`"}
    rows = [[name, *(f"{found[side][what]:{form}}" for what, form in _FORMS.items())] for side, name in named.items()]
    table = section.markdown(head, rows)
    print(f"{size}, median of {rounds} rounds\n{table}")
    bars = {
        "less than 2 s": ours["wall_s"] < 2,
        "less than 200 MB": ours["peak_mb"] < 200,
        "fewer than 30 statements": ours["statements"] < 30,
        "faster than SQLAlchemy": ours["wall_s"] < theirs["wall_s"],
    }
    print("\n".join(f"{'holds' if holds else 'MISSED':7} {bar}" for bar, holds in bars.items()))
    if write:
        section.write("reflection", found, table)
    return 0 if all(bars.values()) else 1


_FORMS = {"wall_s": ".2f", "peak_mb": ".0f", "statements": ".0f", "tables": ",.0f", "columns": ",.0f"}


def _measured(side: str, url: str) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.reflection", "--side", side, "--url", url]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    measured: dict[str, float] = json.loads(answer.stdout)
    return measured


def _banyan(url: str) -> dict[str, float]:
    from shared_models.catalog import read_snapshot, user_schemas

    sent: list[object] = []

    class Counting(psycopg.Cursor[Any]):
        def execute(self, query: Any, *arguments: Any, **more: Any) -> Counting:
            sent.append(query)
            return super().execute(query, *arguments, **more)

        def stream(self, query: Any, *arguments: Any, **more: Any) -> Any:
            sent.append(query)
            return super().stream(query, *arguments, **more)

    with psycopg.connect(url, autocommit=True, cursor_factory=Counting) as connection:
        seconds, snapshot = _timed(lambda: read_snapshot(connection, user_schemas(connection)))
    columns = sum(len(table.columns) for table in snapshot.tables)
    return _figures(seconds, len(sent), len(snapshot.tables), columns)


def _sqlalchemy(url: str) -> dict[str, float]:
    import warnings

    import sqlalchemy as sa

    warnings.simplefilter("ignore", sa.exc.SAWarning)  # types that it does not know
    engine = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    sent: list[object] = []
    sa.event.listen(engine, "before_cursor_execute", lambda *told: sent.append(told[2]))
    metadata = sa.MetaData()

    def reflect(connection: sa.Connection) -> None:
        inspector = sa.inspect(connection)
        for schema in inspector.get_schema_names():
            if schema != "information_schema":
                metadata.reflect(connection, schema=schema, views=True)

    with engine.connect() as connection:
        seconds, _ = _timed(lambda: reflect(connection))
    columns = sum(len(table.columns) for table in metadata.tables.values())
    return _figures(seconds, len(sent), len(metadata.tables), columns)


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    done = work()
    return time.perf_counter() - began, done


def _figures(seconds: float, statements: int, tables: int, columns: int) -> dict[str, float]:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"wall_s": seconds, "peak_mb": peak, "statements": statements, "tables": tables, "columns": columns}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reflection", description=__doc__)
    parser.add_argument("--tables", type=int, default=1000)
    parser.add_argument("--views", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--no-write", dest="write", action="store_false", help="leave page and JSON as they are")
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
