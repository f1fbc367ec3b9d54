"""A request is one transaction, committed before the answer leaves; each way out of a handler has its test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Annotated, Any

import psycopg
import pytest
import sqlalchemy as sa
from pydantic import BaseModel
from starlette.responses import JSONResponse

from api_gateway.api.contract import Contract
from api_gateway.api.operations import operation
from api_gateway.api.transactions import Read, Write
from api_gateway.consumers import Consumer
from api_gateway.errors import Problem
from api_gateway.postgres import Server
from api_gateway.project import load_project
from shared_models.binding import bind
from shared_models.catalog import read_snapshot
from shared_models.contract import Column, Key, Resource, Rows
from shared_models.grants import grant_sql, grants, touches, touches_of, usage_sql
from shared_models.migrations import upgrade
from tests.support.api import NORTHGATE, Api, serving

note = sa.table("note", sa.column("id", sa.Integer), sa.column("text", sa.Text), sa.column("twin", sa.Integer))


class Note(Resource, table="note", path="notes", rows=Rows.all()):
    id: Annotated[int, Key("id")]
    text: Annotated[str, Column("text")]


class NewNote(BaseModel):
    text: str
    twin: int | None = None


def _insert(new: NewNote) -> sa.sql.dml.Insert:
    return sa.insert(note).values(text=new.text, twin=new.twin)


@operation("notes", scope="notes:write", status=201)
@touches(insert={"note": ["text", "twin"]})
async def write_note(new: NewNote, tx: Write) -> dict[str, str]:
    await tx.execute(_insert(new))
    return {"text": new.text}


@operation("returned", scope="notes:write")
async def write_and_return_409(new: NewNote, tx: Write) -> JSONResponse:
    await tx.execute(_insert(new))
    return JSONResponse({"no": "no"}, 409)


@operation("raised", scope="notes:write")
async def write_and_raise(new: NewNote, tx: Write) -> None:
    await tx.execute(_insert(new))
    raise Problem(409, "no", "No.")


@operation("broken", scope="notes:write")
async def write_and_break(new: NewNote, tx: Write) -> None:
    await tx.execute(_insert(new))
    raise RuntimeError("a secret")


@operation("reading", scope="notes:write")
async def write_through_a_read(new: NewNote, tx: Read) -> None:
    await tx.rows(_insert(new))


@pytest.fixture
def url(database_url: str) -> str:
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "CREATE TABLE note (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, text text NOT NULL UNIQUE,"
            " twin int REFERENCES note DEFERRABLE INITIALLY DEFERRED)"
        )
    upgrade(database_url)
    return database_url


@pytest.fixture
def api(url: str, server: Server) -> Iterator[Api]:
    handlers = (write_note, write_and_return_409, write_and_raise, write_and_break, write_through_a_read)
    module = ModuleType("notes")
    module.Note = Note
    with psycopg.connect(url, autocommit=True) as connection:
        snapshot = read_snapshot(connection, ["public"])
        contract = Contract(bind(module, snapshot), handlers)
        wanted = grants(contract.resources, touches_of(handlers), snapshot)
        for statement in [*usage_sql((grant.table_schema, grant.grantee) for grant in wanted), *grant_sql(wanted)]:
            connection.execute(statement.encode())
    consumer = Consumer("acme", "Acme", frozenset(contract.scopes()))
    as_api = server.url(url.rsplit("/", 1)[1], user="banyan_api")
    with serving(as_api, [consumer], project=load_project(NORTHGATE), contract=contract) as served:
        yield served


Post = Callable[..., Any]


@pytest.fixture(params=[None, "k1"], ids=["without key", "with key"])
def post(request: pytest.FixtureRequest, api: Api) -> Post:
    headers = {} if request.param is None else {"idempotency-key": request.param}
    return lambda path, **body: api.ask("POST", path, json={"text": "x", **body}, headers=headers)


def notes(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        return [row[0] for row in connection.execute("SELECT text FROM note")]


def kept(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT count(*) FROM banyan.idempotency").fetchone()
    assert row is not None
    return int(row[0])


def test_what_is_answered_201_is_committed(post: Post, url: str) -> None:
    assert post("notes").status_code == 201
    assert notes(url) == ["x"]


@pytest.mark.parametrize(("path", "status"), [("returned", 409), ("raised", 409), ("broken", 500)])
def test_a_refusal_leaves_nothing_behind_however_it_leaves_the_handler(
    post: Post, url: str, path: str, status: int
) -> None:
    answer = post(path)
    assert answer.status_code == status
    assert "secret" not in answer.text
    assert notes(url) == []
    assert kept(url) == 0


def test_a_constraint_that_fails_at_commit_is_a_problem_and_no_201(post: Post, url: str) -> None:
    answer = post("notes", twin=99)
    assert answer.status_code == 409
    assert answer.json()["code"] == "conflict"
    assert "note" not in answer.text
    assert notes(url) == []
    assert kept(url) == 0


def test_a_unique_violation_is_a_conflict_that_names_nothing(api: Api) -> None:
    for status in (201, 409):
        answer = api.ask("POST", "notes", json={"text": "x"})
        assert answer.status_code == status
    assert "note_text_key" not in answer.text
    assert "text" not in answer.text


def test_the_server_refuses_a_write_through_a_read_transaction(api: Api, url: str) -> None:
    assert api.ask("POST", "reading", json={"text": "x"}).status_code == 500
    assert notes(url) == []


def test_a_column_that_is_granted_no_more_takes_the_resource_out_of_service_and_names_nothing(
    api: Api, url: str
) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("REVOKE SELECT (text) ON note FROM banyan_api")
    answer = api.get("notes")
    assert answer.status_code == 503
    assert answer.json()["code"] == "resource_unavailable"
    assert "text" not in answer.text.replace("context", "")
    assert "note" not in answer.json()["title"]


def test_a_table_that_changed_under_us_is_out_of_service_then_back(api: Api, url: str) -> None:
    assert api.get("notes").status_code == 200
    with psycopg.connect(url) as connection:
        connection.execute("ALTER TABLE note RENAME TO memo")
    assert api.get("notes").status_code == 503
    with psycopg.connect(url) as connection:
        connection.execute("ALTER TABLE memo RENAME TO note")
    assert api.get("notes").status_code == 200


def test_a_column_whose_type_changed_under_a_prepared_statement_is_read_again(api: Api, url: str) -> None:
    api.ask("POST", "notes", json={"text": "x"})
    assert api.get("notes").json()["data"] == [{"id": 1, "text": "x"}]
    with psycopg.connect(url) as connection:
        connection.execute("ALTER TABLE note ALTER text TYPE varchar(50)")
    assert api.get("notes").json()["data"] == [{"id": 1, "text": "x"}]


def test_a_terminated_connection_is_replaced_for_reads_and_for_writes(api: Api, url: str) -> None:
    for ask in (lambda: api.get("notes"), lambda: api.ask("POST", "notes", json={"text": "y"})):
        api.get("notes")
        with psycopg.connect(url) as connection:
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'banyan_api'")
        assert ask().status_code in (200, 201)
    assert notes(url) == ["y"]
