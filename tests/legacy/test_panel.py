"""The panel as an operations team uses it: sessions, forms with CSRF, uploads, downloads."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx2
import pytest

from tests.legacy.conftest import Northgate


@pytest.fixture(scope="module")
def desk(northgate: Northgate) -> Iterator[httpx2.Client]:
    """A clerk's browser, logged in."""
    with httpx2.Client(base_url=northgate.url, follow_redirects=True) as client:
        send(client, "/panel/login/", username="clerk", password="northgate")
        assert "ngsid" in client.cookies
        yield client


def send(client: httpx2.Client, page: str, files: object = None, **fields: object) -> str:
    """Fill in the page's form as a browser would, its CSRF token included."""
    found = re.search('name="csrfmiddlewaretoken" value="([^"]+)"', client.get(page).text)
    assert found
    answer = client.post(page, data={"csrfmiddlewaretoken": found[1], **fields}, files=files)
    assert answer.status_code == 200, answer.text
    return answer.text


def test_who_is_not_logged_in_is_sent_to_the_login_page_without_a_host_name(northgate: Northgate) -> None:
    answer = northgate.get("/panel/orders/")
    assert (answer.status_code, answer.headers["location"]) == (302, "/panel/login/?next=/panel/orders/")


def test_a_form_without_its_csrf_token_is_refused(desk: httpx2.Client) -> None:
    assert desk.post("/panel/orders/", data={"step": "ship", "ord_no": "1"}).status_code == 403


def test_chosen_orders_are_shipped_from_the_board(northgate: Northgate, desk: httpx2.Client) -> None:
    first, second = (r[0] for r in northgate.rows("SELECT ord_no FROM v_open_ord ORDER BY ord_no LIMIT 2"))
    assert "2 orders shipped." in send(desk, "/panel/orders/", step="ship", ord_no=[first, second])
    assert northgate.rows("SELECT DISTINCT stat, upd_by FROM ord_hdr WHERE ord_no IN (%s, %s)", first, second) == [
        (30, "clerk")
    ]
    assert "Skipped: order" in send(desk, "/panel/orders/", step="ship", ord_no=first)


def test_the_board_shows_what_its_filter_says(northgate: Northgate, desk: httpx2.Client) -> None:
    shown = desk.get("/panel/orders/?stat=20&partner=BOLT").text
    expected = northgate.value("SELECT count(*) FROM v_open_ord WHERE stat = 20 AND prt_cd = 'BOLT'")
    assert f"({expected} rows)" in shown
    assert desk.get("/panel/orders/?partner=NOBODY&page=99").status_code == 200


def test_the_invoice_run_numbers_without_gaps_and_its_journal_can_be_downloaded(
    northgate: Northgate, desk: httpx2.Client
) -> None:
    billable = northgate.rows("SELECT ord_no FROM ord_hdr JOIN customer USING (cust_no) WHERE stat = 30 ORDER BY 1")
    chosen = [row[0] for row in billable[:3]]
    nxt = northgate.value("SELECT nxt FROM ctr WHERE ctr_cd = 'INV'")
    said = send(desk, "/panel/invoices/", on="2026-11-03", orders=chosen)
    assert f"3 invoices issued, {nxt} to {nxt + 2}." in said
    journal = desk.get("/panel/invoices/journal.csv?on=2026-11-03")
    assert [line.split(";")[0] for line in journal.content.decode("latin-1").split("\r\n")[1:4]] == [
        str(nxt + n) for n in range(3)
    ]
    assert northgate.rows("SELECT DISTINCT stat FROM ord_hdr WHERE ord_no = ANY(%s)", chosen) == [(40,)]


def test_a_document_attached_to_a_customer_comes_back_byte_for_byte(northgate: Northgate, desk: httpx2.Client) -> None:
    data = bytes(range(256)) * 4000
    files = {"file": ("contract ü.pdf", data, "application/pdf")}
    send(desk, "/panel/customers/20/", files=files, form="doc")
    number = northgate.value("SELECT max(doc_no) FROM cust_doc WHERE cust_no = 20")
    answer = desk.get(f"/panel/documents/{number}/")
    assert (answer.content, answer.headers["content-type"]) == (data, "application/pdf")


def test_a_change_of_a_customer_is_audited(northgate: Northgate, desk: httpx2.Client) -> None:
    master = {"form": "master", "nm": "New name", "ctry": "US", "terms_cd": "N30", "cr_lim": "5", "act_fl": "Y"}
    send(desk, "/panel/customers/21/", **master)
    trail = northgate.rows("SELECT who, what, txt FROM audit_log WHERE tbl = 'customer' AND ref = '21'")
    assert [(who, what) for who, what, _ in trail] == [("clerk", "CHG")]
    assert "nm" in trail[0][2]


def test_the_export_streams_every_line_of_every_order(northgate: Northgate, desk: httpx2.Client) -> None:
    with desk.stream("GET", "/panel/export/lines.csv") as answer:
        assert "content-length" not in answer.headers
        lines = sum(1 for _ in answer.iter_lines())
    assert lines == 1 + northgate.value("SELECT count(*) FROM ord_dtl")


@pytest.mark.parametrize("target", ["/panel/orders/4294967296/", "/panel/customers/0/", "/panel/documents/999999/"])
def test_what_is_not_there_is_404(desk: httpx2.Client, target: str) -> None:
    assert desk.get(target).status_code == 404


def test_the_admin_has_its_style_sheets_in_production(northgate: Northgate) -> None:
    for sheet in ("/static/admin/css/base.css", "/static/panel/panel.css"):
        answer = northgate.get(sheet)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/css")


def test_the_admin_lists_every_main_table_and_edits_lines_inside_an_order(northgate: Northgate) -> None:
    tables = [
        "ordhdr",
        "customer",
        "item",
        "invhdr",
        "pricelst",
        "stockmv",
        "partner",
        "rptsales",
        "useracct",
        "imperr",
    ]
    with httpx2.Client(base_url=northgate.url, follow_redirects=True) as client:
        send(client, "/admin/login/", username="admin", password="northgate")
        answers = {table: client.get(f"/admin/sales/{table}/?q=1").status_code for table in tables}
        order = northgate.value("SELECT min(ord_no) FROM ord_dtl")
        form = client.get(f"/admin/sales/ordhdr/{order}/change/").text
    assert answers == dict.fromkeys(tables, 200)
    assert 'name="lines-0-qty"' in form
