"""What the typed API refuses, and that no refusal tells more than it should."""

from __future__ import annotations

import pytest

from tests.support.api import Api


def test_no_key_an_unknown_key_and_two_keys_are_401_with_a_challenge(reading: Api) -> None:
    for headers in (
        {},
        {"authorization": "Bearer nonsense"},
        {"authorization": "Basic YWNtZTphY21l"},
        {"authorization": "Bearer"},
        {"authorization": "Bearer acme", "x-api-key": "bolt"},
    ):
        answer = reading.ask("GET", "orders", None, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert answer.json()["code"] == "unauthenticated"


def test_a_bearer_key_and_the_same_key_twice_are_fine(reading: Api) -> None:
    headers = {"authorization": "Bearer acme", "x-api-key": "acme"}
    assert reading.ask("GET", "orders", None, headers=headers).status_code == 200


def test_a_missing_scope_is_403_and_named(reading: Api) -> None:
    answer = reading.get("invoices", "catalogue")
    assert answer.status_code == 403
    assert 'scope="invoices:read"' in answer.headers["www-authenticate"]


def test_every_fault_of_a_query_is_reported_at_once(reading: Api) -> None:
    answer = reading.get("orders?nope=1&limit=0&sort=secret&total[gt]=x&fields=a&include=b&cursor=c&status=gone")
    assert answer.status_code == 400
    faulty = {error["parameter"] for error in answer.json()["errors"]}
    assert faulty == {"nope", "limit", "sort", "total[gt]", "fields", "include", "status"}


HIDDEN = ["cust_no", "prt_cd", "upd_by", "del_fl", "bal", "ctid", "xmin", "tableoid"]


@pytest.mark.parametrize(
    "place", ["{}=1", "{}[gt]=1", "sort={}", "sort=-{}", "fields={}", "include={}", "sort=number,{}"]
)
def test_hidden_names_are_answered_like_names_that_do_not_exist(reading: Api, place: str) -> None:
    for hidden in HIDDEN:
        unknown = "q" * len(hidden)
        one, other = reading.get("orders?" + place.format(hidden)), reading.get("orders?" + place.format(unknown))
        assert one.status_code == 400
        assert one.text.replace(hidden, unknown) == other.text


@pytest.mark.parametrize(
    "path",
    [
        "orders/0x1", "orders/1,2", "orders/%00", "orders/9999999999999999999999", "orders/1e3", "orders/%FF",
        "orders/ 1", "orders/%2e%2e", "orders/1/lines", "orders/", "orders//1", "items/%F0%9F%92%A9",
        "items/" + "x" * 3000, "nothing",
    ],
)  # fmt: skip
def test_what_cannot_be_a_key_is_404(reading: Api, path: str) -> None:
    answer = reading.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "query",
    [
        "reference=%00", "reference=%FF", "reference=%ED%A0%80", "reference=%zz", "reference[like]=%5C",
        "limit=1&limit=2",
        "number=1'--", "number[in]=", "number[in]=" + ",".join(["1"] * 129), "limit=1e9", "limit=-1", "total=1e400",
        "total=--1", "placed_at=2024-13-01T00:00:00Z", "placed_at=2024-01-01", "required_on=2024-02-30", "rush=Y",
        "reference[null]=maybe", "number[like]=1%25", "include=customer.orders.customer.orders", "sort=",
        "fields=number,,",
        "cursor=%00", "a=1&" * 301, "status=10", "number[gt][lt]=1", "[gt]=1",
    ],
)  # fmt: skip
def test_a_malformed_query_is_400_and_nothing_of_postgresql_is_said(reading: Api, query: str) -> None:
    answer = reading.get(f"orders?{query}")
    assert answer.status_code == 400
    assert "ord_hdr" not in answer.text
    assert answer.json()["errors"]


def test_a_query_that_is_too_long_is_414(reading: Api) -> None:
    assert reading.get("orders?reference=" + "x" * 17000).status_code == 414


def test_sql_in_a_value_is_a_value(reading: Api) -> None:
    for text in ("' OR 1=1 --", "'; DROP TABLE ord_hdr; --", "\\", "$1", "%s", "%(x)s", '"', "1) OR (1=1"):
        assert reading.client.get(
            "/api/v1/orders", params={"reference": text}, headers={"x-api-key": "acme"}
        ).json() == {"data": [], "next_cursor": None}


class TestCursors:
    """A cursor opens only for the list it was written for."""

    @pytest.fixture
    def cursor(self, reading: Api) -> str:
        return reading.get("orders?limit=2&sort=-total").json()["next_cursor"]

    def test_it_says_nothing(self, cursor: str, reading: Api) -> None:
        row = reading.get("orders?limit=2&sort=-total").json()["data"][-1]
        assert row["total"] not in cursor

    @pytest.mark.parametrize(
        "path", ["orders?sort=total", "orders", "orders?sort=-total&status=open", "items", "invoices"]
    )
    def test_for_another_list_it_is_refused(self, cursor: str, reading: Api, path: str) -> None:
        joiner = "&" if "?" in path else "?"
        answer = reading.get(f"{path}{joiner}cursor={cursor}")
        assert answer.status_code == 404
        assert [error["code"] for error in answer.json()["errors"]] == ["not_a_cursor"]

    def test_for_another_consumer_it_is_refused(self, cursor: str, reading: Api) -> None:
        assert reading.get(f"orders?sort=-total&cursor={cursor}", "bolt").status_code == 404

    def test_changed_anywhere_it_is_refused(self, cursor: str, reading: Api) -> None:
        for n in range(len(cursor)):
            changed = cursor[:n] + ("A" if cursor[n] != "A" else "B") + cursor[n + 1 :]
            answer = reading.get(f"orders?sort=-total&cursor={changed}")
            assert answer.status_code == 404

    def test_with_another_limit_or_other_fields_it_is_the_same_list(self, cursor: str, reading: Api) -> None:
        assert reading.get(f"orders?sort=-total&limit=5&fields=total&cursor={cursor}").status_code == 200
