"""Lists summed up: exactly what the caller's own rows give, and nothing that the contract does not list."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from types import ModuleType
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import psycopg
import pytest

from api_gateway.api import aggregate_route, aggregate_select
from api_gateway.api.contract import Contract, load_contract
from api_gateway.consumers import Consumer
from api_gateway.postgres import Server
from api_gateway.project import Limits, load_project
from shared_models.binding import bind
from shared_models.catalog import read_snapshot
from shared_models.contract import Aggregates, Codes, Column, Flag, Key, NoneWhen, Resource, Rows
from shared_models.grants import grant_sql, grants, usage_sql
from shared_models.migrations import upgrade
from shared_models.resources import ContractError
from tests.support.api import NORTHGATE, Api, partners, serving

SCHEMA = """
CREATE TYPE mood AS ENUM ('sad', 'glad');
CREATE TABLE sale (
  id bigint PRIMARY KEY, code char(4) NOT NULL, kind int, fl char(1), amount numeric, whole int NOT NULL, big bigint,
  ratio float8, cash money, ended date, at timestamptz, feeling mood, doc jsonb, word text
);
INSERT INTO sale VALUES
  (1, 'a', 10, 'Y', 1.10, 2147483647, 9223372036854775807, 0.5, 1.25,
   '2024-02-29', '2024-01-31 23:30:00-05', 'glad', '{}', 'x'),
  (2, 'a', 11, 'Y', 2.2, 2147483647, 9223372036854775807, 1.5, 2.50,
   '1900-01-01', '2024-02-01 00:00:00+00', 'sad', '{}', 'Y'),
  (3, 'b', 99, '?', NULL, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  (4, 'b ', 20, 'N', 'NaN', 0, 1, 2, 0, '2023-12-31', '2023-12-31 12:00:00+00', 'glad', '[]', 'z');
"""


class Sale(
    Resource,
    table="sale",
    path="sales",
    rows=Rows.all(),
    aggregates=Aggregates(
        by=("code", "kind", "flag", "amount", "ended", "ended.year", "at.month", "at.quarter", "feeling", "word"),
        sum=("amount", "whole", "big", "ratio", "cash"),
        avg=("whole", "ratio", "cash"),
        min=("amount", "ended", "at", "feeling", "word", "code"),
        max=("big", "ended", "cash", "word"),
    ),
):
    id: Annotated[int, Key("id")]
    code: Annotated[str, Column("code")]
    kind: Annotated[Literal["new", "old"] | None, Codes("kind", {10: "new", 11: "new", 20: "old"})]
    flag: Annotated[bool | None, Flag("fl")]
    amount: Annotated[Decimal | None, Column("amount")]
    whole: Annotated[int, Column("whole")]
    big: Annotated[int | None, Column("big")]
    ratio: Annotated[float | None, Column("ratio")]
    cash: Annotated[Decimal | None, Column("cash")]
    ended: Annotated[date | None, Column("ended"), NoneWhen(date(1900, 1, 1))]
    at: Annotated[datetime | None, Column("at")]
    feeling: Annotated[str | None, Column("feeling")]
    doc: Annotated[Any, Column("doc")]
    word: Annotated[str | None, Column("word")]


@pytest.fixture(scope="module")
def sales_url(clone: Callable[[str], str]) -> str:
    url = clone("template1")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(SCHEMA.encode())
    upgrade(url)
    return url


def bound(url: str, *resources: type[Resource]) -> Contract:
    module = ModuleType("sales")
    vars(module).update({resource.__name__: resource for resource in resources})
    with psycopg.connect(url) as connection:
        return Contract(bind(module, read_snapshot(connection, ["public"])), ())


@pytest.fixture(scope="module")
def sales(server: Server, sales_url: str) -> Iterator[Api]:
    contract = bound(sales_url, Sale)
    wanted = grants(contract.resources, [])
    with psycopg.connect(sales_url, autocommit=True) as connection:
        for statement in [*usage_sql((grant.table_schema, grant.grantee) for grant in wanted), *grant_sql(wanted)]:
            connection.execute(statement.encode())
    consumer = Consumer("acme", "Acme", frozenset(contract.scopes()))
    url = server.url(sales_url.rsplit("/", 1)[1], user="banyan_api")
    with serving(url, [consumer], project=load_project(NORTHGATE), contract=contract) as api:
        yield api


def groups(api: Api, query: str, consumer: str = "acme", path: str = "sales") -> list[dict[str, Any]]:
    answer = api.get(f"{path}:aggregate?{query}", consumer)
    assert answer.status_code == 200, answer.text
    data: list[dict[str, Any]] = answer.json(parse_float=Decimal)["data"]
    return data


def one(api: Api, query: str) -> dict[str, Any]:
    (group,) = groups(api, query)
    return group


def by(found: list[dict[str, Any]], name: str) -> list[tuple[Any, int]]:
    return [(group["by"][name], group["count"]) for group in found]


def test_a_groups_sum_is_that_of_its_orders(reading: Api) -> None:
    zone = ZoneInfo("America/New_York")
    for consumer in ("acme", "bolt"):
        wanted: dict[tuple[Any, str], list[Decimal]] = defaultdict(list)
        for order in reading.all("orders?limit=200&status[in]=open,shipped,invoiced", consumer):
            month = datetime.fromisoformat(order["placed_at"]).astimezone(zone).strftime("%Y-%m-01")
            wanted[order["status"], month].append(Decimal(order["total"]))
        found = groups(
            reading,
            "by=status,placed_at.month&sum=total&max=total&status[in]=open,shipped,invoiced",
            consumer,
            "orders",
        )
        assert {
            (g["by"]["status"], g["by"]["placed_at.month"]): (g["count"], Decimal(g["sum"]["total"]), g["max"]["total"])
            for g in found
        } == {key: (len(totals), sum(totals), str(max(totals))) for key, totals in wanted.items()}
        assert [tuple(g["by"].values()) for g in found] == sorted(tuple(g["by"].values()) for g in found)


def test_without_a_word_there_is_one_group_of_all_own_rows(reading: Api) -> None:
    for consumer in ("acme", "bolt", "nobody"):
        count = len(reading.all("orders?limit=200&fields=number", consumer))
        assert groups(reading, "", consumer, "orders") == [{"by": {}, "count": count}]
    assert groups(reading, "sum=total&min=placed_at", "nobody", "orders") == [
        {"by": {}, "count": 0, "sum": {"total": None}, "min": {"placed_at": None}}
    ]
    assert groups(reading, "by=status", "nobody", "orders") == []


def test_a_count_may_be_asked_for_and_is_there_anyway(reading: Api) -> None:
    answers = [reading.get(f"orders:aggregate?{query}").json() for query in ("", "count", "count=true")]
    assert answers[0] == answers[1] == answers[2]
    assert reading.get("orders:aggregate?count=false").json()["errors"][0]["parameter"] == "count"


def test_parents_and_groups_of_filters_count_as_in_the_list(reading: Api) -> None:
    query = "customer.name[ilike]=%25a%25&or=(status=open,total[gte]=100)"
    assert groups(reading, query, path="orders")[0]["count"] == len(reading.all(f"orders?{query}&limit=200"))


def test_sums_are_exact_whatever_their_type(sales: Api) -> None:
    assert one(sales, "id[lte]=3&sum=amount,whole,big,ratio,cash&avg=cash,ratio")["sum"] == {
        "amount": "3.30", "whole": "4294967295", "big": "18446744073709551614", "ratio": Decimal(2), "cash": "3.75",
    }  # fmt: skip
    found = one(sales, "id[lte]=2&avg=whole,ratio,cash&max=big,cash&min=code,feeling,word")
    assert Decimal(found["avg"]["whole"]) == 2147483647
    assert (found["avg"]["ratio"], Decimal(found["avg"]["cash"])) == (1, Decimal("1.875"))
    assert found["max"] == {"big": 9223372036854775807, "cash": "2.50"}
    assert found["min"] == {"code": "a", "feeling": "sad", "word": "x"} | {"word": found["min"]["word"]}
    assert one(sales, "sum=amount")["sum"] == {"amount": "NaN"}


def test_what_reads_alike_is_one_group_and_what_reads_as_null_is_null(sales: Api) -> None:
    assert by(groups(sales, "by=kind"), "kind") == [("new", 2), ("old", 1), (None, 1)]
    assert by(groups(sales, "by=flag"), "flag") == [(False, 1), (True, 2), (None, 1)]
    assert by(groups(sales, "by=code"), "code") == [("a", 2), ("b", 2)]
    assert by(groups(sales, "by=ended"), "ended") == [("2023-12-31", 1), ("2024-02-29", 1), (None, 2)]
    assert by(groups(sales, "by=feeling"), "feeling") == [("sad", 1), ("glad", 2), (None, 1)]
    assert one(sales, "min=ended&max=ended") == {
        "by": {}, "count": 4, "min": {"ended": "2023-12-31"}, "max": {"ended": "2024-02-29"},
    }  # fmt: skip


def test_a_part_of_the_calendar_is_its_first_day(sales: Api) -> None:
    assert by(groups(sales, "by=at.month"), "at.month") == [("2023-12-01", 1), ("2024-02-01", 2), (None, 1)]
    assert by(groups(sales, "by=at.quarter"), "at.quarter") == [("2023-10-01", 1), ("2024-01-01", 2), (None, 1)]
    assert by(groups(sales, "by=ended.year"), "ended.year") == [("2023-01-01", 1), ("2024-01-01", 1), (None, 2)]


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("sum=flag", "sum"), ("sum=doc", "sum"), ("sum=secret", "sum"), ("by=doc", "by"), ("by=id", "by"),
        ("by=at", "by"), ("by=at.day", "by"), ("by=", "by"), ("min=cash", "min"), ("sum=amount,nope", "sum"),
    ],
)  # fmt: skip
def test_what_the_contract_does_not_list_is_like_what_is_not_there(sales: Api, query: str, parameter: str) -> None:
    answer = sales.get(f"sales:aggregate?{query}")
    unknown = sales.get(f"sales:aggregate?{parameter}=qqqqqqqq")
    assert (answer.status_code, answer.content) == (400, unknown.content)
    assert answer.json()["errors"][0]["code"] == "unknown_name"


@pytest.mark.parametrize("query", ["limit=1", "sort=id", "cursor=x", "fields=id", "include=x", "total=exact"])
def test_words_of_a_page_are_none_here(sales: Api, query: str) -> None:
    errors = sales.get(f"sales:aggregate?{query}").json()["errors"]
    assert [(e["code"], e["parameter"]) for e in errors] == [("unknown_parameter", query.partition("=")[0])]


def test_it_is_there_only_where_the_contract_says_so(reading: Api) -> None:
    for path in (
        "items:aggregate",
        "orders:aggregate/1",
        "orders:export/1",
        "orders:other",
        "nothing:aggregate",
        "orders/:aggregate",
    ):
        assert reading.get(path).status_code == 404, path
    assert reading.get("items/aggregate").json() == reading.get("items/nothing").json()  # a key like any other
    assert reading.get("orders%3Aaggregate").json() == reading.get("orders:aggregate").json()


def test_methods_media_types_and_scopes_are_those_of_a_list(reading: Api) -> None:
    options = reading.ask("OPTIONS", "orders:aggregate")
    assert (options.status_code, options.headers["allow"]) == (204, "GET, HEAD, OPTIONS")
    refused = reading.ask("POST", "orders:aggregate", json={})
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
    head = reading.ask("HEAD", "orders:aggregate?by=status")
    assert (head.status_code, head.content) == (200, b"")
    assert reading.get("orders:aggregate", headers={"accept": "text/csv"}).status_code == 406
    assert reading.get("orders:aggregate", "catalogue").status_code == 403
    assert reading.ask("GET", "orders:aggregate", None).status_code == 401
    assert "server-timing" in reading.get("orders:aggregate").headers


def test_too_many_groups_are_refused_and_never_cut_off(reading: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aggregate_route, "MOST_GROUPS", 1)
    monkeypatch.setattr(aggregate_select, "MOST_GROUPS", 1)
    answer = reading.get("orders:aggregate?by=placed_at.day,status&sum=total")
    assert (answer.status_code, answer.json()["code"]) == (400, "too_many_groups")
    assert answer.json()["errors"][0]["parameter"] == "by"


def test_what_would_look_at_too_many_rows_is_refused_with_or_without_filters(server: Server, writing_url: str) -> None:
    project = load_project(NORTHGATE)
    limits = Limits(plan_cost=0.01)
    project = replace(project, configuration=project.configuration.model_copy(update={"limits": limits}))
    url = server.url(writing_url.rsplit("/", 1)[1], user="banyan_api")
    contract = load_contract(project)
    with serving(url, partners(contract), project=project, contract=contract) as api:
        assert api.get("orders:aggregate").json()["code"] == "too_expensive"
        errors = api.get("orders:aggregate?status=open&by=rush").json()["errors"]
    assert [error["parameter"] for error in errors] == ["status", "by"]


@pytest.mark.parametrize(
    ("aggregates", "told"),
    [
        (Aggregates(sum="nope"), "there is no such field"),
        (Aggregates(sum="code"), "character(4) has no sum here"),
        (Aggregates(max="kind"), "integer has no max here"),
        (Aggregates(by="doc"), "rows cannot be grouped by jsonb"),
        (Aggregates(by="code.month"), "character(4) has no calendar"),
        (Aggregates(by="ended.decade"), "there is no such field, or unit"),
    ],
)
def test_a_contract_that_the_schema_cannot_keep_is_told(sales_url: str, aggregates: Aggregates, told: str) -> None:
    class Wrong(Resource, table="sale", path="wrong", rows=Rows.all(), aggregates=aggregates):
        id: Annotated[int, Key("id")]
        code: Annotated[str, Column("code")]
        kind: Annotated[Literal["new", "old"] | None, Codes("kind", {10: "new", 20: "old"})]
        ended: Annotated[date | None, Column("ended")]
        doc: Annotated[Any, Column("doc")]

    with pytest.raises(ContractError, match=told.replace("(", r"\(").replace(")", r"\)")):
        bound(sales_url, Wrong)
