"""The host database's own convention: row security decides by a role and a setting, which each transaction tells it."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import literal, select

from api_gateway.api.contract import load_contract
from api_gateway.consumers import Consumer, Principal
from api_gateway.draft.init import init_project
from api_gateway.evidence.candidate import Candidates
from api_gateway.evidence.mimic import MimicRequest
from api_gateway.postgres import Server
from api_gateway.project import Project, load_project
from shared_models.database import Database
from shared_models.faults import DatabaseFault, NoSession
from shared_models.prepared import Prepared
from shared_models.session import Convention, Session
from tests.support.api import Api, prepare, serving

_SCHEMA = """
CREATE TABLE note (id int PRIMARY KEY, tenant text NOT NULL DEFAULT current_setting('app.tenant'), body text NOT NULL);
INSERT INTO note VALUES (1, 'it''s A', 'a one'), (2, 'it''s A', 'a two'), (3, 'B\\', 'b one');
ALTER TABLE note ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON note USING (tenant = current_setting('app.tenant'))
  WITH CHECK (tenant = current_setting('app.tenant'));
"""
_OPERATION = """

from api_gateway.api.authentication import Caller
from api_gateway.api.operations import operation
from api_gateway.api.transactions import Write
from shared_models.grants import touches
from sqlalchemy import column, insert, table
from pydantic import BaseModel
from fastapi import Response

class NewNote(BaseModel):
    id: int
    body: str
    tenant: str | None = None

@operation("notes", scope="notes:write", status=201)
@touches(insert={"note": ["id", "body", "tenant"]})
async def write_note(new: NewNote, tx: Write) -> Response:
    note = table("note", column("id"), column("body"), column("tenant"))
    await tx.execute(insert(note).values(new.model_dump(exclude_none=True)))
    return Response(status_code=201)

operations = [write_note]

from typing import Annotated
from shared_models.contract import Column, Key, Resource, Rows

class Card(
    Resource, table="note", path="cards", rows=Rows.all(), verbs=("list", "get", "create", "update", "delete")
):
    id: Annotated[int, Key("id", write="create")]
    body: Annotated[str, Column("body", write=True)]
"""
_ROUTES = """
from fastapi import Response
from sqlalchemy import column, select, table
from api_gateway.api.transactions import Read
from api_gateway.routes import QueryToken, Route
from shared_models.grants import touches

@touches(select={"note": ["id", "body"]})
async def notes(tx: Read) -> Response:
    rows = await tx.rows(select(column("id")).select_from(table("note")).order_by(column("id")))
    return Response(",".join(str(row["id"]) for row in rows), media_type="text/plain")

routes = [Route("notes", method="GET", path="/notes", consumer=QueryToken("token"), mimic=notes)]
"""
SCOPES = frozenset({"notes:read", "notes:write", "cards:read", "cards:write"})
A = Consumer("a", "A", SCOPES, {"tenant": "it's A"})
B = Consumer("b", "B", SCOPES, {"tenant": "B\\"})
NOBODY = Consumer("nobody", "No tenant", SCOPES, {})
EMPTY = Consumer("empty", "An empty tenant", SCOPES, {"tenant": ""})


def made(folder: Path, url: str, session: str) -> Project:
    init_project(folder.with_name("draft_of_it"), url)
    folder.with_name("draft_of_it").rename(folder)  # another name: Python keeps modules
    with (folder / "banyan.toml").open("a") as file:
        file.write(f"\n[database.session]\n{session}\n")
    with (folder / "contract.py").open("a") as file:
        file.write(_OPERATION)
    (folder / "routes.py").write_text(_ROUTES)
    project = load_project(folder)
    prepare(url, project, load_contract(project))
    return project


@pytest.fixture(scope="module")
def url(clone: Callable[[str], str]) -> str:
    url = clone("template1")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_SCHEMA.encode())
    return url


@pytest.fixture(scope="module")
def project(url: str, tmp_path_factory: pytest.TempPathFactory) -> Project:
    return made(
        tmp_path_factory.mktemp("session") / "session_api",
        url,
        'settings = {"app.tenant" = "{principal.value.tenant}"}',
    )


@pytest.fixture(scope="module")
def api_url(url: str, server: Server) -> str:
    return server.url(url.rsplit("/", 1)[1], user="banyan_api")


@pytest.fixture(scope="module")
def api(project: Project, api_url: str) -> Iterator[Api]:
    """Over one connection."""
    with serving(api_url, [A, B, NOBODY, EMPTY], project=project, contract=load_contract(project), size=1) as api:
        yield api


@pytest.fixture
async def database(api_url: str) -> AsyncIterator[Database]:
    """One connection, as banyan_api."""
    database = Database(api_url, size=1, application_name="tests", statement_timeout=5, lock_timeout=2)
    yield database
    await database.close()


def ids(api: Api, consumer: str) -> list[int]:
    return [row["id"] for row in api.all("notes", consumer)]


def test_two_principals_in_turn_on_one_connection_see_their_own_rows(api: Api) -> None:
    for _ in range(3):
        assert {row["body"] for row in api.all("notes", "a")} >= {"a one", "a two"}
        assert {row["body"] for row in api.all("notes", "b")} >= {"b one"}
        assert not set(ids(api, "a")) & set(ids(api, "b"))
    assert api.get("notes/3", "a").status_code == 404
    assert api.get("notes/3", "b").status_code == 200


@pytest.mark.parametrize("consumer", ["nobody", "empty"])
def test_who_lacks_the_value_is_refused_and_sees_nobody_elses_rows(api: Api, consumer: str) -> None:
    assert ids(api, "a")
    for method, path in (("GET", "notes"), ("GET", "notes/1"), ("HEAD", "notes/1")):
        answer = api.ask(method, path, consumer)
        assert answer.status_code == 403
        assert method == "HEAD" or answer.json()["code"] == "caller_not_set_up"
    answer = api.ask("POST", "notes", consumer, json={"id": 50, "body": "x"})
    assert (answer.status_code, answer.json()["code"]) == (403, "caller_not_set_up")
    assert "tenant" not in answer.text


def test_a_file_holds_what_row_security_lets_the_principal_see(api: Api) -> None:
    for consumer in ("a", "b"):
        answer = api.get("notes?sort=id", consumer, headers={"accept": "application/x-ndjson"})
        assert [json.loads(line)["id"] for line in answer.text.splitlines()] == sorted(ids(api, consumer))
    refused = api.get("notes", "nobody", headers={"accept": "text/csv"})
    assert (refused.status_code, refused.json()["code"]) == (403, "caller_not_set_up")


def test_after_an_error_the_next_principal_is_nobody_else(api: Api) -> None:
    assert api.get("notes?id=99999999999", "a").status_code == 400
    answer = api.ask("POST", "notes", "a", json={"id": 1, "body": "taken"})
    assert answer.status_code == 409, answer.text
    assert api.ask("GET", "notes", "nobody").status_code == 403
    assert set(ids(api, "b")) & {1, 2} == set()


def test_an_operation_writes_as_the_principal_and_row_security_refuses_the_rest(api: Api) -> None:
    answer = api.ask("POST", "notes", "b", json={"id": 10, "body": "by b"}, headers={"idempotency-key": "k1"})
    assert answer.status_code == 201
    again = api.ask("POST", "notes", "b", json={"id": 10, "body": "by b"}, headers={"idempotency-key": "k1"})
    assert (again.status_code, again.headers["idempotency-replayed"]) == (201, "true")
    assert 10 in ids(api, "b")
    assert 10 not in ids(api, "a")
    foreign = api.ask("POST", "notes", "b", json={"id": 11, "body": "x", "tenant": "it's A"})
    assert (foreign.status_code, foreign.json()["code"]) == (422, "refused_by_database")


def _written_by_one_and_unseen_by_another(api: Api, mine: str, other: str, number: int) -> None:
    made = api.ask("POST", "cards", mine, json={"id": number, "body": "first"})
    assert made.status_code == 201, made.text
    assert api.get(f"cards/{number}", other).status_code == 404
    for method, body in (("PATCH", {"body": "theirs"}), ("DELETE", None)):
        more = {"json": body, "headers": {"content-type": "application/merge-patch+json"}} if body else {}
        assert api.ask(method, f"cards/{number}", other, **more).status_code == 404
    changed = api.ask(
        "PATCH",
        f"cards/{number}",
        mine,
        json={"body": "mine"},
        headers={"content-type": "application/merge-patch+json"},
    )
    assert (changed.status_code, changed.json()["body"]) == (200, "mine")
    assert api.ask("DELETE", f"cards/{number}", mine).status_code == 204
    assert api.get(f"cards/{number}", mine).status_code == 404


def test_rows_are_written_as_the_principal(api: Api) -> None:
    _written_by_one_and_unseen_by_another(api, "a", "b", 30)


async def test_a_candidate_reads_as_the_principal(project: Project, url: str, server: Server) -> None:
    read_url = server.url(url.rsplit("/", 1)[1], user="banyan_read")
    database = Database(read_url, size=1, application_name="tests", statement_timeout=5, lock_timeout=2)
    candidates = Candidates(project, database)
    request = MimicRequest("GET", "/notes", b"", ())
    try:
        for consumer, body in ((A, b"1,2"), (B, b"3"), (A, b"1,2")):
            seen = await candidates.observe("notes", request, consumer.principal, 5)
            assert (seen.status, seen.body.split(b",10")[0]) == (200, body)
        for unknown in (NOBODY.principal, None):
            assert (await candidates.observe("notes", request, unknown, 5)).status is None
    finally:
        await database.close()


_WHO = Prepared(b"SELECT current_user, current_setting('app.tenant', true)", ())
_ONE = Session((("app.tenant", "one"),))
_TWO = Session((("app.tenant", "two"),))


async def tenant(database: Database) -> str:
    ((_, cell),) = await database.fetch(_WHO, {})
    return (cell or b"").decode()


async def test_a_session_ends_with_its_statement_its_transaction_and_its_failure(database: Database) -> None:
    one, two = database.acting(_ONE), database.acting(_TWO)
    failing = Prepared(b"SELECT 1 / CAST($1 AS int)", ("n",))
    for _ in range(2):
        assert (await tenant(one), await tenant(database)) == ("one", "")
        assert (await tenant(two), await tenant(database)) == ("two", "")
        with pytest.raises(DatabaseFault):
            await one.fetch(failing, {"n": "0"})
        assert await tenant(database) == ""
        async with one.read() as tx:
            ((_, cell),) = await tx.fetch(_WHO, {})
            assert cell == b"one"
        assert await tenant(database) == ""
        with suppress(ZeroDivisionError):
            async with two.write() as tx:
                assert (await tx.fetch(_WHO, {}))[0][1] == b"two"
                raise ZeroDivisionError
        assert await tenant(database) == ""


async def test_a_caller_who_leaves_in_the_middle_leaves_nothing_behind(database: Database) -> None:
    one = database.acting(_ONE)
    slow = asyncio.create_task(one.fetch(Prepared(b"SELECT pg_sleep(5)", ()), {}))
    await asyncio.sleep(0.1)
    slow.cancel()
    with pytest.raises(asyncio.CancelledError):
        await slow
    assert await tenant(database) == ""


async def test_without_a_session_there_is_no_use_of_the_database(database: Database) -> None:
    nobody = database.acting(None)
    with pytest.raises(NoSession):
        await nobody.fetch(_WHO, {})
    with pytest.raises(NoSession):
        async with nobody.read():
            pass
    with pytest.raises(NoSession):
        async with nobody.write():
            pass


@pytest.fixture
def tenant_role(url: str) -> Iterator[str]:
    name = f"Tenant {uuid.uuid4().hex[:8]}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'CREATE ROLE "{name}"; GRANT "{name}" TO banyan_api WITH INHERIT FALSE, SET TRUE'.encode())
        connection.execute(f'GRANT SELECT, INSERT, UPDATE, DELETE ON note TO "{name}"'.encode())
        yield name
        connection.execute(f'DROP OWNED BY "{name}"; DROP ROLE "{name}"'.encode())


async def test_a_role_is_taken_for_the_transaction_and_laid_down_after_it(
    database: Database, project: Project, tenant_role: str
) -> None:
    acting = database.acting(Session((), tenant_role))
    for _ in range(2):
        ((user, _),) = await acting.fetch(_WHO, {})
        assert (user or b"").decode() == tenant_role
        ((user, _),) = await database.fetch(_WHO, {})
        assert user == b"banyan_api"
    async with acting.write() as tx:
        async with tx.as_ourselves():
            assert (await tx.fetch(_WHO, {}))[0][0] == b"banyan_api"
        assert (await tx.fetch(_WHO, {}))[0][0] == tenant_role.encode()


@pytest.mark.parametrize("role", ["there is no such role", "postgres"])
async def test_a_role_that_cannot_be_taken_is_a_refusal(database: Database, role: str) -> None:
    acting = database.acting(Session((), role))
    with pytest.raises(NoSession):
        await acting.fetch(_WHO, {})
    with pytest.raises(NoSession):
        async with acting.read():
            pass
    with pytest.raises(NoSession):
        async with acting.write(lazily=True) as tx:
            await tx.fetch(_WHO, {})
    with pytest.raises(NoSession):
        async with acting.write(lazily=True) as tx:
            await tx.value(select(literal(1)))
    assert (await database.fetch(_WHO, {}))[0][0] == b"banyan_api"


def test_under_a_role_keys_and_journal_are_still_kept_and_rows_written_as_the_principal(
    tmp_path: Path, url: str, api_url: str, tenant_role: str
) -> None:
    settings = 'settings = {"app.tenant" = "{principal.value.tenant}"}'
    project = made(tmp_path / "role_api", url, f'role = "{{principal.value.role}}"\n{settings}')
    acting = Consumer("r", "R", A.scopes, {"tenant": "R", "role": tenant_role})
    none = Consumer("n", "N", A.scopes, {"tenant": "R", "role": "none"})
    beside = Consumer("s", "S", A.scopes, {"tenant": "S", "role": tenant_role})
    with serving(api_url, [acting, none, beside], project=project, contract=load_contract(project), size=1) as api:
        for replayed in (None, "true"):
            new = {"json": {"id": 70, "body": "x"}, "headers": {"idempotency-key": "k"}}
            answer = api.ask("POST", "notes", "r", **new)
            assert (answer.status_code, answer.headers.get("idempotency-replayed")) == (201, replayed)
        assert ids(api, "r") == [70]
        _written_by_one_and_unseen_by_another(api, "r", "s", 71)
        assert api.get("notes", "n").json()["code"] == "caller_not_set_up"


@pytest.mark.parametrize(
    ("role", "settings", "complaint"),
    [
        (None, {"search_path": "x"}, "no setting of the host's own"),
        (None, {"app.tenant": "{principal.tenant}"}, "means nothing here"),
        (None, {"app.tenant": "{principal.code"}, "brace"),
        ("{nobody}", {}, "means nothing here"),
    ],
)
def test_a_convention_that_cannot_be_is_told_when_it_is_read(
    role: str | None, settings: dict[str, str], complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        Convention.of(role, settings)


def test_a_template_takes_kind_code_and_values_of_the_principal() -> None:
    text = "{principal.kind}/{principal.code}/{principal.value.a.b}"
    who = Principal("consumer", "acme", frozenset(), {"a.b": "{principal.code}"})
    session = Convention.of(None, {"app.who": text}).session(who)
    assert session == Session((("app.who", "consumer/acme/{principal.code}"),))
