"""The legacy app as it is really served: gunicorn, on its own copy of the seeded database."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import pytest

from api_gateway.postgres import free_port

APP = Path(__file__).parents[2] / "legacy_admin"


def secret(kind: str, partner: str) -> str:
    """The demonstration's secrets, as the legacy app's README derives them."""
    return hashlib.sha256(f"northgate-demo-{kind}-{partner}".encode()).hexdigest()[:32]


@dataclass(frozen=True)
class Northgate:
    """The running app and its database."""

    url: str
    database: str

    def get(self, target: str, partner: str | None = None, **query: object) -> httpx2.Response:
        """`partner` is identified by header and by password at once; a token in the query is given as `token`."""
        return httpx2.get(self.url + target, params=query, **self._identified(partner))

    def post(self, target: str, partner: str | None = None, **request: Any) -> httpx2.Response:
        return httpx2.post(self.url + target, **self._identified(partner), **request)

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.database) as connection:
            return connection.execute(sql, values).fetchall()

    def value(self, sql: str, *values: object) -> Any:
        return self.rows(sql, *values)[0][0]

    @staticmethod
    def _identified(partner: str | None) -> dict[str, Any]:
        if partner is None:
            return {}
        headers = {"X-Partner-Token": secret("token", partner)}
        return {"headers": headers, "auth": (partner, secret("password", partner))}


def manage(url: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run `manage.py` as a person would, and return what it said."""
    return subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=APP,
        env={**os.environ, "NORTHGATE_DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )


@contextmanager
def served(database: str) -> Iterator[Northgate]:
    bind = f"127.0.0.1:{free_port()}"
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "northgate.wsgi:application", "--workers", "1", "--log-level", "warning"],
        cwd=APP,
        env={**os.environ, "NORTHGATE_DATABASE_URL": database, "NORTHGATE_BIND": bind},
    )
    try:
        wait_for(f"http://{bind}/index.php?action=ping", process)
        yield Northgate(f"http://{bind}", database)
    finally:
        process.terminate()
        process.wait(20)


def wait_for(url: str, process: subprocess.Popen[bytes], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            httpx2.get(url)
        except httpx2.TransportError:
            assert process.poll() is None, "gunicorn ended at its start"
            assert time.monotonic() < deadline, "gunicorn did not answer"
            time.sleep(0.05)
        else:
            return


@pytest.fixture(scope="module")
def northgate(clone: Callable[[str], str], northgate_template: str) -> Iterator[Northgate]:
    """One running app per test file, so that a file's writes stay its own."""
    with served(clone(northgate_template)) as app:
        yield app
