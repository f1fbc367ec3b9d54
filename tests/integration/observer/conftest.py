"""One observed project, its database and its candidates."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from textwrap import dedent
from typing import Any

import psycopg
import pytest
import pytest_asyncio

from api_gateway.consumers import Consumer, Credential, Register, secret_hash
from api_gateway.evidence.isolation import CandidatePool, CandidateSetting
from api_gateway.evidence.record import Recorder
from api_gateway.observer.exchanges import Exchanges
from api_gateway.project import Project, load_project
from api_gateway.recordings.keep import Keeper
from api_gateway.stages import StageTable
from shared_models.migrations import BANYAN, upgrade
from tests.support.observed import FILES, Observer, Standing


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("projects") / "observed"
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text))
    return load_project(folder)


@pytest.fixture(scope="module")
def url(clone: Any) -> str:
    fresh: str = clone("template1")
    upgrade(fresh, BANYAN)
    return fresh.replace("postgres@", "banyan_owner@")


@pytest.fixture
def connection(url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("TRUNCATE banyan.call_count, banyan.comparison")
        yield connection


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def candidates(project: Project, url: str) -> AsyncIterator[CandidatePool]:
    pool = CandidatePool(CandidateSetting(str(project.folder), url.replace("banyan_owner@", "banyan_read@")), 1)
    yield pool
    await pool.stop()


@pytest_asyncio.fixture(loop_scope="module")
async def observer(project: Project, url: str, connection: Any, candidates: CandidatePool) -> AsyncIterator[Observer]:
    consumers, key = [Consumer("acme", "Acme")], Credential("acme", "query", secret_hash("tok-acme"))
    standing = Standing(StageTable(), Register.of(1, consumers, [key]))
    async with Recorder(url, application_name="test") as recorder, Keeper(url, application_name="test") as keeper:
        exchanges = Exchanges(project, standing, recorder, candidates, legacy_url=None, keeper=keeper, waiting=4)
        work = asyncio.create_task(exchanges.work())
        yield Observer(exchanges, recorder, candidates, standing, project, keeper)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
