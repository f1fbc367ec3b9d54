"""Endpoints that only read, in all the shapes that partners' programs have learned to live with."""

from __future__ import annotations

from xml.etree.ElementTree import Element

import pytest
from defusedxml.ElementTree import fromstring

from tests.legacy.conftest import Northgate, secret


def orders(app: Northgate, partner: str = "ACME", **query: object) -> Element:
    answer = app.get("/partner/orders.xml", token=secret("token", partner), **query)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/xml; charset=ISO-8859-1"
    return fromstring(answer.content)


def numbers(root: Element) -> list[int]:
    return [int(order.attrib["no"]) for order in root.iter("order")]


def test_the_order_list_has_the_partners_own_orders_newest_first(northgate: Northgate) -> None:
    expected = northgate.rows(
        "SELECT ord_no FROM ord_hdr WHERE prt_cd = 'ACME' ORDER BY ord_dt DESC, ord_no DESC LIMIT 50"
    )
    assert numbers(orders(northgate)) == [row[0] for row in expected]


def test_the_pages_of_the_order_list_together_are_all_orders(northgate: Northgate) -> None:
    first = orders(northgate)
    seen = [no for page in range(1, int(first.attrib["pages"]) + 1) for no in numbers(orders(northgate, page=page))]
    assert len(seen) == len(set(seen)) == int(first.attrib["count"])
    assert len(seen) == northgate.value("SELECT count(*) FROM ord_hdr WHERE prt_cd = 'ACME'")


@pytest.mark.parametrize("written", ["0", "-3", "x", ""])
def test_a_page_that_is_no_page_is_the_first(northgate: Northgate, written: str) -> None:
    assert orders(northgate, page=written).attrib["page"] == "1"


def test_since_and_status_narrow_the_order_list(northgate: Northgate) -> None:
    found = orders(northgate, since="2026-09-01", status="30")
    expected = northgate.value(
        "SELECT count(*) FROM ord_hdr WHERE prt_cd = 'ACME' AND ord_dt >= '2026-09-01' AND stat = 30"
    )
    assert int(found.attrib["count"]) == expected > 0
    assert {order.findtext("status") for order in found.iter("order")} == {"SHIPPED"}


def test_an_order_whose_customer_is_gone_has_an_empty_customer(northgate: Northgate) -> None:
    partner, number = northgate.rows(
        "SELECT prt_cd, ord_no FROM ord_hdr o WHERE prt_cd IS NOT NULL AND prt_cd <> 'GRANT'"
        " AND NOT EXISTS (SELECT FROM customer c WHERE c.cust_no = o.cust_no)"
    )[0]
    root = orders(northgate, partner.strip())
    pages = [orders(northgate, partner.strip(), page=n) for n in range(1, int(root.attrib["pages"]) + 1)]
    order = next(o for page in pages for o in page.iter("order") if o.attrib["no"] == str(number))
    customer = order.find("customer")
    assert customer is not None
    assert (customer.attrib, customer.text) == ({}, None)


@pytest.mark.parametrize(
    ("query", "code"),
    [({"token": "wrong"}, "1"), ({}, "1"), ({"token": secret("token", "GRANT")}, "1"), ({"since": "2026-02-30"}, "2")],
)
def test_the_order_list_refuses_with_200_and_an_error_element(
    northgate: Northgate, query: dict[str, str], code: str
) -> None:
    token = secret("token", "ACME") if "since" in query else ""
    answer = northgate.get("/partner/orders.xml", **{"token": token, **query})
    assert answer.status_code == 200
    assert fromstring(answer.content).attrib == {"code": code}


def status(app: Northgate, **query: object) -> dict[str, object]:
    answer = app.get("/partner/order_status", "ACME", **query)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    return dict(answer.json())


def test_order_status_gives_whole_amounts_as_numbers_and_others_as_strings(northgate: Northgate) -> None:
    whole = northgate.value("SELECT ord_no FROM ord_hdr WHERE prt_cd = 'ACME' AND tot_amt = trunc(tot_amt) LIMIT 1")
    broken = northgate.value("SELECT ord_no FROM ord_hdr WHERE prt_cd = 'ACME' AND tot_amt <> trunc(tot_amt) LIMIT 1")
    assert isinstance(status(northgate, no=whole)["total"], int)
    assert isinstance(status(northgate, no=broken)["total"], str)


@pytest.mark.parametrize(("count", "kind"), [(1, dict), (2, list)])
def test_order_status_gives_one_line_as_an_object_and_more_as_a_list(
    northgate: Northgate, count: int, kind: type
) -> None:
    number = northgate.value(
        "SELECT ord_no FROM ord_dtl JOIN ord_hdr USING (ord_no) WHERE prt_cd = 'ACME'"
        " GROUP BY ord_no HAVING count(*) = %s LIMIT 1",
        count,
    )
    assert isinstance(status(northgate, no=number)["lines"], kind)


def test_order_status_of_an_order_without_lines_gives_an_empty_string(northgate: Northgate) -> None:
    partner, number = northgate.rows(
        "SELECT trim(prt_cd), ord_no FROM ord_hdr"
        " WHERE prt_cd IS NOT NULL AND ord_no NOT IN (SELECT ord_no FROM ord_dtl)"
    )[0]
    assert northgate.get("/partner/order_status", partner, no=number).json()["lines"] == ""


def test_order_status_gives_a_state_nobody_knows_as_a_number(northgate: Northgate) -> None:
    unknown = northgate.rows("SELECT trim(prt_cd), ord_no FROM ord_hdr WHERE stat = 55 AND prt_cd IS NOT NULL")
    partner, number = unknown[0]
    assert northgate.get("/partner/order_status", partner, no=number).json()["state"] == 55


def test_order_status_takes_a_reference_and_answers_the_latest_order_of_that_reference(northgate: Northgate) -> None:
    ref, latest = northgate.rows(
        "SELECT ext_ref, max(ord_no) FROM ord_hdr WHERE prt_cd = 'ACME' AND ext_ref IS NOT NULL"
        " GROUP BY ext_ref HAVING count(*) > 1"
    )[0]
    assert status(northgate, ref=ref)["order_no"] == str(latest)


def test_order_status_does_not_show_another_partners_order(northgate: Northgate) -> None:
    foreign = northgate.value("SELECT ord_no FROM ord_hdr WHERE prt_cd = 'BOLT' LIMIT 1")
    assert status(northgate, no=foreign) == {"status": "ERROR", "msg": "not found"}


def test_order_status_refuses_with_200(northgate: Northgate) -> None:
    assert status(northgate) == {"status": "ERROR", "msg": "no or ref required"}
    assert northgate.get("/partner/order_status", no=1).json() == {"status": "ERROR", "msg": "access denied"}


def test_stock_is_semicolons_decimal_commas_latin1_and_crlf(northgate: Northgate) -> None:
    answer = northgate.get("/partner/stock.csv", token=secret("token", "CRANE"), cat="safe")
    lines = answer.content.decode("latin-1").split("\r\n")
    assert lines[0] == "item_no;descr;cat;uom;qty;price"
    expected = northgate.value("SELECT count(*) FROM item WHERE act_fl = 'Y' AND cat_cd = 'SAFE'")
    assert len(lines) == expected + 2
    assert all(line.rsplit(";", 1)[1].count(",") == 1 for line in lines[1:-1])
    assert "Señal de piso" in answer.content.decode("latin-1")


def test_stock_without_a_token_is_forbidden(northgate: Northgate) -> None:
    assert northgate.get("/partner/stock.csv").status_code == 403


def test_a_price_is_the_one_of_the_partners_list_and_quantity(northgate: Northgate) -> None:
    item, qty, price = northgate.rows(
        "SELECT item_no, min_qty, prc FROM price_lst p WHERE lst_cd = 'P1' AND vld_to = '9999-12-31' AND min_qty > 1"
        " AND item_no IN (SELECT item_no FROM item)"
    )[0]
    answer = northgate.get("/index.php", "ACME", action="price", item=item, qty=qty)
    assert answer.text == f"{item}|{price}|USD"
    assert answer.headers["content-type"] == "text/plain"


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ({"action": "ping"}, "PONG"),
        ({"action": "price", "item": "NS-1"}, "ERR|ITEM|unknown item"),
        ({"action": "basket"}, "ERR|ACTION|unknown action"),
        ({}, "ERR|ACTION|unknown action"),
    ],
)
def test_index_php_answers_every_action_with_a_line(northgate: Northgate, query: dict[str, str], text: str) -> None:
    assert northgate.get("/index.php", "ACME", **query).text == text


def test_an_invoice_is_72_columns_of_latin1_for_its_own_partner_only(northgate: Northgate) -> None:
    number, gross = northgate.rows(
        "SELECT inv_no, gross_amt FROM inv_hdr JOIN ord_hdr USING (ord_no) WHERE prt_cd = 'CRANE' ORDER BY 1 LIMIT 1"
    )[0]
    answer = northgate.get(f"/partner/invoice/{number}.txt", "CRANE")
    lines = answer.content.decode("latin-1").split("\r\n")
    assert max(map(len, lines)) <= 72
    assert str(number) in lines[0]
    assert any(line.split() == ["TOTAL", "USD", f"{gross}"] for line in lines)
    assert northgate.get(f"/partner/invoice/{number}.txt", "BOLT").status_code == 404
    refused = northgate.get(f"/partner/invoice/{number}.txt")
    assert (refused.status_code, refused.headers["www-authenticate"]) == (401, 'Basic realm="Northgate partners"')
