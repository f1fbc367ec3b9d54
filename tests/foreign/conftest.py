"""Every foreign database that can be had here, loaded and drafted once for all tests that only read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from api_gateway.api.contract import load_contract
from api_gateway.consumers import Consumer
from api_gateway.draft.init import Report, init_project
from api_gateway.postgres import Server
from api_gateway.project import load_project
from shared_models.catalog import read_snapshot, user_schemas
from tests.support.api import Api, prepare, serving
from tests.support.foreign import loads
from tests.support.rows import fill


@dataclass(frozen=True, slots=True)
class Foreign:
    """`url` is the administrator's, `api_url` that of banyan_api. `empty`: tables that have no rows and take none."""

    name: str
    url: str
    api_url: str
    folder: Path
    report: Report
    empty: frozenset[tuple[str, str]]


@pytest.fixture(
    scope="session", params=[pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in sorted(loads())]
)
def foreign(
    request: pytest.FixtureRequest,
    clone: Callable[[str], str],
    server: Server,
    tmp_path_factory: pytest.TempPathFactory,
) -> Foreign:
    name: str = request.param
    url = clone("template1")
    loads()[name](url)
    with psycopg.connect(url, autocommit=True) as connection:
        snapshot = read_snapshot(connection, user_schemas(connection))
    empty = frozenset(fill(url, snapshot))
    folder = tmp_path_factory.mktemp(name) / f"{name}_api"
    report = init_project(folder, url, legacy_url="http://127.0.0.1:9")
    return Foreign(name, url, server.url(url.rsplit("/", 1)[1], user="banyan_api"), folder, report, empty)


@pytest.fixture(scope="session")
def served(foreign: Foreign) -> Iterator[Api]:
    """The drafted API in this process; `reader` has every scope."""
    project = load_project(foreign.folder)
    contract = load_contract(project)
    prepare(foreign.url, project, contract)
    reader = Consumer("reader", "Reads everything", frozenset(contract.scopes()), {})
    with serving(foreign.api_url, [reader], project=project, contract=contract) as api:
        yield api
