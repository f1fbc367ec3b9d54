"""The two mimics about orders answer what the legacy endpoints answer: hundreds of requests, kind and rude."""

from __future__ import annotations

import random
from collections.abc import Sequence
from urllib.parse import quote

import psycopg
import pytest

from api_gateway.evidence.candidate import Candidates
from shared_models.state import READ
from tests.support.asked import PARTNERS, Asked, compared, token

NUMBERS = [
    *("0", "-1", "+7", "%2B7", "12abc", "abc", "%203", "3%20", "99999", "1.5", "%D9%A3", "", "%00", "%0B5"),
    *("2147483647", "2147483648", "-2147483649", "9" * 40),
]


def orders_of(url: str) -> Sequence[tuple[int, str | None, str | None]]:
    """Number, partner, reference: a sample with every oddity of the seed in it."""
    query = """
        SELECT ord_no, rtrim(prt_cd), ext_ref FROM ord_hdr o WHERE prt_cd IN ('ACME', 'BOLT', 'CRANE', 'DELTA')
        AND (ord_no % 17 = 0 OR stat = 55 OR notes ~ '[^ -~]'
             OR NOT EXISTS (SELECT FROM customer c WHERE c.cust_no = o.cust_no)
             OR NOT EXISTS (SELECT FROM ord_dtl d WHERE d.ord_no = o.ord_no)
             OR 1 = (SELECT count(*) FROM ord_dtl d WHERE d.ord_no = o.ord_no) AND ord_no % 5 = 0)
        ORDER BY ord_no LIMIT 400
    """
    with psycopg.connect(url) as connection:
        return connection.execute(query).fetchall()


def lists(rng: random.Random) -> list[Asked]:
    def of(partner: str | None, query: str = "", secret: str | None = None) -> Asked:
        given = token(partner) if partner is not None and secret is None else secret
        return Asked("orders.list", f"/partner/orders.xml?token={given}{query}", partner)

    asked = [of(None, secret=wrong) for wrong in ("", "wrong", token("ACME")[:-1], "%00", token("ACME").upper())]
    asked.append(Asked("orders.list", "/partner/orders.xml", None))
    for partner in PARTNERS:
        asked += [of(partner), of(partner, "&page=2"), of(partner, "&page=1000"), of(partner, "&unknown=1")]
        asked += [of(partner, f"&page={value}") for value in NUMBERS]
        asked += [of(partner, f"&status={value}") for value in ["10", "20", "30", "40", "90", "55", "40000", *NUMBERS]]
    days = [
        "2026-10-01",
        "10/15/2026",
        "1/2/2026",
        "2026-02-30",
        "0000-01-01",
        "9999-12-31",
        "0001-01-01",
        "soon",
        "%20",
    ]
    for day in days:
        asked += [of(partner, f"&since={day}") for partner in ("ACME", "DELTA")]
    for _ in range(60):
        page, status = rng.randint(1, 6), rng.choice([10, 20, 30, 40, 90])
        day = f"{rng.choice([2024, 2025, 2026])}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
        asked.append(of(rng.choice(PARTNERS), f"&since={day}&status={status}&page={page}"))
    asked += [
        of("ACME", "&page=1&page=2"),
        of("ACME", "&status=10&status=90"),
        of("ACME", "&page=%31"),
        of("ACME", "&p%61ge=2"),
    ]
    return asked


def statuses(rng: random.Random, url: str) -> list[Asked]:
    def of(partner: str | None, query: str, secret: str | None = None) -> Asked:
        given = token(partner) if partner is not None and secret is None else secret
        headers = {"X-Partner-Token": given} if given is not None else {}
        return Asked("orders.status", f"/partner/order_status{query}", partner, headers)

    asked = [of(None, "?no=1"), of(None, "?no=1", "wrong"), of("ACME", ""), of("ACME", "?no="), of("ACME", "?ref=")]
    for number, partner, reference in orders_of(url):
        asked.append(of(partner, f"?no={number}"))
        if rng.random() < 0.2:
            asked.append(of(rng.choice(PARTNERS), f"?no={number}"))
        if reference is not None and rng.random() < 0.3:
            asked.append(of(partner, f"?ref={quote(reference)}"))
            asked.append(of(partner, f"?no={number}&ref={quote(reference)}"))
            asked.append(of(partner, f"?no=1&ref={quote(reference)}"))
    asked += [of("ACME", f"?no={value}") for value in NUMBERS]
    references = ["%C3%A9", "%E9", "%27;%20--", "a" * 300, "%00", "%ED%A0%80", "a+b"]
    asked += [of("BOLT", f"?ref={value}") for value in references]
    return asked


async def test_the_order_list_answers_as_legacy_does(legacy: str, candidates: Candidates) -> None:
    outcomes = await compared(lists(random.Random(1)), legacy, candidates)
    assert outcomes["200 text/xml <orders>"] > 150
    assert outcomes["200 text/xml <error>"] > 20


async def test_the_order_status_answers_as_legacy_does(url: str, legacy: str, candidates: Candidates) -> None:
    outcomes = await compared(statuses(random.Random(1), url), legacy, candidates)
    assert outcomes["200 application/json {status,order_no,ref}"] > 100
    assert outcomes["200 application/json {status,msg}"] > 30


@pytest.mark.parametrize("route", ["orders.list", "orders.status"])
async def test_head_is_answered_as_legacy_does(route: str, legacy: str, candidates: Candidates) -> None:
    paths = {"orders.list": "/partner/orders.xml", "orders.status": "/partner/order_status"}
    target, head = f"{paths[route]}?token={token('ACME')}&no=1", {"X-Partner-Token": token("ACME")}
    await compared([Asked(route, target, "ACME", head, method="HEAD")], legacy, candidates)


async def test_a_mimic_reads_no_column_that_it_does_not_declare(url: str, candidates: Candidates) -> None:
    """The grants are exactly what `@touches` says, so the requests above would have failed otherwise."""
    with (
        psycopg.connect(url.replace("postgres@", f"{READ}@")) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute("SELECT api_tok FROM partner")
