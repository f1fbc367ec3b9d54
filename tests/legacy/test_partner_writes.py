"""Endpoints that write: what they answer, and every row they leave."""

from __future__ import annotations

import itertools
from decimal import Decimal

import pytest

from tests.legacy.conftest import Northgate, secret

references = (f"T-{n}" for n in itertools.count(1))


def place(app: Northgate, partner: str = "ACME", **fields: object) -> str:
    form = {"token": secret("token", partner), "cust": partner, "item1": "NS-10023", "qty1": "2", **fields}
    answer = app.post("/partner/order_in", data=form)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/plain")
    return answer.text


def placed(app: Northgate, **fields: object) -> int:
    word, number = place(app, **fields).split("|")
    assert word == "OK"
    return int(number)


def test_an_order_is_stored_with_its_lines_reservation_audit_and_last_order_date(northgate: Northgate) -> None:
    before = northgate.value("SELECT qty_oh FROM item WHERE item_no = 'NS-10023'")
    ref = next(references)
    number = placed(northgate, ref=ref, qty1="12", item2="ns-10001", rush="yes", req_dt="12/24/2026", notes="Señor")
    header = northgate.rows(
        "SELECT cust_cd, o.stat, o.rush_fl, o.req_dt::text, o.curr, o.notes, o.upd_by, trim(o.prt_cd), o.ext_ref,"
        " c.lst_ord_dt = o.ord_dt::date, o.tot_amt = (SELECT sum(ln_amt) FROM ord_dtl d WHERE d.ord_no = o.ord_no)"
        " FROM ord_hdr o JOIN customer c USING (cust_no) WHERE ord_no = %s",
        number,
    )
    assert header == [("ACME    ", 10, "Y", "2026-12-24", "USD", "Señor", "ACME", "ACME", ref, True, True)]
    lines = northgate.rows("SELECT ln_no, item_no, qty, disc_pct FROM ord_dtl WHERE ord_no = %s ORDER BY 1", number)
    assert lines == [(1, "NS-10023", 12, Decimal(0)), (2, "NS-10001", 1, Decimal(0))]
    moves = northgate.rows("SELECT mv_cd, item_no, qty FROM stock_mv WHERE ref = %s ORDER BY mv_no", f"ORD {number}")
    assert moves == [("RS", "NS-10023", -12), ("RS", "NS-10001", -1)]
    assert northgate.value("SELECT qty_oh FROM item WHERE item_no = 'NS-10023'") == before - 12
    audit = northgate.rows("SELECT who, what, txt FROM audit_log WHERE tbl = 'ord_hdr' AND ref = %s", str(number))
    total = northgate.value("SELECT tot_amt FROM ord_hdr WHERE ord_no = %s", number)
    assert audit == [("ACME", "NEW", f"stat=10 tot={total}")]


def test_the_same_reference_of_the_same_partner_is_answered_with_the_first_order(northgate: Northgate) -> None:
    ref = next(references)
    number = placed(northgate, ref=ref)
    assert place(northgate, ref=ref) == f"ERR|DUP|{number}"
    assert place(northgate, "BOLT", ref=ref).startswith("OK|")


@pytest.mark.parametrize(
    ("fields", "answer"),
    [
        ({"token": "wrong"}, "ERR|AUTH|bad token"),
        ({"cust": "BOLT"}, "ERR|CUST|unknown customer"),
        ({"cust": ""}, "ERR|CUST|unknown customer"),
        ({"item1": "NS-1"}, "ERR|ITEM|unknown item NS-1"),
        ({"item1": ""}, "ERR|EMPTY|no items"),
        ({"qty1": "0"}, "ERR|QTY|bad quantity for NS-10023"),
        ({"qty1": "9" * 30}, "ERR|QTY|bad quantity for NS-10023"),
        ({"req_dt": "2026-02-30"}, "ERR|DATE|bad req_dt"),
        ({f"item{n}": "NS-10023" for n in range(1, 101)}, "ERR|LINES|more than 99 lines"),
    ],
)
def test_a_refused_order_says_why_with_200_and_leaves_nothing(
    northgate: Northgate, fields: dict[str, str], answer: str
) -> None:
    counts = "SELECT (SELECT count(*) FROM ord_hdr), (SELECT count(*) FROM stock_mv), (SELECT count(*) FROM audit_log)"
    before = northgate.rows(counts)
    assert place(northgate, **fields) == answer
    assert northgate.rows(counts) == before


def test_a_customer_deleted_or_on_hold_cannot_order(northgate: Northgate) -> None:
    for flag, answer in (("del_fl = 'Y', act_fl = 'N'", "unknown customer"), ("act_fl = 'N'", "customer on hold")):
        code = northgate.value("SELECT trim(cust_cd) FROM customer WHERE src_cd = 'DELTA' AND act_fl = 'Y' LIMIT 1")
        northgate.rows(f"UPDATE customer SET {flag} WHERE cust_cd = '{code}' RETURNING 1")
        assert place(northgate, "DELTA", cust=code) == f"ERR|CUST|{answer}"


def test_an_order_beyond_the_credit_limit_is_refused(northgate: Northgate) -> None:
    code = northgate.value("SELECT trim(cust_cd) FROM customer WHERE src_cd = 'BOLT' AND act_fl = 'Y' LIMIT 1 OFFSET 3")
    northgate.rows(f"UPDATE customer SET cr_lim = 10, bal = 9 WHERE cust_cd = '{code}' RETURNING 1")
    assert place(northgate, "BOLT", cust=code) == "ERR|CREDIT|credit limit exceeded"


def cancel(app: Northgate, number: object, partner: str = "ACME") -> str:
    return app.post("/partner/order_cancel", data={"token": secret("token", partner), "no": number}).text


def test_a_cancelled_order_gives_the_stock_back_and_can_be_cancelled_again(northgate: Northgate) -> None:
    before = northgate.value("SELECT qty_oh FROM item WHERE item_no = 'NS-10023'")
    number = placed(northgate)
    assert [cancel(northgate, number), cancel(northgate, number)] == ["OK", "OK"]
    assert northgate.value("SELECT stat FROM ord_hdr WHERE ord_no = %s", number) == 90
    assert northgate.value("SELECT qty_oh FROM item WHERE item_no = 'NS-10023'") == before
    assert northgate.value("SELECT count(*) FROM stock_mv WHERE ref = %s AND mv_cd = 'RL'", f"ORD {number}") == 1


def test_what_is_not_the_partners_or_not_open_cannot_be_cancelled(northgate: Northgate) -> None:
    foreign = northgate.value("SELECT ord_no FROM ord_hdr WHERE prt_cd = 'BOLT' AND stat = 10 LIMIT 1")
    invoiced = northgate.value("SELECT ord_no FROM ord_hdr WHERE prt_cd = 'ACME' AND stat = 40 LIMIT 1")
    assert cancel(northgate, foreign) == f"ERR|NOTFOUND|{foreign}"
    assert cancel(northgate, "x") == "ERR|NOTFOUND|0"
    assert cancel(northgate, invoiced) == "ERR|STATE|40"


def test_a_new_customer_gets_the_next_code_and_a_login_when_a_password_comes_with_it(northgate: Northgate) -> None:
    form = {"name": "Bäckerei", "email": "Neu@baeckerei.example", "password": "brot", "country": "de", "city": "Köln"}
    answer = northgate.post("/partner/customer_new", "CRANE", data=form).json()
    row = northgate.rows(
        "SELECT nm, ctry, city, trim(src_cd), login FROM customer JOIN user_acct USING (cust_no) WHERE cust_cd = %s",
        answer["cust"],
    )
    assert answer == {"ok": 1, "cust": "C000201"}
    assert row == [("Bäckerei", "DE", "Köln", "CRANE", "neu@baeckerei.example")]
    again = northgate.post("/partner/customer_new", "CRANE", data={"name": "B", "email": "NEU@Baeckerei.example"})
    assert again.json() == {"ok": 1, "cust": "C000201", "dup": True}


@pytest.mark.parametrize(("form", "err"), [({}, "name missing"), ({"name": "A", "email": "nobody"}, "bad email")])
def test_a_new_customer_is_refused_with_200(northgate: Northgate, form: dict[str, str], err: str) -> None:
    answer = northgate.post("/partner/customer_new", "CRANE", data=form)
    assert (answer.status_code, answer.json()) == (200, {"ok": 0, "err": err})
    assert northgate.post("/partner/customer_new", data=form).status_code == 401


PRICES = "item_no;min_qty;price;from\r\nNS-10023;1;12,50;2026-11-02\r\nNS-1;1;3\r\nNS-10001;0;3\r\nNS-10001;1;x\r\n"


@pytest.mark.parametrize("as_file", [True, False])
def test_uploaded_prices_are_loaded_and_bad_rows_reported(northgate: Northgate, as_file: bool) -> None:
    body = {"files": {"file": ("p.csv", PRICES)}} if as_file else {"content": PRICES}
    answer = northgate.post(f"/partner/price_upload?token={secret('token', 'DELTA')}", **body)
    assert answer.text == "LOADED 1 / REJECTED 3\n3: unknown item NS-1\n4: bad quantity\n5: bad price\n"
    price = "SELECT prc FROM price_lst WHERE lst_cd = 'P2' AND item_no = 'NS-10023' AND vld_from = '2026-11-02'"
    assert northgate.rows(price) == [(Decimal("12.50"),)]
    assert northgate.get("/index.php", "DELTA", action="price", item="NS-10023").text == "NS-10023|12.50|USD"
    assert northgate.value("SELECT count(*) FROM imp_err WHERE prt_cd = 'DELTA' AND msg = 'bad price'") >= 1


def test_prices_without_a_token_are_forbidden(northgate: Northgate) -> None:
    assert northgate.post("/partner/price_upload", content=PRICES).status_code == 403
