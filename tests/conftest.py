"""One embedded PostgreSQL for the whole run; every test that writes gets a database of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import psycopg
import pytest
from _pytest.nodeid import coerce_node_id

from api_gateway.postgres import Server, running
from api_gateway.testing import handlers_stay_inside as handlers_stay_inside  # every test is guarded so
from tests.support import debian_postgres
from tests.support.debian_postgres import DebianServer

ROOT = Path(__file__).parent.parent

# Where Python may not keep its byte code, each of the hundreds of processes that tests start compiles every library
# anew: more than half of its time.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# A busy machine is slow, and that is no fault of what is tested.
hypothesis.settings.register_profile("here", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("here")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests of one xdist_group on one worker: xdist 3.8 says so in an attribute that pytest 9.2 no longer reads."""
    if not getattr(config.option, "loadgroup", False):
        return
    for item in items:
        groups = sorted({str(mark.args[0]) for mark in item.iter_markers("xdist_group")})
        if groups and "@" not in item.nodeid.rpartition("]")[2]:
            item._id = coerce_node_id(f"{item.nodeid}@{'_'.join(groups)}")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("postgres") / "data") as started:
        yield started


@pytest.fixture(scope="session")
def debian_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DebianServer]:
    """The distribution's PostgreSQL, with passwords."""
    with debian_postgres.running(tmp_path_factory.mktemp("debian") / "data") as started:
        yield started


@pytest.fixture(scope="session")
def clone(server: Server) -> Callable[[str], str]:
    """Make a database out of a template (`template1` for an empty one) and return its URL."""

    def make(template: str) -> str:
        name = f"t_{uuid.uuid4().hex[:12]}"
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY')
        return server.url(name)

    return make


@pytest.fixture
def database_url(clone: Callable[[str], str]) -> str:
    """A fresh, empty database."""
    return clone("template1")


@pytest.fixture(scope="session")
def northgate_template(server: Server, clone: Callable[[str], str]) -> str:
    """Name of a database in which the legacy app is migrated and has its small seed. Nobody connects to it."""
    url = clone("template1")
    environment = {**os.environ, "NORTHGATE_DATABASE_URL": url}
    for command in (["migrate", "--verbosity", "0"], ["seed", "--small"]):
        answer = subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=ROOT / "legacy_admin",
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert answer.returncode == 0, answer.stdout + answer.stderr
    return url.rsplit("/", 1)[1]


@pytest.fixture
def northgate_url(clone: Callable[[str], str], northgate_template: str) -> str:
    """A fresh copy of the example's database with its small seed."""
    return clone(northgate_template)


@pytest.fixture(scope="session")
def northgate_shared_url(clone: Callable[[str], str], northgate_template: str) -> str:
    """One copy of the example's database for all tests that only read."""
    return clone(northgate_template)
