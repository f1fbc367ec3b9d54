"""The one database of a run: a fresh copy of a template that is made once and kept under `.bench/`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from api_gateway.postgres import Server, running

HERE = Path(__file__).parent
SCHEMA = HERE / "schema.sql"
# durable, as production is; background work that comes when it likes is kept out of the figures
SETTINGS = {
    "autovacuum": "off",
    "checkpoint_timeout": "1h",
    "max_wal_size": "8GB",
    "shared_buffers": "512MB",
    "jit": "off",
}


@dataclass(frozen=True, slots=True)
class Bench:
    server: Server
    name: str

    def url(self, user: str = "postgres") -> str:
        return self.server.url(self.name, user)


@contextmanager
def bench_database(folder: Path) -> Iterator[Bench]:
    """A copy of the filled template, warm in memory. The first time on a machine takes half a minute."""
    with running(folder / "data", durable=True, settings=SETTINGS) as server:
        template = f"bench_{hashlib.sha256(SCHEMA.read_bytes()).hexdigest()[:10]}"
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute("DROP DATABASE IF EXISTS run WITH (FORCE)")
            if not _is_there(connection, template):
                _make(server, connection, template)
            connection.execute(f'CREATE DATABASE run TEMPLATE "{template}" STRATEGY FILE_COPY')
        bench = Bench(server, "run")
        with psycopg.connect(bench.url()) as connection:
            for table in ("customers", "products", "orders", "order_lines"):
                connection.execute(f"SELECT count(*) FROM (SELECT DISTINCT t::text FROM {table} t) counted")
        yield bench


def _is_there(connection: psycopg.Connection, name: str) -> bool:
    return connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is not None


def _make(server: Server, connection: psycopg.Connection, template: str) -> None:
    connection.execute("DROP DATABASE IF EXISTS making WITH (FORCE)")
    connection.execute("CREATE DATABASE making")
    with psycopg.connect(server.url("making"), autocommit=True) as making:
        making.execute(SCHEMA.read_bytes())
        making.execute("VACUUM (FREEZE, ANALYZE)")
    connection.execute(f'ALTER DATABASE making RENAME TO "{template}"')
    connection.execute("CHECKPOINT")
