"""Partner sync: orders come in bulk, each for itself; what got no answer is sent again; what changed is asked for."""

from __future__ import annotations

import json
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.support.api import listening
from tests.support.both_sides import BothSides


def order(reference: str | None = None, *lines: tuple[str, int], **more: Any) -> dict[str, Any]:
    listed = [{"item_number": item, "quantity": quantity} for item, quantity in lines or [("NS-10023", 3)]]
    return {"customer_code": "ACME", "reference": reference, "lines": listed, **more}


def send(both: BothSides, *orders: Any, key: str | None = None) -> httpx2.Response:
    headers = {} if key is None else {"idempotency-key": key}
    return both.api.ask("POST", "order-batches", json={"orders": orders}, headers=headers)


def outcomes(answer: httpx2.Response) -> list[tuple[str, str | None]]:
    assert answer.status_code == 200, answer.text
    return [(row["outcome"], row["code"]) for row in answer.json()["data"]]


@pytest.fixture(scope="module", autouse=True)
def no_limit(both: BothSides) -> None:
    both.prepare("UPDATE customer SET cr_lim = 0 WHERE cust_cd = 'ACME'")


def test_orders_in_bulk_are_what_the_legacy_intake_makes_of_them_one_by_one(both: BothSides) -> None:
    """A malformed row in the middle keeps no other from being placed."""
    batch = [
        order("S-1", ("NS-10023", 12), ("NS-10127", 144), rush=True, notes="über den Hof"),
        order("S-2", ("NOPE", 1)),
        order("S-3", required_on="2031-03-01"),
        order("S-3"),
        order(None),
        order("S-4", customer_code="NOBODY"),
        {"customer_code": "ACME", "lines": [{"item_number": "NS-10023", "quantity": "many"}], "price": 0},
        "no order at all",
        order("S-5"),
    ]
    answer = send(both, *batch)
    assert outcomes(answer) == [
        ("placed", None),
        ("refused", "cannot_be_ordered"),
        ("placed", None),
        ("known", None),
        ("placed", None),
        ("refused", "cannot_be_ordered"),
        ("refused", "invalid_body"),
        ("refused", "invalid_body"),
        ("placed", None),
    ]
    rows = answer.json()["data"]
    assert [error["pointer"] for error in rows[1]["errors"]] == ["/lines/0/item_number"]
    assert {error["pointer"] for error in rows[6]["errors"]} == {"/lines/0/quantity", "/price"}
    assert rows[3]["order_number"] == rows[2]["order_number"]
    theirs = [both.as_partner("/partner/order_in", **form_of(one)).text for one in batch if isinstance(one, dict)]
    placed = [f"OK|{row['order_number']}" for row in rows if row["outcome"] == "placed"]
    assert [text for text in theirs if text.startswith("OK")] == placed
    assert f"ERR|DUP|{rows[2]['order_number']}" in theirs
    both.assert_same()


def form_of(one: dict[str, Any]) -> dict[str, str]:
    form = {"cust": one["customer_code"], "ref": one.get("reference") or "", "notes": one.get("notes", "")}
    form |= {"req_dt": one.get("required_on", ""), "rush": "Y" if one.get("rush") else ""}
    for n, line in enumerate(one["lines"], 1):
        form |= {f"item{n}": line["item_number"], f"qty{n}": str(line["quantity"])}
    return form


def test_a_cancellation_is_what_the_legacy_endpoint_writes_and_may_be_sent_again(both: BothSides) -> None:
    batch = [order("X-1"), order("X-2", ("NS-10127", 5), ("NS-10023", 1))]
    numbers = [row["order_number"] for row in send(both, *batch).json()["data"]]
    for one in batch:
        both.as_partner("/partner/order_in", **form_of(one))
    for number in (numbers[0], numbers[0], numbers[1]):
        answer = both.api.ask("POST", f"orders/{number}/cancellation")
        assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
        assert both.as_partner("/partner/order_cancel", no=str(number)).text == "OK"
    both.assert_same()
    assert both.api.ask("POST", f"orders/{numbers[0]}/cancellation", "bolt").status_code == 404
    shipped = both.value("SELECT min(ord_no) FROM ord_hdr WHERE prt_cd = 'ACME' AND stat = 30")
    assert both.api.ask("POST", f"orders/{shipped}/cancellation").json()["code"] == "cannot_be_cancelled"


def test_a_batch_whose_answer_was_lost_is_answered_again_and_done_once(both: BothSides) -> None:
    first, second = (send(both, order("L-1"), order("L-2"), order(None), key="batch-1") for _ in range(2))
    assert (second.content, second.headers["idempotency-replayed"]) == (first.content, "true")
    assert both.value("SELECT count(*) FROM ord_hdr WHERE ext_ref IN ('L-1', 'L-2')") == 2


def test_without_a_key_the_references_tell_what_is_known_already(both: BothSides) -> None:
    first = send(both, order("R-1"), order("R-2")).json()["data"]
    again = send(both, order("R-1"), order("R-2"), order("R-3"))
    assert outcomes(again) == [("known", None), ("known", None), ("placed", None)]
    assert [row["order_number"] for row in again.json()["data"][:2]] == [row["order_number"] for row in first]


def test_doubled_batches_at_the_same_moment_place_each_reference_once(both: BothSides) -> None:
    batch = [order(f"D-{n}") for n in range(3)]
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: send(both, *batch), range(4)))
    found = [outcome for answer in answers for outcome, _ in outcomes(answer)]
    assert (found.count("placed"), found.count("known")) == (3, 9)
    assert both.value("SELECT count(*) FROM ord_hdr WHERE ext_ref LIKE 'D-_'") == 3


def test_a_refused_order_leaves_no_trace_beside_the_placed_ones(both: BothSides) -> None:
    both.prepare("UPDATE customer SET cr_lim = bal + 100 WHERE cust_cd = 'ACME'")
    answer = send(both, order("C-1", ("NS-10023", 99999)), order("C-2", ("NS-10023", 1)))
    both.prepare("UPDATE customer SET cr_lim = 0 WHERE cust_cd = 'ACME'")
    assert outcomes(answer) == [("refused", "credit_limit_exceeded"), ("placed", None)]
    journalled = both.rows(
        "SELECT after->>'ext_ref' FROM banyan.journal WHERE \"table\" = 'ord_hdr' AND after->>'ext_ref' LIKE 'C-_'"
    )
    assert journalled == [("C-2",)]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (json.dumps({"orders": []}).encode(), 422, "invalid_body"),
        (json.dumps({"orders": [order()] * 101}).encode(), 422, "invalid_body"),
        (json.dumps({"orders": [order("E-1")]}).encode()[:-20], 400, "invalid_request"),
        (json.dumps({"orders": [order(notes="über")]}, ensure_ascii=False).encode("latin-1"), 400, "invalid_request"),
        (b'{"orders": [' + b'"x",' * 400_000 + b'"x"]}', 413, "body_too_large"),
    ],
    ids=["none", "too many", "cut in the middle", "Latin-1", "too large"],
)  # fmt: skip
def test_a_body_that_cannot_be_read_is_refused_whole(both: BothSides, body: bytes, status: int, code: str) -> None:
    before = both.value("SELECT count(*) FROM ord_hdr")
    answer = both.api.ask("POST", "order-batches", content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert both.value("SELECT count(*) FROM ord_hdr") == before


def test_half_an_upload_places_nothing_and_may_be_sent_again(both: BothSides) -> None:
    body = json.dumps({"orders": [order("H-1")]}).encode()
    with listening(both.api) as address:
        where = urlsplit(address)
        with socket.create_connection((where.hostname or "", where.port or 0)) as wire:
            head = "POST /api/v1/order-batches HTTP/1.1\r\nHost: x\r\nX-API-Key: acme\r\nIdempotency-Key: half\r\n"
            head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            wire.sendall(head.encode() + body[: len(body) // 2])
        assert both.value("SELECT count(*) FROM ord_hdr WHERE ext_ref = 'H-1'") == 0
        headers = {"x-api-key": "acme", "idempotency-key": "half", "content-type": "application/json"}
        answer = httpx2.post(f"{address}/api/v1/order-batches", content=body, headers=headers)
    assert outcomes(answer) == [("placed", None)]


def test_catching_up_shows_what_changed_since_the_last_visit_and_304_where_nothing_did(both: BothSides) -> None:
    first, second = (row["order_number"] for row in send(both, order("V-1"), order("V-2")).json()["data"])
    seen = both.api.get(f"orders/{first}")
    with_tag = {"if-none-match": seen.headers["etag"]}
    assert both.api.get(f"orders/{first}", headers=with_tag).status_code == 304
    both.prepare(f"UPDATE ord_hdr SET upd_dt = '2020-02-03 12:00:00' WHERE ord_no IN ({first}, {second})")
    visited = both.api.get(f"orders/{first}").json()["updated_at"]
    since = {"updated_at[gt]": visited, "sort": "updated_at,number", "reference[in]": "V-1,V-2"}
    assert both.api.get("orders", params=since).json()["data"] == []
    assert both.api.ask("POST", f"orders/{first}/cancellation").status_code == 200
    changed = both.api.get("orders", params=since).json()["data"]
    assert [(row["number"], row["status"]) for row in changed] == [(first, "cancelled")]
    assert both.api.get(f"orders/{first}", headers=with_tag).status_code == 200
