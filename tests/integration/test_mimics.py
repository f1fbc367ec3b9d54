"""The example's two mimics answer what the legacy endpoints answer: hundreds of requests, kind and rude."""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

from api_gateway.consumers import Principal
from api_gateway.evidence.candidate import Candidates
from api_gateway.evidence.compare import Verdict, compare
from api_gateway.evidence.control import ask_legacy
from api_gateway.evidence.mimic import MimicRequest
from api_gateway.evidence.rules import Rules
from api_gateway.evidence.shapes import outcome_class
from api_gateway.project import Project, load_project
from shared_models.database import Database
from shared_models.grants import Grant, grant_sql, touches_of, usage_sql
from shared_models.migrations import BANYAN, upgrade
from shared_models.state import READ
from tests.support.legacy import running_legacy

ROOT = Path(__file__).parent.parent.parent
PARTNERS = ("ACME", "BOLT", "CRANE", "DELTA", "EAGLE", "GRANT")  # GRANT is switched off
NUMBERS = [
    *("0", "-1", "+7", "%2B7", "12abc", "abc", "%203", "3%20", "99999", "1.5", "%D9%A3", "", "%00", "%0B5"),
    *("2147483647", "2147483648", "-2147483649", "9" * 40),
]


def token(partner: str) -> str:
    return hashlib.sha256(f"northgate-demo-token-{partner}".encode()).hexdigest()[:32]


class Asked:
    """One request as a partner sends it, and as whom the gateway knows the sender."""

    def __init__(self, route: str, target: str, partner: str | None, headers: dict[str, str] | None = None) -> None:
        self.route, self.target, self.method = route, target, "GET"
        self.headers = tuple(
            (name.lower().encode(), value.encode("latin-1")) for name, value in (headers or {}).items()
        )
        values = {"prt_cd": partner or ""}
        self.principal = Principal("consumer", partner.lower(), values=values) if partner is not None else None

    def __repr__(self) -> str:
        return f"{self.method} {self.target}"


@pytest.fixture(scope="module")
def url(northgate_shared_url: str) -> str:
    upgrade(northgate_shared_url, BANYAN)
    return northgate_shared_url


@pytest.fixture(scope="module")
def legacy(url: str) -> Iterator[str]:
    with running_legacy(url) as address:
        yield address


@pytest.fixture(scope="module")
def project() -> Project:
    return load_project(ROOT / "northgate_api")


@pytest.fixture
async def candidates(url: str, project: Project) -> AsyncIterator[Candidates]:
    """As the observer runs them: as banyan_read, with exactly the columns that the mimics declare."""
    grant_what_mimics_touch(url, project)
    database = Database(
        url.replace("postgres@", f"{READ}@"), size=2, application_name="t", statement_timeout=5, lock_timeout=1
    )
    await database.open()
    yield Candidates(project, database)
    await database.close()


def grant_what_mimics_touch(url: str, project: Project) -> None:
    touched = touches_of(route.mimic for route in project.routes.values() if route.mimic is not None)
    wanted = [
        Grant(READ, "public", table, column, "SELECT")
        for touch in touched
        for table, columns in touch.select.items()
        for column in columns
    ]
    with psycopg.connect(url) as connection:
        for statement in [*usage_sql((grant.table_schema, grant.grantee) for grant in wanted), *grant_sql(wanted)]:
            connection.execute(statement.encode())


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


async def compared(asked: Sequence[Asked], legacy: str, candidates: Candidates) -> Counter[str]:
    """Every request put to both sides. Fails with the first differences; returns how often each outcome was seen."""
    outcomes: Counter[str] = Counter()
    for each in asked:
        control = await ask_legacy(legacy, each.method, each.target, ((b"host", b"northgate"), *each.headers))
        path, _, query = each.target.partition("?")
        request = MimicRequest(each.method, path, query.encode(), each.headers)
        candidate = await candidates.observe(each.route, request, each.principal, 5.0)
        comparison = compare(control, candidate, Rules(), method=each.method)
        assert comparison.verdict is Verdict.match, (
            each,
            [d.as_json() for d in comparison.differences],
            comparison.why,
        )
        assert control.body == candidate.body, each
        outcomes[outcome_class(control)] += 1
    return outcomes


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
    asked = Asked(route, f"{paths[route]}?token={token('ACME')}&no=1", "ACME", {"X-Partner-Token": token("ACME")})
    control = await ask_legacy(legacy, "HEAD", asked.target, ((b"host", b"northgate"), *asked.headers))
    request = MimicRequest("HEAD", paths[route], asked.target.partition("?")[2].encode(), asked.headers)
    candidate = await candidates.observe(route, request, asked.principal, 5.0)
    assert compare(control, candidate, Rules(), method="HEAD").verdict is Verdict.match


async def test_a_mimic_reads_no_column_that_it_does_not_declare(url: str, candidates: Candidates) -> None:
    """The grants are exactly what `@touches` says, so the requests above would have failed otherwise."""
    with (
        psycopg.connect(url.replace("postgres@", f"{READ}@")) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute("SELECT api_tok FROM partner")
