"""Idempotency-Key: what is sent again is answered again and done once; and a request is one transaction."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from tests.support.api import Api

ORDER: dict[str, Any] = {"customer_code": "ACME", "lines": [{"item_number": "NS-10023", "quantity": 1}]}


def place(api: Api, key: str, order: dict[str, Any] = ORDER, consumer: str = "acme") -> Any:
    return api.ask("POST", "orders", consumer, json=order, headers={"idempotency-key": key})


def orders(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT count(*) FROM ord_hdr").fetchone()
    assert row is not None
    return int(row[0])


def test_the_second_answer_is_the_first_one_and_nothing_is_done_twice(writing: Api, writing_url: str) -> None:
    before = orders(writing_url)
    first, second = place(writing, "k1"), place(writing, "k1")
    assert first.status_code == second.status_code == 201
    assert second.content == first.content
    assert second.headers["location"] == first.headers["location"]
    assert second.headers["content-type"] == first.headers["content-type"]
    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true"
    assert orders(writing_url) == before + 1


def test_the_same_key_with_another_body_is_refused(writing: Api) -> None:
    place(writing, "k1")
    other = place(writing, "k1", {**ORDER, "rush": True})
    assert other.status_code == 422
    assert other.json()["code"] == "idempotency_key_reused"


def test_a_key_is_the_consumers_own(writing: Api, writing_url: str) -> None:
    before = orders(writing_url)
    mine = place(writing, "k1")
    theirs = place(writing, "k1", {**ORDER, "customer_code": "BOLT"}, "bolt")
    assert "idempotency-replayed" not in theirs.headers
    assert mine.content != theirs.content
    assert orders(writing_url) == before + 1 + (theirs.status_code == 201)


def test_a_refusal_is_not_kept(writing: Api) -> None:
    refused = place(writing, "k1", {**ORDER, "customer_code": "NOBODY"})
    assert refused.status_code == 409
    assert place(writing, "k1").status_code == 201


def test_twins_at_the_same_time_place_one_order(writing: Api, writing_url: str) -> None:
    before = orders(writing_url)
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: place(writing, "k1"), range(8)))
    assert orders(writing_url) == before + 1
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert sum("idempotency-replayed" not in answer.headers and answer.status_code == 201 for answer in answers) == 1


def test_while_a_twin_is_at_it_the_answer_is_409_with_retry_after(writing: Api, writing_url: str) -> None:
    with psycopg.connect(writing_url) as twin:
        twin.execute(
            "INSERT INTO banyan.idempotency (consumer, operation, key, request_hash, expires_at)"
            " VALUES ('consumer:acme', 'place_order', 'k1', '', now() + interval '1 hour')"
        )
        answer = place(writing, "k1")
        assert answer.status_code == 409
        assert answer.json()["code"] == "idempotency_key_in_use"
        assert answer.headers["retry-after"] == "1"
        twin.rollback()
    assert place(writing, "k1").status_code == 201


def test_an_expired_key_is_a_new_one(writing: Api, writing_url: str) -> None:
    first = place(writing, "k1")
    with psycopg.connect(writing_url) as connection:
        connection.execute("UPDATE banyan.idempotency SET expires_at = now() - interval '1 second'")
    second = place(writing, "k1")
    assert second.status_code == 201
    assert second.json()["number"] != first.json()["number"]


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 256, "ä"])
def test_a_key_that_cannot_be_one_is_400(writing: Api, key: str) -> None:
    answer = place(writing, key.encode("latin-1"))
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["header"] == "Idempotency-Key"


def test_only_the_claim_and_its_answer_are_kept_together(writing: Api, writing_url: str) -> None:
    answer = place(writing, "k1")
    with psycopg.connect(writing_url) as connection:
        rows = connection.execute("SELECT consumer, operation, key, status, body FROM banyan.idempotency").fetchall()
    assert [(*row[:4], bytes(row[4])) for row in rows] == [("consumer:acme", "place_order", "k1", 201, answer.content)]
