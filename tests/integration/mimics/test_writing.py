"""The writing mimics answer what legacy answers and write what it writes: each side on a copy of one database."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from urllib.parse import quote_from_bytes, urlencode

import httpx2
import psycopg
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import given, settings
from hypothesis import strategies as st

from api_gateway.api.contract import load_contract
from api_gateway.evidence.mimic import call_mimic, mimic_app
from api_gateway.evidence.observation import Observation
from api_gateway.postgres import Server
from api_gateway.project import Project
from shared_models.database import Database
from tests.support.api import prepare
from tests.support.asked import Asked, assert_same_answer, password, token
from tests.support.both_sides import images
from tests.support.legacy import running_legacy

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Sides:
    """The legacy app over its copy, the mimics over ours."""

    def __init__(
        self, project: Project, portal: BlockingPortal, database: Database, legacy: str, urls: list[str]
    ) -> None:
        self._portal, self._database, self.urls = portal, database, urls
        self._apps = {name: mimic_app(route) for name, route in project.routes.items()}
        self._client = httpx2.Client(base_url=legacy, timeout=30)

    def close(self) -> None:
        self._client.close()

    def ask(self, asked: Asked) -> str:
        """Fails where the answers differ; the class of the outcome."""
        headers = [(name.decode(), value.decode("latin-1")) for name, value in asked.headers]
        answer = self._client.request(asked.method, asked.target, content=asked.body, headers=headers)
        said = [(name.encode(), value.encode("latin-1")) for name, value in answer.headers.multi_items()]
        control = Observation.answer(answer.status_code, said, answer.content, 0.0)
        return assert_same_answer(asked, control, self._portal.call(self._observed, asked))

    async def _observed(self, asked: Asked) -> Observation:
        request = asked.request()
        state = {
            "read_database": self._database,
            "write_database": self._database,
            "principal": asked.principal,
            "request_id": "of a test",
        }
        whole = type(request)(request.method, request.path, request.query, request.headers, request.body, state)
        return await call_mimic(self._apps[asked.route], whole, deadline=20.0)

    def all(self, asked: Sequence[Asked]) -> Counter[str]:
        """Put every request to both sides; then both databases hold the same rows."""
        outcomes = Counter(self.ask(each) for each in asked)
        self.assert_same()
        return outcomes

    def assert_same(self) -> None:
        ours, theirs = (images(url) for url in self.urls)
        assert (sorted((ours - theirs).elements(), key=str), sorted((theirs - ours).elements(), key=str)) == ([], [])

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.urls[0]) as connection:
            return connection.execute(query.encode()).fetchall()


@pytest.fixture(scope="module")
def sides(server: Server, clone: Callable[[str], str], northgate_template: str, project: Project) -> Iterator[Sides]:
    first = clone(northgate_template)
    prepare(first, project, load_contract(project))
    with psycopg.connect(first) as connection:
        connection.execute("UPDATE customer SET cr_lim = 0 WHERE cust_cd IN ('ACME', 'BOLT')")
        connection.execute("UPDATE customer SET cr_lim = bal + 500 WHERE src_cd = 'ACME' AND cust_no % 3 = 0")
    second = clone(first.rsplit("/", 1)[1])
    as_api = server.url(first.rsplit("/", 1)[1], user="banyan_api")
    database = Database(as_api, size=2, application_name="t", statement_timeout=20, lock_timeout=2)
    with running_legacy(second) as legacy, start_blocking_portal() as portal:
        both = Sides(project, portal, database, legacy, [first, second])
        yield both
        both.close()
        portal.call(database.close)


def order(fields: dict[str, str] | bytes, partner: str | None = "ACME", **headers: str) -> Asked:
    return posted("orders.intake", "/partner/order_in", fields, partner, headers or FORM)


def posted(
    route: str, target: str, fields: dict[str, str] | bytes, partner: str | None, headers: dict[str, str]
) -> Asked:
    """A form with the partner's token in it, or a body as it is."""
    if isinstance(fields, dict):
        fields = urlencode({"token": token(partner or "nobody"), **fields}).encode()
    return Asked(route, target, partner, headers, method="POST", body=fields)


def raw(**fields: bytes) -> bytes:
    return b"&".join(f"{name}=".encode() + value for name, value in {"token": token("ACME").encode(), **fields}.items())


def test_orders_of_every_kind(sides: Sides) -> None:
    customers = sides.rows("SELECT rtrim(cust_cd) FROM customer ORDER BY (act_fl, del_fl), cust_no % 7, 1")
    gone = [item for (item,) in sides.rows("SELECT item_no FROM item WHERE act_fl = 'N' OR dscnt_dt < now() LIMIT 3")]
    good = {"cust": "ACME", "item1": "NS-10023", "qty1": "12"}
    asked = [order(good), order(good | {"ref": "W-1"}), order(good | {"ref": "W-1"}), order(good | {"ref": " W-1 "})]
    asked += [order({"cust": code, "item1": "NS-10023"}) for (code,) in [*customers[:15], *customers[-15:]]]
    asked += [order(good | {"cust": code}) for code in ("", "acme", "NOBODY", "a" * 30, "C€", "\0")]
    asked += [
        order(good | {"req_dt": day}) for day in ("2031-03-01", "3/1/2031", "2031-02-30", "soon", "", "9999-12-31")
    ]
    asked += [order(good | {"qty1": n}) for n in ("", "0", "-1", "99999", "100000", "12abc", "abc", "1.9", "9" * 30)]
    asked += [order(good | {"item1": item}) for item in (*gone, "NOPE", "ns-10023", " NS-10023", "é" * 30, "")]
    asked += [order(good | {"rush": value}) for value in ("Y", "yes", "on", "N", "0")]
    asked += [order(good | {"item3": "NS-10127"}), order(good | {"item2": "", "item3": "NS-10127", "qty3": "3"})]
    asked += [order(good | {f"item{n}": "NS-10127" for n in range(2, 100 + more)}) for more in (0, 1)]
    asked += [order(good | {"notes": "Ring twice, über 'den' Hof\r\n" * 90, "ref": "x" * 60}), order({"cust": "ACME"})]
    asked += [order(good, None), order(good, "GRANT"), order(b"", None), order(b"&&=&token", None)]
    asked += [
        order(raw(cust=b"ACME", item1=b"NS-10023", notes="für Löwen".encode("latin-1"))),
        order(raw(cust=b"ACME", item1=b"NS-10023", notes=b"f%FCr+L%F6wen%00%2B"), **{"Content-Type": "text/plain"}),
        order(raw(cust=b"ACME", item1=b"NS-10023", notes="für".encode()), **{"X-None": "1"}),
        order(raw(cust=b"ACME", item1=b"NS-10023")[:-4]),
        order(raw(cust=b"ACME", item1=b"NS-10023") + b"&cust=BOLT&item1=NS-10127&%zz=%"),
    ]
    outcomes = sides.all(asked)
    assert sum(outcomes.values()) == len(asked) > 80
    assert sides.rows("SELECT count(*) FROM banyan.journal WHERE operation = 'orders.intake'")[0][0] > 60


def test_cancellations_of_every_kind(sides: Sides) -> None:
    states = sides.rows("SELECT DISTINCT ON (stat, prt_cd) ord_no, rtrim(prt_cd) FROM ord_hdr WHERE prt_cd IS NOT NULL")
    takeable = "SELECT ord_no FROM ord_hdr WHERE stat IN (10, 20) AND prt_cd = 'ACME' ORDER BY 1"
    sample = [number for (number,) in sides.rows(takeable)]

    def of(number: object, partner: str | None = "ACME") -> Asked:
        return posted("orders.cancel", "/partner/order_cancel", {"no": str(number)}, partner, FORM)

    asked = [of(number, partner) for number, partner in states]
    asked += [of(number, partner) for number, partner in states]
    asked += [of(number, "BOLT") for number in sample[:3]] + [of(number) for number in [*sample[:5], *sample[:5]]]
    asked += [of(f"{sample[5]}abc"), of(f" {sample[6]} "), of(""), of("abc"), of("-1"), of("9" * 30), of("1", None)]
    asked += [posted("orders.cancel", "/partner/order_cancel", body, None, FORM) for body in (b"", b"no=1")]
    asked += [posted("orders.cancel", "/partner/order_cancel", body, "ACME", FORM) for body in (raw(no=b"\xff"), raw())]
    sides.all(asked)


def test_new_customers_of_every_kind(sides: Sides) -> None:
    def of(fields: dict[str, str] | bytes, partner: str | None = "ACME", head: dict[str, str] | None = None) -> Asked:
        given = password(partner) if partner is not None and head is None else head or {}
        body = urlencode(fields).encode() if isinstance(fields, dict) else fields
        return Asked("customers.create", "/partner/customer_new", partner, {**FORM, **given}, method="POST", body=body)

    whole = {"name": "Mill & Söhne", "addr1": "1 Road", "addr2": "Rear", "city": "Erie", "zip": "16501"}
    whole |= {"country": "de", "email": "Desk@Mill.example", "phone": "5" * 40, "password": "secret"}
    asked = [of(whole), of(whole), of(whole | {"email": "DESK@mill.example"}), of(whole, "BOLT"), of({}), of(b"")]
    asked += [of({"name": "Only"}), of({"name": " "}), of({"name": "x" * 200, "city": "y" * 200, "zip": "z" * 200})]
    asked += [of({"name": "N", "email": value}) for value in ("nowhere", "@", f"{'e' * 130}@x", "a@b\0c")]
    asked += [of({"name": "L", "email": f"{'l' * 70}@x.example", "password": "p"}), of({"name": "P", "password": "p"})]
    asked += [of({"name": "C", "country": value}) for value in ("", "u", "usa", "ß", "é€")]
    asked += [of(b"name=" + "Löwe".encode("latin-1")), of(b"name=%FC&name=last+one"), of(b"name=a%00b")]
    asked += [of(whole, None, {}), of(whole, "GRANT"), of(whole, None, {"Authorization": "Basic ?"})]
    sides.all(asked)


def price_file(body: str | bytes, partner: str | None = "ACME", **headers: str) -> Asked:
    raw_body = body.encode() if isinstance(body, str) else body
    target = f"/partner/price_upload?token={token(partner or 'nobody')}"
    return Asked("prices.upload", target, partner, headers, method="POST", body=raw_body)


def multipart(content: bytes, name: str = "file", filename: str = "prices.csv", boundary: str = "cut") -> Asked:
    named = f'; filename="{filename}"' if filename != "none" else ""
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{named}\r\nContent-Type: text/csv\r\n\r\n'
    body = head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
    return price_file(body, **{"Content-Type": f"multipart/form-data; boundary={boundary}"})


ROWS = [
    "item_no;min_qty;price", "NS-10023;1;12,50", "NS-10023;10;11.5;2026-01-01;12/31/2026", "ns-10127;;3", "NOPE;1;1",
    "NS-10023;0;1", "NS-10023;abc;1", "NS-10023;12abc;1", "NS-10023;1;free", "NS-10023;1;-1", "NS-10023;1;0,001",
    "NS-10023;1;1e-3", "NS-10023;1;NaN", "NS-10023;1;99999999,99", "NS-10023;1;100000000", "NS-10023;1;1;soon",
    "NS-10023;1;1;;2026-02-30", "NS-10023;1", "", ";;;", "NS-10023;1;7;;;;;", "NS-10023;1;x;soon", "Ünï;1;1",
    '"NS-10023";1;1', "NS-10023;99999999999;2", "NS-10127;5;1_0",
]  # fmt: skip


def test_price_files_of_every_kind(sides: Sides) -> None:
    good = "NS-10023;1;12,50\nNS-10023;1;12,75\nNS-10127;5;1\n"
    asked = [price_file(good), price_file(good), price_file("\r\n".join(ROWS)), price_file(""), price_file("\n\n")]
    asked += [price_file("\n".join(ROWS), "BOLT"), price_file(good, None), price_file(good, "GRANT")]
    asked += [price_file("Größe;1;1\n".encode("latin-1") + good.encode()), price_file(b"\xff\xfe\x00" + good.encode())]
    asked += [price_file(good[:20]), price_file("\x0bNS-10023;1;2\x1cNS-10127;1;3\u2028NS-10023;7;4")]
    asked += [price_file(good, **{"Content-Type": kind}) for kind in ("text/csv", "application/json", *FORM.values())]
    asked += [multipart(good.encode()), multipart(b""), multipart(good.encode(), "other"), multipart(b"x", filename="")]
    asked += [multipart(good.encode(), filename="none"), multipart("ü;1;1".encode("latin-1"))]
    asked += [price_file(good, **{"Content-Type": "multipart/mixed; boundary=cut"})]
    asked += [price_file(good, **{"Content-Type": "multipart/form-data"})]
    outcomes = sides.all(asked)
    assert sum(outcomes.values()) == len(asked)


def test_a_large_price_file_with_bad_rows_in_the_middle(sides: Sides) -> None:
    rng = random.Random(1)
    items = [item for (item,) in sides.rows("SELECT item_no FROM item ORDER BY 1")]
    rows = [f"{rng.choice(items)};{rng.randint(1, 9)};{rng.randint(1, 9999) / 100:.2f}" for _ in range(300)]
    rows[150:152] = ["NOPE;1;1", "half a ro"]
    sides.all([price_file("\n".join(rows), "CRANE")])


TEXT = st.text(alphabet=st.characters(codec="utf-8"), max_size=12)
NAMES = st.sampled_from(["cust", "ref", "req_dt", "rush", "notes", "item1", "qty1", "item2", "qty2", "item3", ""])
VALUES = st.one_of(
    st.sampled_from(["ACME", "NS-10023", "ns-10127", "NOPE", "1", "12abc", "-3", "2031-01-02", "1/2/2031", "Y", ""]),
    TEXT,
    st.binary(max_size=8),
)


@settings(max_examples=40, deadline=None, database=None)
@given(st.lists(st.tuples(NAMES, VALUES), max_size=9))
def test_order_forms_that_nobody_thought_of(sides: Sides, fields: list[tuple[str, str | bytes]]) -> None:
    pairs = [("token", token("ACME")), ("cust", "ACME"), ("item1", "NS-10023"), *fields]
    body = "&".join(f"{name}={_quoted(value)}" for name, value in pairs)
    sides.ask(order(body.encode()))


@settings(max_examples=40, deadline=None, database=None)
@given(
    st.lists(st.one_of(st.sampled_from(ROWS), st.text(alphabet=";NS-1002347.,/ é\n\r", max_size=30), TEXT), max_size=6)
)
def test_price_rows_that_nobody_thought_of(sides: Sides, rows: list[str]) -> None:
    sides.ask(price_file("\n".join(rows)))


def test_after_all_of_it_both_databases_hold_the_same_rows(sides: Sides) -> None:
    sides.assert_same()


def _quoted(value: str | bytes) -> str:
    return quote_from_bytes(value.encode() if isinstance(value, str) else value, safe="")
