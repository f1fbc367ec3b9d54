"""The typed API behind PgBouncer in transaction mode: one connection of the server, shared by whoever comes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import psycopg
import pytest

from api_gateway.api.contract import load_contract
from api_gateway.consumers import Consumer
from api_gateway.doctor.pooler import way_of_the_api
from api_gateway.draft.init import init_project
from api_gateway.postgres import Server
from api_gateway.project import load_project
from shared_models.database import Database
from shared_models.faults import StatementTimeout
from shared_models.prepared import Prepared
from tests.support import pgbouncer
from tests.support.api import Api, prepare, serving

_SCHEMA = """
CREATE TABLE note (id int PRIMARY KEY, tenant text NOT NULL DEFAULT current_setting('app.tenant'), body text NOT NULL,
  written timestamptz NOT NULL DEFAULT '2024-02-29 12:00:00+00', lasts interval NOT NULL DEFAULT '1 day 2 hours');
INSERT INTO note VALUES (1, 'A', 'a one'), (2, 'A', 'a two'), (3, 'B', 'b one');
ALTER TABLE note ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON note USING (tenant = current_setting('app.tenant'))
  WITH CHECK (tenant = current_setting('app.tenant'));
"""
_CONTRACT = """

from typing import Annotated
from datetime import datetime, timedelta
from shared_models.contract import Column, Key, Resource, Rows

class Card(
    Resource, table="note", path="cards", rows=Rows.all(), verbs=("list", "get", "create", "update", "delete")
):
    id: Annotated[int, Key("id", write="create")]
    body: Annotated[str, Column("body", write=True)]
    written: Annotated[datetime, Column("written")]
    lasts: Annotated[timedelta, Column("lasts")]
"""
_SETTINGS = Prepared(
    b"SELECT current_setting('app.tenant', true), current_setting('statement_timeout'),"
    b" current_setting('IntervalStyle')",
    (),
)


@pytest.fixture(scope="module")
def url(clone: Callable[[str], str]) -> str:
    url = clone("template1")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_SCHEMA.encode())
    return url


@pytest.fixture(scope="module")
def pooled_url(url: str, server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("pgbouncer")
    with pgbouncer.running(folder, server.port, "transaction", user="banyan_api", size=1) as port:
        yield f"postgresql://banyan_api@127.0.0.1:{port}/{url.rsplit('/', 1)[1]}"


@pytest.fixture(scope="module")
def api(url: str, tmp_path_factory: pytest.TempPathFactory, server: Server) -> Iterator[Api]:
    """Two connections to PgBouncer, which has one to the server."""
    folder = tmp_path_factory.mktemp("pooled") / "pooled_api"
    init_project(folder.with_name("draft_of_pooled"), url)
    folder.with_name("draft_of_pooled").rename(folder)  # another name: Python keeps modules
    with (folder / "banyan.toml").open("a") as file:
        file.write('\n[database.session]\nsettings = {"app.tenant" = "{principal.value.tenant}"}\n')
    with (folder / "contract.py").open("a") as file:
        file.write(_CONTRACT)
    project = load_project(folder)
    contract = load_contract(project)
    prepare(url, project, contract)
    scopes = frozenset({"cards:read", "cards:write"})
    consumers = [Consumer("a", "A", scopes, {"tenant": "A"}), Consumer("b", "B", scopes, {"tenant": "B"})]
    consumers.append(Consumer("nobody", "No tenant", scopes, {}))
    with pgbouncer.running(folder, server.port, "transaction", user="banyan_api", size=1) as port:
        behind = f"postgresql://banyan_api@127.0.0.1:{port}/{url.rsplit('/', 1)[1]}"
        with serving(behind, consumers, project=project, contract=contract, size=2, pooled=True) as api:
            yield api


def test_each_reads_its_own_rows_and_values_are_written_as_ever(api: Api) -> None:
    for _ in range(3):
        assert [row["id"] for row in api.all("cards?sort=id", "a")] == [1, 2]
        assert [row["id"] for row in api.all("cards?sort=id", "b")] == [3]
        assert api.get("cards/3", "a").status_code == 404
    found = api.get("cards/1", "a").json()
    assert (found["written"], found["lasts"]) == ("2024-02-29T12:00:00+00:00", "P1DT2H")
    assert api.get("cards", "nobody").json()["code"] == "caller_not_set_up"


def test_rows_are_written_once_and_as_the_principal(api: Api) -> None:
    key = {"idempotency-key": "k1"}
    made = api.ask("POST", "cards", "b", json={"id": 10, "body": "by b"}, headers=key)
    again = api.ask("POST", "cards", "b", json={"id": 10, "body": "by b"}, headers=key)
    assert (made.status_code, again.headers["idempotency-replayed"]) == (201, "true")
    assert api.get("cards/10", "a").status_code == 404
    merge = {"content-type": "application/merge-patch+json"}
    assert api.ask("PATCH", "cards/10", "a", json={"body": "x"}, headers=merge).status_code == 404
    changed = api.ask(
        "PATCH", "cards/10", "b", json={"body": "new"}, headers={**merge, "if-match": made.headers["etag"]}
    )
    assert changed.json()["body"] == "new"
    assert api.ask("POST", "cards", "a", json={"id": 10, "body": "taken"}).status_code == 409
    assert api.ask("DELETE", "cards/10", "b").status_code == 204


def test_a_file_is_streamed(api: Api) -> None:
    answer = api.get("cards?sort=id&fields=id", "a", headers={"accept": "application/x-ndjson"})
    assert answer.text == '{"id":1}\n{"id":2}\n'


async def test_what_a_transaction_was_told_ends_with_it(pooled_url: str) -> None:
    """Both stand on the same connection of the server, one behind the other."""
    told = Database(pooled_url, size=1, application_name="t", statement_timeout=3, lock_timeout=1, pooled=True)
    try:
        for _ in range(2):
            assert await told.fetch(_SETTINGS, {}) == [[None, b"3s", b"iso_8601"]]
            async with await psycopg.AsyncConnection.connect(
                pooled_url, autocommit=True, prepare_threshold=None
            ) as other:
                row = await (await other.execute(_SETTINGS.sql)).fetchone()
            assert row in ((None, "0", "postgres"), ("", "0", "postgres"))
    finally:
        await told.close()


async def test_the_timeouts_hold_and_a_request_that_is_given_up_leaves_nothing_running(pooled_url: str) -> None:
    database = Database(pooled_url, size=1, application_name="t", statement_timeout=0.1, lock_timeout=1, pooled=True)
    try:
        with pytest.raises(StatementTimeout):
            await database.fetch(Prepared(b"SELECT pg_sleep(10)", ()), {})
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await database.fetch(Prepared(b"SELECT pg_sleep(10)", ()), {})
        assert await database.fetch(Prepared(b"SELECT 1", ()), {}) == [[b"1"]]
    finally:
        await database.close()


def test_the_doctor_knows_whether_the_setting_fits(pooled_url: str, url: str) -> None:
    def found(address: str, told: str) -> list[str]:
        return [symptom.severity for symptom in way_of_the_api(address, told)]

    assert found(pooled_url, "transaction") == ["ok"]
    assert found(pooled_url, "none") == ["error"]
    assert found(url, "none") == ["ok"]
    assert found(url, "transaction") == ["warning"]
