"""POST /orders writes what the legacy order intake writes, row by row, and refuses what it refuses."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx2
import psycopg
import pytest

from tests.support.api import Api
from tests.support.legacy import running_legacy

TABLES = ("ord_hdr", "ord_dtl", "stock_mv", "audit_log", "customer", "item", "inv_hdr", "price_lst", "imp_err", "ctr")
TOKEN = hashlib.sha256(b"northgate-demo-token-ACME").hexdigest()[:32]


def images(url: str) -> set[tuple[str, tuple[Any, ...]]]:
    """Every row of every table an order could touch; a time that is now, in New York, whole seconds, reads `now`."""
    found: set[tuple[str, tuple[Any, ...]]] = set()
    with psycopg.connect(url) as connection:
        for table in TABLES:
            found |= {(table, tuple(map(_steady, row))) for row in connection.execute(f"SELECT * FROM {table}")}
    return found


def _steady(value: Any) -> Any:
    now = datetime.now(ZoneInfo("America/New_York")).replace(tzinfo=None)
    is_now = isinstance(value, datetime) and abs(now - value) < timedelta(minutes=3) and value.microsecond == 0
    return "now" if is_now else value


def written(url: str, ask: Callable[[], Any]) -> tuple[Any, set[Any], set[Any]]:
    """The answer, the rows that are new, the rows that are gone."""
    before = images(url)
    answer = ask()
    after = images(url)
    return answer, after - before, before - after


@pytest.fixture
def legacy(clone: Callable[[str], str], api_template: str) -> Iterator[tuple[str, str]]:
    """The legacy app, and the database behind it."""
    url = clone(api_template)
    with running_legacy(url) as address:
        yield address, url


@pytest.mark.parametrize(
    ("number", "order"),
    [
        (700000, {"customer_code": "ACME", "lines": [{"item_number": "NS-10023", "quantity": 1}]}),
        (710000, {
            "customer_code": "acme",
            "reference": "differential-1",
            "rush": True,
            "required_on": "2031-03-01",
            "notes": "Ring twice, über 'den' Hof",
            "lines": [
                {"item_number": "NS-10023", "quantity": 144},
                {"item_number": "ns-10127", "quantity": 7},
                {"item_number": "NS-10023", "quantity": 99999},
            ],
        }),
    ],
)  # fmt: skip
def test_it_writes_what_the_legacy_intake_writes(
    writing: Api, writing_url: str, legacy: tuple[str, str], number: int, order: dict[str, Any]
) -> None:
    address, legacy_url = legacy
    with psycopg.connect(writing_url) as ours, psycopg.connect(legacy_url) as theirs:
        for connection in (ours, theirs):  # the same start: no limit in the way, the same next number
            connection.execute("UPDATE customer SET cr_lim = 0 WHERE cust_cd = 'ACME'")
            for table, column in (("ord_hdr", "ord_no"), ("ord_dtl", "dtl_id"), ("stock_mv", "mv_no")):
                connection.execute(f"ALTER TABLE {table} ALTER {column} RESTART WITH {number}")
    form = _form(order)
    theirs_answer, their_new, their_gone = written(
        legacy_url, lambda: httpx2.post(f"{address}/partner/order_in", data=form, timeout=30)
    )
    answer, new, gone = written(writing_url, lambda: writing.ask("POST", "orders", json=order))
    assert theirs_answer.text == f"OK|{number}"
    assert answer.status_code == 201, answer.text
    assert new == their_new
    assert {row for row in gone if row[0] != "customer"} == {row for row in their_gone if row[0] != "customer"}
    assert len(new) >= 1 + 2 * len(order["lines"]) + 1


def _form(order: dict[str, Any]) -> dict[str, str]:
    form = {"token": TOKEN, "cust": order["customer_code"], "ref": order.get("reference", "")}
    form |= {
        "notes": order.get("notes", ""),
        "req_dt": order.get("required_on", ""),
        "rush": "Y" if "rush" in order else "",
    }
    for n, line in enumerate(order["lines"], 1):
        form |= {f"item{n}": line["item_number"], f"qty{n}": str(line["quantity"])}
    return form


def test_the_answer_is_the_new_order_and_where_it_is(writing: Api) -> None:
    order = {"customer_code": "ACME", "reference": "mine", "lines": [{"item_number": "NS-10023", "quantity": 2}]}
    answer = writing.ask("POST", "orders", json=order)
    assert answer.status_code == 201
    document = answer.json()
    assert answer.headers["location"] == f"/api/v1/orders/{document['number']}"
    assert (document["status"], document["reference"], len(document["lines"])) == ("open", "mine", 1)
    assert writing.get(f"orders/{document['number']}?include=lines").json() == document


@pytest.mark.parametrize(
    ("change", "status", "pointers"),
    [
        ({"customer_code": "NOBODY"}, 409, {"/customer_code"}),
        ({"lines": []}, 422, {"/lines"}),
        ({"lines": [{"item_number": "NOPE", "quantity": 1}, {"item_number": "NOPE2", "quantity": 1}]}, 409,
         {"/lines/0/item_number", "/lines/1/item_number"}),
        ({"lines": [{"item_number": "NS-10023", "quantity": 0}], "rush": "perhaps"}, 422,
         {"/lines/0/quantity", "/rush"}),
        ({"number": 1, "tot_amt": "0", "status": "shipped"}, 422, {"/number", "/tot_amt", "/status"}),
        ({"notes": "a\0b"}, 422, {"/notes"}),
        ({"reference": "x" * 41}, 422, {"/reference"}),
        ({"required_on": "2024-02-30"}, 422, {"/required_on"}),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_with_every_pointer_and_nothing_is_written(
    writing: Api, writing_url: str, change: dict[str, Any], status: int, pointers: set[str]
) -> None:
    order = {"customer_code": "ACME", "lines": [{"item_number": "NS-10023", "quantity": 1}], **change}
    answer, new, gone = written(writing_url, lambda: writing.ask("POST", "orders", json=order))
    assert answer.status_code == status
    assert {error["pointer"] for error in answer.json()["errors"]} == pointers
    assert not new
    assert not gone


def test_a_reference_is_used_once(writing: Api) -> None:
    order = {"customer_code": "ACME", "reference": "once", "lines": [{"item_number": "NS-10023", "quantity": 1}]}
    assert writing.ask("POST", "orders", json=order).status_code == 201
    again = writing.ask("POST", "orders", json=order)
    assert again.status_code == 409
    assert again.json()["code"] == "reference_used"


def test_a_credit_limit_holds(writing: Api, writing_url: str) -> None:
    with psycopg.connect(writing_url) as connection:
        connection.execute("UPDATE customer SET cr_lim = 1, bal = 0 WHERE cust_cd = 'ACME'")
    order = {"customer_code": "ACME", "lines": [{"item_number": "NS-10023", "quantity": 100}]}
    assert writing.ask("POST", "orders", json=order).json()["code"] == "credit_limit_exceeded"


def test_another_partners_customer_is_unknown(writing: Api, writing_url: str) -> None:
    with psycopg.connect(writing_url) as connection:
        theirs = connection.execute(
            "SELECT rtrim(cust_cd) FROM customer WHERE src_cd = 'BOLT' AND del_fl = 'N' AND act_fl = 'Y' LIMIT 1"
        ).fetchone()
    assert theirs is not None
    order = {"customer_code": theirs[0], "lines": [{"item_number": "NS-10023", "quantity": 1}]}
    assert writing.ask("POST", "orders", json=order).status_code == 409


def test_without_scope_or_partner_nothing_is_placed(writing: Api) -> None:
    order = {"customer_code": "ACME", "lines": [{"item_number": "NS-10023", "quantity": 1}]}
    assert writing.ask("POST", "orders", None, json=order).status_code == 401
    assert writing.ask("POST", "orders", "catalogue", json=order).status_code == 403
    assert writing.ask("POST", "orders", "nobody", json=order).status_code == 403


@pytest.mark.parametrize(
    ("body", "media", "status"),
    [
        (b"", "application/json", 422),
        (b"{", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b'{"customer_code": ' + b"9" * 100_000 + b"}", "application/json", 400),
        (b"[]", "application/json", 422),
        (b'{"customer_code":"ACME"}', "text/plain", 415),
        (b"\xff\xfe", "application/json", 400),
        (b'{"notes": "\\ud800", "lines": "\\u0000"}', "application/json", 422),
        (b"x" * (2 * 1024 * 1024), "application/json", 413),
    ],
    ids=["empty", "cut", "deep", "huge number", "list", "text", "no utf-8", "no text", "2 MiB"],
)
def test_a_body_that_is_no_order_is_a_problem_document(writing: Api, body: bytes, media: str, status: int) -> None:
    answer = writing.ask("POST", "orders", content=body, headers={"content-type": media})
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
