"""Lists as files: the rows, the order and the values of the list, all of them, whole or visibly broken."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from api_gateway.api.contract import load_contract
from api_gateway.postgres import Server
from api_gateway.project import load_project
from tests.support.api import NORTHGATE, Api, partners, serving

NDJSON = {"accept": "application/x-ndjson"}
CSV = {"accept": "text/csv"}


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.mark.parametrize(
    "query",
    ["", "sort=-total", "status=open", "status[in]=open,shipped&sort=reference", "total[gte]=100&fields=number,total"],
)
def test_ndjson_holds_every_row_of_the_list_in_its_order(reading: Api, query: str) -> None:
    answer = reading.get(f"orders?{query}", headers=NDJSON)
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert answer.headers["content-disposition"] == 'attachment; filename="orders.ndjson"'
    assert [json.loads(line) for line in answer.text.splitlines()] == reading.all(f"orders?{query}&limit=200")


def test_ndjson_brings_along_what_is_included(reading: Api) -> None:
    answer = reading.get("orders?include=customer,lines.item&limit=20", headers=NDJSON)
    whole = reading.get("orders?include=customer,lines.item&limit=20").json()["data"]
    assert [json.loads(line) for line in answer.text.splitlines()] == whole


def test_a_file_has_an_address_of_its_own(reading: Api) -> None:
    for headers in (CSV, NDJSON):
        by_accept = reading.get("orders?status=open", headers=headers)
        assert reading.get("orders:export?status=open", headers=headers).content == by_accept.content
    assert reading.get("orders:export").headers["content-type"].startswith("text/csv")
    assert reading.get("orders:export", headers={"accept": "application/json"}).status_code == 406
    assert reading.ask("OPTIONS", "orders:export").headers["allow"] == "GET, HEAD, OPTIONS"
    assert reading.get("orders:export", "catalogue").status_code == 403
    assert reading.get("orders:export?total=exact").status_code == 400
    page = reading.get("orders?limit=5").json()
    rest = reading.get(f"orders:export?cursor={page['next_cursor']}", headers=NDJSON).text.splitlines()
    assert len(rest) == len(reading.all("orders?limit=200")) - 5


def test_csv_has_a_header_and_the_values_of_the_json(reading: Api) -> None:
    answer = reading.get("orders?sort=number", headers=CSV)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert answer.text.splitlines(keepends=True)[0].endswith("\r\n")
    orders = reading.all("orders?sort=number&limit=200")
    rows = table(answer.text)
    assert len(rows) == len(orders)
    for row, order in zip(rows, orders, strict=True):
        assert list(row) == list(order)
        for name in ("number", "reference", "status", "placed_at", "required_on", "rush", "total", "updated_at"):
            shown = order[name]
            wanted = "" if shown is None else str(shown).lower() if isinstance(shown, bool) else str(shown)
            assert row[name] == wanted, name


def test_text_that_would_be_a_formula_is_defused_and_numbers_stay_numbers(writing: Api, writing_url: str) -> None:
    notes = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", 'He said "no",\nthen left', "plain", "'quoted", "1=1", "\\N"]
    with psycopg.connect(writing_url, autocommit=True) as connection:
        found = connection.execute("SELECT ord_no FROM ord_hdr WHERE prt_cd = 'ACME' ORDER BY 1 LIMIT %s", [len(notes)])
        for (number,), note in zip(found.fetchall(), notes, strict=True):
            connection.execute("UPDATE ord_hdr SET notes = %s, tot_amt = -5.50 WHERE ord_no = %s", [note, number])
    rows = table(writing.get(f"orders?sort=number&limit={len(notes)}", headers=CSV).text)
    assert [row["notes"] for row in rows] == [f"'{note}" if note[0] in "=+-@\t\r" else note for note in notes]
    assert {row["total"] for row in rows} == {"-5.50"}


@pytest.mark.parametrize("value", ["O'Brien\\'; DROP TABLE ord_hdr; --", "$1 %s :x {y}", "\\", "''", "é\u2028"])
def test_values_of_the_request_are_values_whatever_they_hold(writing: Api, writing_url: str, value: str) -> None:
    with psycopg.connect(writing_url, autocommit=True) as connection:
        connection.execute(
            "UPDATE ord_hdr SET ext_ref = %s WHERE ord_no = (SELECT min(ord_no) FROM ord_hdr WHERE prt_cd = 'ACME')",
            [value],
        )
    answer = writing.get("orders", params={"reference": value}, headers=NDJSON)
    assert [json.loads(line)["reference"] for line in answer.text.rstrip("\n").split("\n")] == [value]


def test_only_the_callers_rows_are_exported(reading: Api) -> None:
    numbers = {
        who: {json.loads(line)["number"] for line in reading.get("orders", who, headers=NDJSON).text.splitlines()}
        for who in ("acme", "bolt")
    }
    assert numbers["acme"]
    assert not numbers["acme"] & numbers["bolt"]
    empty = reading.get("orders", "nobody", headers=CSV)
    assert empty.text.startswith("number,")
    assert table(empty.text) == []


@pytest.mark.parametrize("query", ["limit=x", "limit=1&limit=2", "nope=1", "l%69mit=-1", "number[gte]=x"])
def test_what_cannot_be_exported_is_refused_before_the_file_begins(reading: Api, query: str) -> None:
    answer = reading.get(f"orders?{query}", headers=CSV)
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")


def test_who_asks_for_one_row_as_a_file_is_told_that_it_is_json(reading: Api) -> None:
    number = reading.get("orders?limit=1").json()["data"][0]["number"]
    assert reading.get(f"orders/{number}", headers=CSV).status_code == 406


@contextmanager
def no_exports(server: Server, writing_url: str) -> Iterator[Api]:
    url = server.url(writing_url.rsplit("/", 1)[1], user="banyan_api")
    with serving(url, partners(load_contract(load_project(NORTHGATE))), exports=0) as api:
        yield api


def test_one_export_too_many_is_told_when_to_come_back(server: Server, writing_url: str) -> None:
    with no_exports(server, writing_url) as api:
        answer = api.get("orders", headers=CSV)
    assert (answer.status_code, answer.json()["code"]) == (503, "database_busy")
    assert answer.headers["retry-after"] == "5"
