"""Billing: shipped orders become invoices, an invoice is credited; totals exact, numbers without gaps, twins safe."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import pytest

from api_gateway.postgres import Server
from tests.support.accounts import cookie_of, fronted
from tests.support.both_sides import BothSides

DAY = "2026-11-24"  # a Tuesday before Thanksgiving
BILLABLE = """
    SELECT o.ord_no FROM ord_hdr o JOIN customer c USING (cust_no)
     WHERE o.stat = 30 AND EXISTS (SELECT FROM ord_dtl d WHERE d.ord_no = o.ord_no) AND {} ORDER BY o.ord_no
"""
KINDS = {
    "at home, taxed": "o.prt_cd IS NULL AND c.ctry = 'US'",
    "abroad": "o.prt_cd IS NULL AND c.ctry <> 'US'",
    "a partner's": "o.prt_cd IS NOT NULL",
}


def bill(both: BothSides, number: int, who: str = "desk", **more: Any) -> httpx2.Response:
    return both.api.ask("POST", f"orders/{number}/invoice", who, json={"dated_on": DAY}, **more)


@pytest.fixture(scope="module", autouse=True)
def shipped(both: BothSides) -> None:
    """More shipped orders than the seed has; totals with odd cents, a line without an item, terms nobody entered."""
    both.prepare(
        """
        UPDATE ord_hdr SET stat = 30 WHERE stat IN (10, 20) AND ord_no % 2 = 0;
        UPDATE customer SET terms_cd = 'X99' WHERE cust_no % 7 = 0;
        UPDATE ord_dtl SET item_no = 'GONE-1' WHERE ln_no = 2 AND ord_no % 3 = 0;
        INSERT INTO cal_hol VALUES ('2026-12-24', 'Christmas Eve') ON CONFLICT DO NOTHING;
        """
    )


@pytest.mark.parametrize("kind", KINDS)
def test_an_invoice_is_what_the_legacy_invoice_run_writes(both: BothSides, kind: str) -> None:
    numbers = [row[0] for row in both.rows(BILLABLE.format(KINDS[kind]))][:3]
    assert numbers
    for number in numbers:
        answer = bill(both, number)
        assert answer.status_code == 201, answer.text
    run_at_the_desk(both, numbers)
    both.assert_same()


def run_at_the_desk(both: BothSides, numbers: list[int]) -> None:
    """The invoice run shows fifty orders a page."""
    for number in numbers:
        page = 1
        while f'value="{number}"' not in both.desk.get(f"/panel/invoices/?page={page}").text:
            page += 1
            assert page < 40
        assert "1 invoices issued" in both.at_the_desk(f"/panel/invoices/?page={page}", orders=[number], on=DAY)


def test_the_totals_are_exact_and_the_partner_sees_the_invoice(both: BothSides) -> None:
    (number,) = both.rows(BILLABLE.format("o.prt_cd = 'ACME'"))[0]
    invoice = bill(both, number).json()
    net, tax, gross = (Decimal(invoice[name]) for name in ("net", "tax", "gross"))
    assert net == sum(Decimal(line["amount"]) for line in invoice["lines"])
    assert (tax, gross) == (0, net)
    seen = both.api.get(f"invoices/{invoice['number']}?include=lines").json()
    assert {name: seen[name] for name in invoice} == invoice
    run_at_the_desk(both, [number])


def test_at_home_six_per_cent_are_added_to_the_cent(both: BothSides) -> None:
    (number,) = both.rows(BILLABLE.format(KINDS["at home, taxed"]))[0]
    both.prepare(f"UPDATE ord_hdr SET tot_amt = 10.25 WHERE ord_no = {number}")
    invoice = bill(both, number).json()
    assert (invoice["net"], invoice["tax"], invoice["gross"]) == ("10.25", "0.62", "10.87")
    run_at_the_desk(both, [number])
    both.assert_same()


def test_numbers_have_no_gap_whoever_asks_at_the_same_moment_and_no_order_is_billed_twice(both: BothSides) -> None:
    numbers = [row[0] for row in both.rows(BILLABLE.format("true"))][:6]
    before = both.value("SELECT nxt FROM ctr WHERE ctr_cd = 'INV'")
    with ThreadPoolExecutor(8) as threads:
        asked = list(threads.map(lambda number: bill(both, number), [*numbers, *numbers]))
    assert sorted(answer.status_code for answer in asked) == [201] * 6 + [409] * 6
    issued = sorted(answer.json()["number"] for answer in asked if answer.status_code == 201)
    assert issued == list(range(before, before + 6))
    assert both.value("SELECT nxt FROM ctr WHERE ctr_cd = 'INV'") == before + 6
    assert both.value("SELECT count(*) FROM inv_hdr WHERE ord_no = ANY(%s)", numbers) == 6


def test_what_is_not_to_be_billed_is_refused_and_takes_no_number(both: BothSides) -> None:
    gone, empty, still_open = (
        both.value(f"SELECT min(ord_no) FROM ord_hdr o WHERE {condition}")
        for condition in (
            "stat = 30 AND NOT EXISTS (SELECT FROM customer c WHERE c.cust_no = o.cust_no)",
            "stat = 30 AND NOT EXISTS (SELECT FROM ord_dtl d WHERE d.ord_no = o.ord_no)",
            "stat = 10",
        )
    )
    before = both.value("SELECT nxt FROM ctr WHERE ctr_cd = 'INV'")
    asked = {"gone": gone, "open": still_open, **({"empty": empty} if empty else {})}
    assert {bill(both, number).json()["code"] for number in asked.values()} == {"not_billable"}
    assert bill(both, 2**31 - 1).status_code == 404
    assert bill(both, still_open, "acme").json()["code"] == "no_clerk"
    address = f"orders/{still_open}/invoice"
    assert both.api.ask("POST", address, "desk", json={"dated_on": "1815-06-18"}).status_code == 409
    assert both.api.ask("GET", address, "desk").status_code == 405
    assert both.value("SELECT nxt FROM ctr WHERE ctr_cd = 'INV'") == before


def test_an_invoice_whose_answer_was_lost_is_issued_once(both: BothSides) -> None:
    (number,) = both.rows(BILLABLE.format("true"))[0]
    first, second = (bill(both, number, headers={"idempotency-key": f"bill-{number}"}) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.content == first.content
    assert both.value("SELECT count(*) FROM inv_hdr WHERE ord_no = %s", number) == 1


async def test_a_clerk_bills_with_the_panels_own_session(both: BothSides, server: Server, tmp_path: Path) -> None:
    (number,) = both.rows(BILLABLE.format("true"))[0]
    cookie = cookie_of(both.desk)
    both.take_over_the_sessions()
    async with fronted(server, both.url, tmp_path) as desk:
        head = [("cookie", cookie), ("content-type", "application/json"), ("sec-fetch-site", "same-origin")]
        issued = await desk.ask("POST", f"/api/v1/orders/{number}/invoice", head, b'{"dated_on": "2026-11-24"}')
    assert (issued.status, issued.json.get("order_number")) == (201, number), issued.json
    assert both.rows("SELECT upd_by FROM ord_hdr WHERE ord_no = %s", number) == [("admin",)]


def test_a_credit_writes_what_the_legacy_admin_page_writes(both: BothSides) -> None:
    invoice = both.value("SELECT min(inv_no) FROM inv_hdr WHERE stat = 'O'")
    before = both.differences()
    page = f"/admin/sales/invhdr/{invoice}/change/"
    shown = both.desk.get(page).text
    assert re.search('name="pd_dt" value="01/01/1900|name="pd_dt" value="1900-01-01', shown)
    both.at_the_desk(page, stat="C", pd_dt="1900-01-01")
    answer = both.api.ask("POST", f"invoices/{invoice}/credit", "desk")
    assert (answer.status_code, answer.json()["status"]) == (200, "credited")
    assert both.differences() == before
    assert both.rows("SELECT stat FROM inv_hdr WHERE inv_no = %s", invoice) == [("C",)]


def test_an_invoice_is_credited_once_and_only_while_it_is_open(both: BothSides) -> None:
    invoice = both.value("SELECT max(inv_no) FROM inv_hdr WHERE stat = 'O'")
    with ThreadPoolExecutor(4) as threads:
        asked = list(threads.map(lambda _: both.api.ask("POST", f"invoices/{invoice}/credit", "desk"), range(4)))
    assert sorted(answer.status_code for answer in asked) == [200, 409, 409, 409]
    assert both.value("SELECT count(*) FROM django_admin_log WHERE object_id = %s", str(invoice)) == 1
    paid = both.value("SELECT min(inv_no) FROM inv_hdr WHERE stat = 'P'")
    assert both.api.ask("POST", f"invoices/{paid}/credit", "desk").json()["code"] == "not_open"
