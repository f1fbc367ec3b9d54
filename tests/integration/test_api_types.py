"""Every PostgreSQL type through a contract, over HTTP: read exactly, found again by its own value, paged in order."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, Literal
from uuid import UUID

import psycopg
import pytest
from pydantic import Field

from api_gateway.api.contract import Contract
from api_gateway.consumers import Consumer
from api_gateway.postgres import Server
from api_gateway.project import load_project
from shared_models.binding import bind
from shared_models.catalog import read_snapshot
from shared_models.contract import (
    BigInt,
    Bytes,
    Children,
    Codes,
    Column,
    Flag,
    Json,
    Key,
    LocalTime,
    NoneWhen,
    Parent,
    Resource,
    Rows,
    SoftDelete,
    principal,
)
from shared_models.grants import grant_sql, grants, usage_sql
from shared_models.migrations import upgrade
from tests.support.answers import Judge
from tests.support.api import NORTHGATE, Api, serving

SCHEMA = (Path(__file__).parent / "types.sql").read_text("utf-8")


class Mood(StrEnum):
    sad = "sad"
    ok = "ok"
    over = "over the moon"


class Everything(Resource, table="All Types", schema="odd schema", path="everything", rows=Rows.all()):
    id: Annotated[int, Key("id")]
    small: int | None
    big: Annotated[BigInt | None, Column("big")]
    big_number: Annotated[int | None, Column("big")]
    price: Decimal | None
    price_number: Annotated[float | None, Column("price")]
    free: Decimal | None
    whole: int | None
    single: float | None
    double: float | None
    truth: bool | None
    words: str | None
    short: str | None
    padded: str | None
    one: str | None
    folded: str | None
    label: str | None
    mood: Mood | None
    count: int | None
    day: date | str | None
    wall: time | None
    wall_zone: str | None
    naive: Annotated[datetime | str | None, LocalTime("naive", zone="Europe/Berlin")]
    naive_text: Annotated[str | None, Column("naive")]
    moment: datetime | str | None
    span: timedelta | None
    uid: UUID | None
    raw: Bytes | None
    doc: Json
    docb: Json
    mapping: Annotated[dict[str, str | None] | None, Column("map")]
    ints: list[int | None] | None
    prices: list[Decimal] | None
    codes: list[str] | None
    nested: list[str] | None
    pair: dict[str, Any] | None
    net: str | None
    mac: str | None
    bits: str | None
    range: str | None
    many: str | None
    cash: str | None
    spot: str | None
    lsn: str | None
    net_amount: Annotated[Decimal | None, Column('Net % "Amount"')]
    copy_: Annotated[str | None, Column("copy"), Field(alias="copy")]
    class_: Annotated[str | None, Column("class"), Field(alias="class")]
    limit: int | None
    select: str | None
    size: Annotated[int | None, Column("größe")]
    computed: int | None


class Pair(Resource, table="pairs", schema="odd schema", path="pairs", rows=Rows.all()):
    a: Annotated[str, Key("a")]
    b: Annotated[int, Key("b")]
    label: str | None


class Entry(Resource, table="keyless", schema="odd schema", path="entries", rows=Rows.all()):
    at: Annotated[datetime | None, LocalTime("at")]
    text: str | None
    n: int | None


class Total(Resource, table="totals", schema="odd schema", path="totals", rows=Rows.all()):
    name: Annotated[str, Key("a")]
    lines: int | None
    best: str | None


class Legacy(
    Resource,
    table="legacy",
    schema="odd schema",
    path="legacy",
    rows=Rows.by_kind(consumer=Rows.where(owner=principal.code), staff=Rows.all()),
    soft_delete=SoftDelete("gone", deleted="Y"),
):
    id: Annotated[BigInt, Key("id")]
    status: Annotated[
        Literal["open", "closed", "odd"] | None, Codes("stat", {10: "open", 11: "open", 20: "closed"}, unknown="odd")
    ]
    flag: Annotated[bool | None, Flag("fl")]
    sure: Annotated[bool | None, Flag("fl", unknown=False)]
    ended: Annotated[date | None, Column("ended"), NoneWhen(date(1900, 1, 1))]
    number: Annotated[str | None, Column("nr"), NoneWhen("", "0")]
    parent: Annotated[Legacy | None, Parent("parent")] = None
    children: Annotated[list[Legacy], Children(on="parent")] = Field(default_factory=list)


@pytest.fixture(scope="module")
def api(server: Server, clone: Any) -> Iterator[Api]:
    url = clone("template1")
    module = ModuleType("types")
    vars(module).update(Everything=Everything, Pair=Pair, Entry=Entry, Total=Total, Legacy=Legacy)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(SCHEMA.encode())
        contract = Contract(bind(module, read_snapshot(connection, ["odd schema"])), ())
        upgrade(url)
        wanted = grants(contract.resources, [])
        for statement in [*usage_sql((grant.table_schema, grant.grantee) for grant in wanted), *grant_sql(wanted)]:
            connection.execute(statement.encode())
    consumer = Consumer("acme", "Acme", frozenset(contract.scopes()))
    as_api = server.url(url.rsplit("/", 1)[1], user="banyan_api")
    shout = Consumer("ACME", "Acme", frozenset(contract.scopes()))
    with serving(as_api, [consumer, shout], project=load_project(NORTHGATE), contract=contract) as served:
        yield served


EXACT = {
    "id": 1, "small": 32767, "big": "9223372036854775807", "big_number": 9223372036854775807, "price": "9999999999.99",
    "price_number": Decimal("9999999999.99"), "free": "0.1000000000000000055511151231257827",
    "whole": 12345678901234567890, "single": Decimal("1.1"), "double": Decimal("0.1"), "truth": True,
    "words": 'a "quote"\n \u2028 \\ é', "short": "x%y", "padded": "ab", "one": "q", "folded": "MiXed", "label": "label",
    "mood": "over the moon", "count": 7, "day": "2024-02-29", "wall": "13:45:00.5", "wall_zone": "13:45:00+02",
    "naive": "2024-07-01T10:00:00.123456+00:00", "naive_text": "2024-07-01T12:00:00.123456",
    "moment": "2024-07-01T10:00:00.123456+00:00", "span": "P1Y2M3DT4H5M6.7S",
    "uid": "6f1c3b1e-7d0c-4a52-9d0c-0b8d4f6f3b11", "raw": "AP8Q", "doc": {"a": [1, Decimal("1.50"), None]},
    "docb": {"b": Decimal("12345678901234567890.5")}, "mapping": {"k": "v", "n": None}, "ints": [1, None, 3],
    "prices": ["1.50", "NaN"], "codes": ["a", "bc"], "nested": [["a", "b"], ["c", "d"]], "pair": {"a": 1, "b": "x y"},
    "net": "192.168.0.1", "mac": "08:00:2b:01:02:03", "bits": "1010", "range": "[1,5)", "many": "{[1,2),[5,7)}",
    "cash": "1234.50", "spot": "(1,2)", "lsn": "16/B374D848", "net_amount": "12.50", "copy": "c", "class": "d",
    "limit": 5, "select": "s", "size": 9, "computed": 2,
}  # fmt: skip
EXTREME = {
    "small": -32768, "big": "-9223372036854775808", "price": "-0.01", "free": "NaN", "single": "NaN",
    "double": "-Infinity", "words": "", "padded": "", "day": "infinity", "naive": "-infinity", "moment": "infinity",
    "span": "P-1D", "raw": "", "doc": None, "docb": [], "mapping": {}, "ints": [], "pair": {"a": None, "b": None},
    "range": "empty", "net": "::1", "wall": "00:00:00",
}  # fmt: skip


def exactly(text: str) -> Any:
    return json.loads(text, parse_float=Decimal)


def test_every_type_is_read_exactly(api: Api) -> None:
    assert exactly(api.get("everything/1").text) == EXACT


def test_extremes_nan_and_infinity_are_read_exactly(api: Api) -> None:
    row = exactly(api.get("everything/2").text)
    assert {name: row[name] for name in EXTREME} == EXTREME


def test_a_row_of_nulls_is_a_row_of_nulls(api: Api) -> None:
    row = api.get("everything/3").json()
    assert {name for name, value in row.items() if value is not None} == {"id", "computed"}


def as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def test_a_row_is_found_again_by_each_of_its_values(api: Api) -> None:
    fields = api.contract.resources.by_path["everything"].fields
    for row in (EXACT, exactly(api.get("everything/2").text)):
        for name, value in row.items():
            for operator in ("eq", "in") if isinstance(value, str) and "," not in value else ("eq",):
                if operator not in fields[name].operators:
                    continue
                found = api.client.get(
                    "/api/v1/everything", params={f"{name}[{operator}]": as_text(value)}, headers={"x-api-key": "acme"}
                )
                assert found.status_code == 200, (name, value, found.text)
                assert row["id"] in [r["id"] for r in found.json()["data"]], (name, value)


HOLDS = {  # field: what the first row holds, and what it does not
    "docb": ('{"b": 12345678901234567890.5}', '{"b": 1}'),
    "mapping": ('{"k": "v", "n": null}', '{"k": "n"}'),
    "ints": ("3,1", "1,2"),
    "prices": ("1.5,NaN", "1.51"),
    "codes": ("bc", "b"),
    "nested": ("d,a", "e"),
    "range": ("4", "5"),
    "many": ("6", "2"),
}


@pytest.mark.parametrize("name", HOLDS)
def test_contains_finds_elements_parts_pairs_and_points(api: Api, name: str) -> None:
    for operand, expected in zip(HOLDS[name], (True, False), strict=True):
        for query in ({f"{name}[contains]": operand}, {"and": f"({name}[contains]={quoted(name, operand)})"}):
            answer = api.client.get("/api/v1/everything", params=query, headers={"x-api-key": "acme"})
            assert answer.status_code == 200, answer.text
            assert (1 in [row["id"] for row in answer.json()["data"]]) is expected, query


def quoted(name: str, operand: str) -> str:
    if name in ("docb", "mapping"):
        return '"' + operand.replace('"', '\\"') + '"'
    return f"({operand})" if "," in operand else operand


@pytest.mark.parametrize(
    "query",
    [
        "docb[contains]={", "docb[contains]=NaN", 'docb[contains]="\\u0000"', 'docb[contains]="\\ud800"',
        "docb[contains]=1e999999", "docb[contains]=" + "[" * 5000, "mapping[contains]=[]",
        'mapping[contains]={"a":1}', "ints[contains]=x", "range[contains]=[1,2)", "doc[contains]={}",
    ],
)  # fmt: skip
def test_what_cannot_be_contained_is_refused_and_named(api: Api, query: str) -> None:
    name, _, text = query.partition("=")
    answer = api.client.get("/api/v1/everything", params={name: text}, headers={"x-api-key": "acme"})
    assert answer.status_code == 400, answer.text
    assert [error["parameter"] for error in answer.json()["errors"]] == [name]


def test_every_operator_of_every_field_runs(api: Api) -> None:
    for name, field in api.contract.resources.by_path["everything"].fields.items():
        for operator in field.operators:
            text = "true" if operator == "null" else "a%" if "like" in operator else as_text(EXACT[name])
            text = HOLDS[name][0] if operator == "contains" else text
            if operator == "in" and "," in text:  # commas separate: such a value is compared with eq
                continue
            answer = api.client.get(
                "/api/v1/everything", params={f"{name}[{operator}]": text}, headers={"x-api-key": "acme"}
            )
            assert answer.status_code == 200, (name, operator, answer.text)


def test_pages_follow_every_sortable_field_in_both_directions(api: Api) -> None:
    for name, field in api.contract.resources.by_path["everything"].fields.items():
        if field.sortable:
            for sort in (name, f"-{name}", f"{name}.nullsfirst", f"-{name}.nullslast"):
                paged = [row["id"] for row in api.all(f"everything?fields=id&limit=1&sort={sort}")]
                assert paged == [row["id"] for row in api.all(f"everything?fields=id&sort={sort}")]
                assert sorted(paged) == [1, 2, 3], sort


def test_nulls_stand_where_the_sort_puts_them(api: Api) -> None:
    first = {
        sort: api.get(f"everything?fields=day&limit=1&sort={sort}").json()["data"][0]["day"]
        for sort in ("day", "-day", "day.nullsfirst", "-day.nullslast", "day.nullslast", "-day.nullsfirst")
    }
    assert first == {
        "day": "2024-02-29", "-day": None, "day.nullsfirst": None,
        "-day.nullslast": "infinity", "day.nullslast": "2024-02-29", "-day.nullsfirst": None,
    }  # fmt: skip


def test_a_key_of_two_parts_is_a_path_of_two_parts(api: Api) -> None:
    assert api.get("pairs/x,2").json() == {"a": "x", "b": 2, "label": "two"}
    assert api.get("pairs/a%2Cb%2Fc,-1").json()["label"] == "tricky"
    assert api.get("pairs/%C3%A9%20%25,0").json()["label"] == "é"
    for path in ("pairs/x", "pairs/x,2,3", "pairs/x,", "pairs/,2", "pairs/x,y"):
        assert api.get(path).status_code == 404
    assert "/api/v1/pairs/{a},{b}" in api.client.get("/api/openapi.json").json()["paths"]


def test_a_table_without_a_key_is_listed_without_losing_equal_rows_and_has_no_get(api: Api) -> None:
    for limit in (1, 4, 5, 50):
        assert len(api.all(f"entries?limit={limit}")) == 28
        assert len(api.all(f"entries?limit={limit}&sort=-n")) == 28
    assert api.get("entries/1").status_code == 404
    assert "/api/v1/entries/{at}" not in api.client.get("/api/openapi.json").json()["paths"]


def test_a_view_with_a_key_named_by_hand_is_read_like_a_table(api: Api) -> None:
    assert api.get("totals/x").json() == {"name": "x", "lines": 2, "best": "two"}
    assert [row["name"] for row in api.all("totals?limit=1&sort=lines")][-1] == "x"


def test_codes_flags_and_sentinels_read_as_the_contract_says(api: Api) -> None:
    rows = {row["id"]: row for row in api.all("legacy", "ACME")}
    assert rows == {
        "9007199254740993": {
            "id": "9007199254740993",
            "status": "open",
            "flag": True,
            "sure": True,
            "ended": None,
            "number": None,
        },
        "2": {"id": "2", "status": "open", "flag": False, "sure": False, "ended": "2024-05-01", "number": None},
        "3": {"id": "3", "status": "odd", "flag": None, "sure": False, "ended": None, "number": "A1"},
    }
    assert api.all("legacy", "acme") == []


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("status=open", {"9007199254740993", "2"}),
        ("status=odd", {"3"}),
        ("status[ne]=open", {"3"}),
        ("status[in]=odd,closed", {"3"}),
        ("flag[null]=true", {"3"}),
        ("flag[ne]=true", {"2"}),
        ("sure=false", {"2", "3"}),
        ("ended[lt]=2030-01-01", {"2"}),
        ("ended[null]=true", {"9007199254740993", "3"}),
        ("ended=1900-01-01", set()),
        ("number[null]=false", {"3"}),
        ("number[gte]=", {"3"}),
        ("id[gt]=9007199254740992", {"9007199254740993"}),
        ("not=(status=open)", {"3"}),
        ("not=(flag=true)", {"2"}),
        ("not=(ended[gt]=2024-01-01)", set()),
        ("not=(ended[null]=true)", {"2"}),
        ("not=(not(flag=true))", {"9007199254740993"}),
        ("or=(flag=true,number[null]=false)", {"9007199254740993", "3"}),
        ("or=(flag=true,not(number[ne]=A1))", {"9007199254740993", "3"}),
        ("and=(or(id=2,id=3),not(status[in]=(open,closed)))", {"3"}),
        ("parent.status=open", {"2"}),
        ("parent.flag[ne]=false", {"2"}),
        ("parent.flag[null]=true", {"9007199254740993", "3"}),
        ("parent.flag[null]=false", {"2"}),
        ("not=(parent.flag=false)", {"2"}),
        ("not=(parent.flag[null]=true)", {"2"}),
        ("not=(parent.number=x)", set()),
        ("parent.parent.id[null]=true", {"9007199254740993", "2", "3"}),
    ],
)
def test_filters_go_by_what_is_read_not_by_what_is_stored(api: Api, query: str, ids: set[str]) -> None:
    assert {row["id"] for row in api.all(f"legacy?{query}", "ACME")} == ids


def test_a_table_that_leads_to_itself_is_followed_both_ways_without_deleted_or_foreign_rows(api: Api) -> None:
    rows = {row["id"]: row for row in api.all("legacy?include=parent,children.children", "ACME")}
    assert rows["2"]["parent"]["id"] == "9007199254740993"
    assert rows["2"]["children"] == []
    assert rows["3"]["parent"] is None
    assert [child["id"] for child in rows["9007199254740993"]["children"]] == ["2"]
    assert rows["9007199254740993"]["children"][0]["children"] == []


def test_a_field_named_like_a_parameter_is_filtered_in_brackets(api: Api) -> None:
    assert [row["id"] for row in api.all("everything?limit[eq]=5&limit=10")] == [1]


def test_what_only_the_database_can_tell_is_no_value_is_told_by_parameter(api: Api) -> None:
    """A type of which PostgreSQL alone knows every form: each parameter that holds none is named, and no other."""
    answer = api.get("everything?net=nonsense&or=(bits=12,small=1)&id=1&range[ne]=[2,1)")
    assert answer.status_code == 400
    told = sorted((error["code"], error["parameter"]) for error in answer.json()["errors"])
    assert told == [("invalid_value", name) for name in ("net", "or", "range[ne]")]
    csv = api.get("everything?net=nonsense", headers={"accept": "text/csv"})
    assert [error["parameter"] for error in csv.json()["errors"]] == ["net"]


def test_the_example_of_a_document_is_one_whatever_the_types_of_its_fields(api: Api) -> None:
    document = api.client.get("/api/openapi.json").json()
    names = [resource.name for resource in api.contract.resources]
    shown = {form.format(name) for name in names for form in ("{}", "New{}", "{}Put", "{}Patch")}
    assert shown & document["components"]["schemas"].keys() <= set(Judge(document).examples())
