"""Values that look right and that the database cannot read, and rows of its own that it cannot: who is told what."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Annotated, Any

import pytest

from api_gateway.postgres import Server
from shared_models.contract import Aggregates, Column, Key, Resource, Rows
from tests.support.api import Api
from tests.support.writes import laid, served

SQL = """
CREATE TABLE host (addr inet PRIMARY KEY, qty int NOT NULL, share int GENERATED ALWAYS AS (100 / qty) STORED);
CREATE TABLE part (n int PRIMARY KEY, qty int NOT NULL);
CREATE VIEW part_share AS SELECT n, qty, 100 / qty AS share FROM part;
INSERT INTO host VALUES ('10.0.0.1', 4);
INSERT INTO part VALUES (1, 4), (2, 0);
"""
EVERY = ("list", "get", "create", "update", "upsert", "delete")


class Host(Resource, table="host", path="hosts", rows=Rows.all(), verbs=EVERY):
    addr: Annotated[str, Key("addr", write="create")]
    qty: Annotated[int, Column("qty", write=True)]


class PartShare(Resource, table="part_share", path="part-shares", rows=Rows.all(), aggregates=Aggregates(sum="share")):
    n: Annotated[int | None, Key("n")]
    qty: int | None
    share: int | None


@pytest.fixture(scope="module")
def api(server: Server, clone: Callable[[str], str]) -> Iterator[Api]:
    url = clone("template1")
    module = ModuleType("unreadable")
    vars(module).update(Host=Host, PartShare=PartShare)
    with served(server, url, laid(url, SQL, module)) as found:
        yield found


@pytest.mark.parametrize(
    ("method", "body"), [("GET", None), ("PATCH", {"qty": 1}), ("PUT", {"qty": 1}), ("DELETE", None)]
)
def test_what_cannot_be_a_key_is_404_whatever_is_to_be_done(api: Api, method: str, body: Any) -> None:
    more = {} if body is None else {"json": body}
    assert api.ask(method, "hosts/10.0.0.1", "ACME", **more).status_code in (200, 204)
    refused = api.ask(method, "hosts/10.0.0.256", "ACME", **more)
    assert (refused.status_code, refused.json()["code"]) == (404, "not_found")
    api.ask("PUT", "hosts/10.0.0.1", "ACME", json={"qty": 4})


def test_a_filter_that_the_database_cannot_read_is_named(api: Api) -> None:
    refused = api.get("hosts?addr[gt]=10.0.0.256&qty=1", "ACME")
    assert refused.status_code == 400
    assert [(error["code"], error["parameter"]) for error in refused.json()["errors"]] == [
        ("invalid_value", "addr[gt]")
    ]


@pytest.mark.parametrize(
    "path", ["part-shares", "part-shares?qty[gte]=0", "part-shares:aggregate?sum=share", "part-shares/2"]
)
def test_a_row_that_the_database_itself_cannot_read_is_nobodys_fault(api: Api, path: str) -> None:
    failed = api.get(path, "ACME")
    assert (failed.status_code, failed.json()["code"]) == (500, "unreadable_row")
    assert "zero" not in failed.text


def test_other_rows_of_it_are_read(api: Api) -> None:
    assert api.get("part-shares?n=1", "ACME").json()["data"] == [{"n": 1, "qty": 4, "share": 25}]


@pytest.mark.parametrize("at", ["", "/1"])
def test_values_that_an_expression_of_the_table_cannot_take_are_refused_by_a_rule_of_it(api: Api, at: str) -> None:
    row = {"addr": "10.0.0.9", "qty": 0}
    refused = api.ask("POST", "hosts", "ACME", json=[{"addr": "10.0.0.8", "qty": 1}, row] if at else row)
    assert (refused.status_code, refused.json()["code"]) == (
        422,
        "refused_by_database" if not at else refused.json()["code"],
    )
    assert [(error["code"], error["pointer"]) for error in refused.json()["errors"]] == [("refused_by_database", at)]
    changed = api.ask("PATCH", "hosts/10.0.0.1", "ACME", json={"qty": 0})
    assert (changed.status_code, changed.json()["errors"][0]["pointer"]) == (422, "")
