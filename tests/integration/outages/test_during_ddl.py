"""Requests at every moment of a table being renamed, altered, dropped, made again: answered right, or with the 503.

Reads and writes alike; what was answered as written is there whole, and what was not has left nothing behind.
"""

from __future__ import annotations

import asyncio
import json
import queue
import threading

import psycopg
import pytest

from tests.support.asgi import Answer
from tests.support.outages import ALL_WELL, eventually, is_out, resources
from tests.support.shop import Counter, Shop, is_declined

pytestmark = pytest.mark.timeout(240)  # every statement waits for so many answers, on whatever machine


class Changes:
    """Breaks the schema and repairs it, statement by statement, each in a transaction of its own.

    Broken it stays for so many answers; repaired, until each `kind` of request was answered right again.
    Who asks meanwhile lets others run: what is out of service is refused without waiting for anything.
    """

    def __init__(self, shop: Shop, statements: list[tuple[str, str]], *kinds: str, answers: int = 0) -> None:
        self._shop, self._statements, self._kinds, self._answers = shop, statements, kinds, answers
        self._turns: queue.SimpleQueue[tuple[str, bool]] = queue.SimpleQueue()
        self.stop = threading.Event()

    def __call__(self) -> None:
        try:
            for breaking, repairing in self._statements:
                self._shop.execute(breaking)
                for _ in range(self._answers):
                    self._turns.get(timeout=30)
                self._shop.execute(repairing)
                wanted = set(self._kinds)
                while wanted:
                    kind, is_right = self._turns.get(timeout=30)
                    wanted -= {kind} if is_right else set()
        finally:
            self.stop.set()

    def answered(self, kind: str, is_right: bool) -> None:
        self._turns.put((kind, is_right))


async def test_a_client_that_hammers_during_ddl_is_answered_right_or_with_the_503(counter: Counter, shop: Shop) -> None:
    """Every answer, at every moment of a table being renamed, altered, dropped and made again."""
    wrong: list[Answer] = []
    good: set[bytes] = set()

    change = Changes(
        shop,
        2
        * [
            ("ALTER TABLE customer RENAME COLUMN nm TO name", "ALTER TABLE customer RENAME COLUMN name TO nm"),
            ("ALTER TABLE customer ALTER nm TYPE text", "ALTER TABLE customer ALTER nm TYPE varchar(40)"),
            (
                "CREATE TABLE copied AS SELECT * FROM customer; DROP TABLE customer",
                """ALTER TABLE copied RENAME TO customer; ALTER TABLE customer ALTER nm SET NOT NULL;
                GRANT SELECT, INSERT, UPDATE (nm), DELETE ON customer TO banyan_api""",
            ),
        ],
    )

    async def hammer(path: str) -> None:
        while not change.stop.is_set():
            await asyncio.sleep(0)
            answer = await counter.api(path)
            if answer.status == 200:
                good.add(answer.body)
            elif not is_out(answer):
                wrong.append(answer)

    async def hammer_route() -> None:
        while not change.stop.is_set():
            await asyncio.sleep(0)
            answer = await counter.route("names")
            if answer.status != 200 and not is_declined(answer):
                wrong.append(answer)

    done = asyncio.create_task(asyncio.to_thread(change))
    await asyncio.gather(hammer("customers"), hammer("customers/3"), hammer_route(), done)
    assert wrong == []
    assert len(good) == 2  # the list and the one document, always the same

    async def all_well() -> bool:
        return await resources(counter) == ALL_WELL

    shop.execute("ALTER TABLE customer ADD PRIMARY KEY (cust_no)")
    await eventually(all_well)


WRITES_DDL = [
    ("ALTER TABLE ord_hdr RENAME COLUMN stat TO status", "ALTER TABLE ord_hdr RENAME COLUMN status TO stat"),
    ("ALTER TABLE ord_line RENAME TO line", "ALTER TABLE line RENAME TO ord_line"),
    (
        "ALTER TABLE customer ADD region text NOT NULL DEFAULT 'x'; ALTER TABLE customer ALTER region DROP DEFAULT",
        "ALTER TABLE customer DROP region",
    ),
    (
        "ALTER TABLE ord_line ADD unit text NOT NULL DEFAULT 'x'; ALTER TABLE ord_line ALTER unit DROP DEFAULT",
        "ALTER TABLE ord_line DROP unit",
    ),
    ("ALTER TABLE ord_hdr ALTER stat TYPE int", "ALTER TABLE ord_hdr ALTER stat TYPE smallint"),
    (
        "REVOKE INSERT (ord_no, line_no, item_no, qty) ON ord_line FROM banyan_api",
        "GRANT INSERT (ord_no, line_no, item_no, qty) ON ord_line TO banyan_api",
    ),
]


async def test_writes_during_ddl_are_whole_or_refused_and_nothing_is_half_written(counter: Counter, shop: Shop) -> None:
    change = Changes(shop, WRITES_DDL, "api", "operation", "gone", answers=20)
    wrong: list[tuple[str, Answer]] = []
    refused: set[str] = set()
    placed: dict[str, set[int]] = {"api": set(), "operation": set(), "customers": set(), "gone": set()}

    def judge(what: str, number: int, answer: Answer, right: int) -> bool:
        change.answered(what, answer.status == right)
        if answer.status == right:
            placed[what].add(number)
        elif is_out(answer):
            refused.add(what)
        else:
            wrong.append((what, answer))
        return answer.status == right

    async def place() -> None:
        number = 100
        while not change.stop.is_set():
            await asyncio.sleep(0)
            number += 1
            lines = [{"number": n, "item_number": 1, "quantity": n} for n in (1, 2)]
            order = {"number": number, "customer_number": 1, "status": 10, "lines": lines}
            judge("api", number, await counter.api("orders", "POST", order), 201)

    async def operate() -> None:
        number = 100_000
        while not change.stop.is_set():
            await asyncio.sleep(0)
            number += 1
            judge("operation", number, await counter.api(f"placings?number={number}", "POST"), 201)

    async def live_and_die() -> None:
        number = 1000
        while not change.stop.is_set():
            await asyncio.sleep(0)
            number += 1
            new = {"number": number, "name": "first"}
            if not judge("customers", number, await counter.api("customers", "POST", new), 201):
                continue
            changed = await counter.api(f"customers/{number}", "PATCH", {"name": "second"})
            if changed.status == 200:
                assert json.loads(changed.body)["name"] == "second"
            elif not is_out(changed):
                wrong.append(("update", changed))
            judge("gone", number, await counter.api(f"customers/{number}", "DELETE"), 204)

    done = asyncio.create_task(asyncio.to_thread(change))
    await asyncio.gather(place(), operate(), live_and_die(), done)
    assert [(what, answer.status, answer.body) for what, answer in wrong] == []
    with psycopg.connect(shop.url) as connection:
        orders = dict(
            connection.execute(
                "SELECT h.ord_no, count(l.line_no) FROM ord_hdr h LEFT JOIN ord_line l USING (ord_no)"
                " WHERE h.ord_no > 100 GROUP BY 1"
            ).fetchall()
        )
        customers = {row[0] for row in connection.execute("SELECT cust_no FROM customer WHERE cust_no > 1000")}
        written = connection.execute(
            """SELECT "key" ->> 'ord_no' FROM banyan.journal WHERE "table" = 'ord_hdr' AND verb = 'insert'"""
        )
        journal = {int(row[0]) for row in written}
    assert set(orders) == placed["api"] | placed["operation"]
    assert set(orders.values()) <= {2}
    assert journal == set(orders)
    assert customers == placed["customers"] - placed["gone"]
    assert all(placed.values())
    assert {"api", "operation", "customers"} <= refused

    async def all_well() -> bool:
        return (
            await resources(counter) == ALL_WELL and (await counter.api("placings?number=7777", "POST")).status == 201
        )

    await eventually(all_well)


async def test_a_lock_that_somebody_holds_is_told_as_such_and_nothing_queues_behind(
    counter: Counter, shop: Shop
) -> None:
    """A table that is being altered for longer is no fault of the request, nor of the schema: try again soon."""
    with psycopg.connect(shop.url) as other:
        other.execute("LOCK TABLE customer IN ACCESS EXCLUSIVE MODE")
        new = {"number": 50, "name": "x"}
        asked = [
            counter.api("customers/1"),
            counter.api("orders/1?include=customer"),
            counter.api("customers", "POST", new),
            counter.api("customers/1", "PATCH", {"name": "x"}),
            counter.rename("x"),
        ]
        answers = [*await asyncio.gather(*asked), await counter.route("names")]
        told = [(answer.status, json.loads(answer.body)["code"], answer.header("retry-after")) for answer in answers]
        assert told == [(503, "locked", "1")] * len(answers)
        assert (await counter.api("items")).status == 200
    assert await resources(counter) == ALL_WELL
    assert (await counter.api("customers/50")).status == 404
