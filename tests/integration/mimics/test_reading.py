"""Stock, price and invoice: their mimics answer what the legacy endpoints answer, to the byte."""

from __future__ import annotations

import random
from urllib.parse import quote

import psycopg

from api_gateway.evidence.candidate import Candidates
from tests.support.asked import PARTNERS, Asked, compared, password, token

WRONG = ("", "wrong", "%00", token("ACME")[:-1], token("ACME").upper())
ODD = ("", "%00", "%20", "%C3%A9", "%E9", "%27;--", "a" * 300, "%ED%A0%80", "%D9%A3", "a+b", "%0A")
NUMBERS = ("0", "-1", "%2B7", "12abc", "abc", "%203", "3%20", "99999", "1.5", "2147483647", "2147483648", "9" * 40)


def rows(url: str, query: str) -> list[tuple[str, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(query.encode()).fetchall()


async def test_the_stock_list(url: str, legacy: str, candidates: Candidates) -> None:
    categories = [code.strip() for (code,) in rows(url, "SELECT DISTINCT cat_cd FROM item ORDER BY 1")]

    def of(partner: str | None, query: str = "", secret: str | None = None) -> Asked:
        given = token(partner) if partner is not None and secret is None else secret
        return Asked("stock.csv", f"/partner/stock.csv?token={given}{query}", partner)

    asked = [of(None, secret=wrong) for wrong in WRONG] + [Asked("stock.csv", "/partner/stock.csv", None)]
    asked += [of(partner) for partner in PARTNERS]
    asked += [of("ACME", f"&cat={value}") for value in (*categories, categories[0].lower(), "NONE", *ODD)]
    asked += [of("BOLT", f"&cat={categories[0]}&cat={categories[1]}"), of("BOLT", "&c%61t=TOOL")]
    asked.append(Asked("stock.csv", f"/partner/stock.csv?token={token('ACME')}", "ACME", method="HEAD"))
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE item SET descr = 'Bolt \"M8\"; Ø 8 €' WHERE item_no = 'NS-10023'")
    outcomes = await compared(asked, legacy, candidates)
    assert outcomes["403 text/plain"] == 7  # GRANT's token is no token
    assert len(asked) - 7 == sum(count for outcome, count in outcomes.items() if outcome.startswith("200 text/csv"))


async def test_one_price(url: str, legacy: str, candidates: Candidates) -> None:
    listed = rows(url, "SELECT item_no, min_qty FROM price_lst WHERE lst_cd <> 'STD' ORDER BY 1, 2 LIMIT 40")
    plain = rows(url, "SELECT item_no FROM item WHERE act_fl = 'N' OR dscnt_dt < now() ORDER BY 1 LIMIT 10")

    def of(partner: str | None, query: str, secret: str | None = None) -> Asked:
        given = token(partner) if partner is not None and secret is None else secret
        head = {"X-Partner-Token": given} if given is not None else {}
        return Asked("prices", f"/index.php?action=price{query}", partner, head)

    rng = random.Random(1)
    asked = [of(None, "&item=NS-10023"), *(of(None, "&item=NS-10023", wrong) for wrong in ("wrong", token("ACME")[1:]))]
    for item, quantity in listed:
        partner = rng.choice(PARTNERS)
        asked += [of(partner, f"&item={item}&qty={int(quantity) + more}") for more in (-1, 0, 1)]
    asked += [of("ACME", f"&item={item}") for (item,) in plain]
    asked += [of("ACME", f"&item={value}") for value in ("ns-10023", "%20NS-10023%20", *ODD)] + [of("ACME", "")]
    asked += [of("BOLT", f"&item=NS-10023&qty={value}") for value in (*NUMBERS, *ODD)]
    asked += [of("ACME", f"&item=NS-10023&action={value}") for value in ("PRICE", "item", "ping", "nothing", "", "%00")]
    outcomes = await compared(asked, legacy, candidates)
    assert sum(outcomes.values()) == len(asked) > 150


async def test_one_invoice_as_the_line_printer_had_it(url: str, legacy: str, candidates: Candidates) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(
            "UPDATE customer SET nm = repeat('Ünïque €', 9), addr1 = repeat('x', 80) WHERE cust_no IN"
            " (SELECT cust_no FROM inv_hdr JOIN ord_hdr USING (ord_no, cust_no) WHERE prt_cd = 'ACME' LIMIT 3)"
        )
    known = rows(
        url,
        "SELECT inv_no::text, rtrim(prt_cd) FROM inv_hdr JOIN ord_hdr USING (ord_no) WHERE prt_cd IS NOT NULL"
        " ORDER BY (inv_hdr.stat = 'P'), inv_no LIMIT 120",
    )
    rng = random.Random(1)

    def of(partner: str | None, number: str, head: dict[str, str] | None = None) -> Asked:
        given = password(partner) if partner is not None and head is None else head
        return Asked("invoice.text", f"/partner/invoice/{number}.txt", partner, given)

    asked = [of(partner, number) for number, partner in known]
    asked += [of(rng.choice(PARTNERS), number) for number, _ in known[:20]]
    cut = password("ACME")["Authorization"][:-6]
    asked += [of(None, known[0][0], {"Authorization": value}) for value in ("", "Bearer x", "Basic %%", cut)]
    asked += [of("ACME", n) for n in ("0", "007", "99999999", "2147483648", "9" * 40, "9" * 4000)]
    asked += [of("ACME", quote(n)) for n in ("abc", "-1", "+1", "1.5", "٣", " 1", "1 ", "0x10", "1_0")]
    asked += [Asked("invoice.text", f"/partner/invoice/{known[0][0]}.txt", "ACME", password("ACME"), method="HEAD")]
    outcomes = await compared(asked, legacy, candidates)
    assert sum(count for outcome, count in outcomes.items() if outcome.startswith("200")) > 100
    assert sum(count for outcome, count in outcomes.items() if outcome.startswith("404")) > 10
