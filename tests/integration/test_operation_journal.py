"""What an operation writes is journalled without a line in it: key, columns, before, after; and never its secrets."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from types import ModuleType
from typing import Annotated, Any

import psycopg
import pytest
import sqlalchemy as sa
from fastapi import Response
from psycopg.rows import dict_row
from pydantic import BaseModel
from sqlalchemy.dialects.postgresql import insert

from api_gateway.api.contract import Contract
from api_gateway.api.operations import operation
from api_gateway.api.transactions import Write
from api_gateway.consumers import Consumer
from api_gateway.errors import Problem
from api_gateway.postgres import Server
from api_gateway.project import load_project
from shared_models.binding import bind
from shared_models.catalog import read_snapshot
from shared_models.contract import Column, Key, Resource, Rows
from shared_models.granting import apply, wanted
from shared_models.grants import grants, touches, touches_of
from shared_models.migrations import upgrade
from tests.support.api import NORTHGATE, Api, serving

metadata = sa.MetaData()
price = sa.Table(
    "price",
    metadata,
    sa.Column("Item No", sa.CHAR(6), primary_key=True, key="item"),
    sa.Column("qty", sa.Integer, primary_key=True),
    sa.Column("amount", sa.Numeric(10, 2)),
)
login = sa.Table(
    "login",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.Text),
    sa.Column("pw_hash", sa.Text),
)
log = sa.Table("log", metadata, sa.Column("line", sa.Text))


class Login(Resource, table="login", path="logins", rows=Rows.all()):
    id: Annotated[int, Key("id")]
    name: Annotated[str, Column("name")]


class Deed(BaseModel):
    """What the operation below is told to do, in this order."""

    deeds: list[str]


PRICE = {"select": {"price": ["Item No", "qty", "amount"]}, "insert": {"price": ["Item No", "qty", "amount"]}}
NEW = insert(price).values([{"item": "A", "qty": 1, "amount": 9}, {"item": "B", "qty": 1, "amount": 8}])
STATEMENTS: dict[str, Any] = {
    "two prices": sa.insert(price).values(
        [{"item": "A", "qty": 1, "amount": 2}, {"item": "A", "qty": 10, "amount": 1.5}]
    ),
    "dearer": sa.update(price).where(price.c.qty > 1).values(amount=price.c.amount + 1),
    "nothing": sa.update(price).where(price.c.qty > 999).values(amount=0),
    "upsert": NEW.on_conflict_do_update(
        index_elements=[price.c.item, price.c.qty], set_={"amount": NEW.excluded.amount}
    ),
    "copied": sa.insert(log).from_select(["line"], sa.select(sa.cast(price.c.amount, sa.Text))),
    "gone": sa.delete(price).where(price.c.qty == 1),
    "sign up": sa.insert(login).values(name="x" * 3000, pw_hash="a secret"),
    "other password": sa.update(login).values(pw_hash="another secret"),
}


@operation("deeds", scope="deeds:do")
@touches(
    **PRICE,
    update={"price": ["amount"], "login": ["pw_hash"]},
    delete=["price"],
    secret={"login": ["pw_hash"]},
)
async def do_deeds(told: Deed, tx: Write) -> Response:
    for deed in told.deeds:
        if deed == "undone":
            with suppress(LookupError):
                async with tx.savepoint():
                    await tx.execute(STATEMENTS["dearer"])
                    raise LookupError
        elif deed == "refused":
            raise Problem(409, "no", "No.")
        else:
            await tx.execute(STATEMENTS[deed])
    rows = await tx.execute(sa.insert(log).values(line="done").returning(log.c.line))
    assert rows == [{"line": "done"}]
    return Response()


do_deeds.__banyan_touches__.insert.update({"log": ["line"], "login": ["name", "pw_hash"]})


@pytest.fixture
def url(database_url: str) -> str:
    with psycopg.connect(database_url) as connection:
        connection.execute(
            'CREATE TABLE price ("Item No" char(6), qty int, amount numeric(10,2), PRIMARY KEY ("Item No", qty));'
            "CREATE TABLE login (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, pw_hash text);"
            "CREATE TABLE log (line text)"
        )
    upgrade(database_url)
    return database_url


@pytest.fixture
def api(url: str, server: Server) -> Iterator[Api]:
    module = ModuleType("deeds")
    module.Login = Login
    touched = touches_of([do_deeds])
    with psycopg.connect(url, autocommit=True) as connection:
        snapshot = read_snapshot(connection, ["public"])
        contract = Contract(bind(module, snapshot), (do_deeds,))
        apply(connection, wanted(grants(contract.resources, touched, snapshot), touched, snapshot, contract.resources))
    consumer = Consumer("acme", "Acme", frozenset(contract.scopes()))
    as_api = server.url(url.rsplit("/", 1)[1], user="banyan_api")
    with serving(as_api, [consumer], project=load_project(NORTHGATE), contract=contract) as served:
        yield served


def journal(url: str, api: Api, *deeds: str) -> list[dict[str, Any]]:
    """What the journal tells of these deeds; the log's last line aside."""
    answer = api.ask("POST", "deeds", json={"deeds": deeds})
    with psycopg.connect(url, row_factory=dict_row) as connection:
        entries = connection.execute("SELECT * FROM banyan.journal ORDER BY id").fetchall()
    if answer.status_code != 200:
        assert not entries
        return []
    assert entries[-1]["table"] == "log"
    assert {(entry["principal"], entry["operation"], entry["schema"]) for entry in entries} == {
        ("consumer:acme", "do_deeds", "public")
    }
    return entries[:-1]


def told(entries: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [(e["verb"], e["key"], e["before"], e["after"]) for e in entries]


A1, A10, B1 = ({"Item No": item, "qty": qty} for item, qty in [("A", "1"), ("A", "10"), ("B", "1")])


def test_an_insert_is_told_row_by_row_with_the_columns_that_it_gave(api: Api, url: str) -> None:
    assert told(journal(url, api, "two prices")) == [
        ("insert", A1, None, {**A1, "amount": "2.00"}),
        ("insert", A10, None, {**A10, "amount": "1.50"}),
    ]


def test_an_update_is_told_with_what_was_there_before(api: Api, url: str) -> None:
    entries = journal(url, api, "two prices", "dearer", "nothing")[2:]
    assert told(entries) == [("update", A10, {"amount": "1.50"}, {"amount": "2.50"})]
    assert entries[0]["columns"] == ["amount"]


def test_an_upsert_is_an_insert_or_an_update_row_by_row(api: Api, url: str) -> None:
    assert told(journal(url, api, "two prices", "upsert")[2:]) == [
        ("update", A1, {**A1, "amount": "2.00"}, {**A1, "amount": "9.00"}),
        ("insert", B1, None, {**B1, "amount": "8.00"}),
    ]


def test_a_delete_is_told_with_the_columns_that_are_declared(api: Api, url: str) -> None:
    assert told(journal(url, api, "two prices", "gone")[2:]) == [("delete", A1, {**A1, "amount": "2.00"}, None)]


def test_rows_of_a_table_without_a_key_have_none(api: Api, url: str) -> None:
    assert told(journal(url, api, "two prices", "copied")[2:]) == [
        ("insert", {}, None, {"line": "2.00"}),
        ("insert", {}, None, {"line": "1.50"}),
    ]


def test_secrets_are_written_and_never_told_and_long_texts_are_digests(api: Api, url: str) -> None:
    entries = journal(url, api, "sign up", "other password")
    assert "secret" not in str(entries)
    assert [(e["verb"], e["key"], e["columns"]) for e in entries] == [
        ("insert", {"id": "1"}, ["name"]),
        ("update", {"id": "1"}, []),
    ]
    assert entries[0]["after"]["name"].startswith("md5:")
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT pw_hash FROM login").fetchall() == [("another secret",)]


def test_the_secret_may_be_written_and_not_be_read_by_our_role(api: Api, server: Server, url: str) -> None:
    as_api = server.url(url.rsplit("/", 1)[1], user="banyan_api")
    with psycopg.connect(as_api) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("SELECT pw_hash FROM login")


def test_what_was_undone_is_not_told(api: Api, url: str) -> None:
    assert told(journal(url, api, "two prices", "undone", "nothing")[2:]) == []


def test_a_refused_operation_leaves_no_entry(api: Api, url: str) -> None:
    assert journal(url, api, "two prices", "refused") == []
