"""Reading the example through the typed API, checked against SQL asked directly."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest

from tests.support.answers import Judge
from tests.support.api import Api


def test_a_list_holds_only_the_partners_own_rows(reading: Api) -> None:
    acme = {order["number"] for order in reading.all("orders?limit=200&fields=number")}
    bolt = {order["number"] for order in reading.all("orders?limit=200&fields=number", "bolt")}
    assert acme
    assert bolt
    assert not acme & bolt


def test_a_consumer_without_a_partner_has_no_rows(reading: Api) -> None:
    assert reading.get("orders", "nobody").json() == {"data": [], "next_cursor": None}


def test_another_partners_order_answers_as_one_that_is_not_there(reading: Api) -> None:
    theirs = reading.get("orders?limit=1", "bolt").json()["data"][0]["number"]
    same = {"x-request-id": "one-and-the-same"}
    other = reading.get(f"orders/{theirs}", headers=same)
    missing = reading.get("orders/2000000000", headers=same)
    assert other.status_code == missing.status_code == 404
    assert other.content == missing.content
    assert other.headers == missing.headers


@pytest.mark.parametrize("sort", ["number", "-total", "required_on,-placed_at", "-required_on,status", "reference"])
def test_pages_hold_every_row_once_in_order_with_nulls_among_the_values(reading: Api, sort: str) -> None:
    whole = reading.all(f"orders?limit=200&sort={sort}")
    paged = reading.all(f"orders?limit=7&sort={sort}")
    assert paged == whole
    assert len({order["number"] for order in paged}) == len(paged) > 100


def test_the_default_order_is_the_contracts(reading: Api) -> None:
    placed = [order["placed_at"] for order in reading.get("orders?limit=100").json()["data"]]
    assert placed == sorted(placed, reverse=True)


def test_a_get_is_the_row_of_the_list(reading: Api) -> None:
    first = reading.get("orders?limit=1").json()["data"][0]
    assert reading.get(f"orders/{first['number']}").json() == first


def test_parents_and_children_come_along_in_one_answer(reading: Api) -> None:
    orders = reading.get("orders?limit=50&include=customer,lines.item").json()["data"]
    assert any(order["customer"] for order in orders)
    for order in orders:
        amounts = sum((Decimal(line["amount"]) for line in order["lines"]), Decimal(0))
        assert amounts == Decimal(order["total"]) or order["lines"]
        assert [line["line"] for line in order["lines"]] == sorted(line["line"] for line in order["lines"])
        if order["customer"] is not None:
            assert order["customer"]["number"] == order["customer_number"]


def test_an_included_customer_that_is_not_the_partners_is_null(reading: Api) -> None:
    own = {customer["number"] for customer in reading.all("customers?limit=200")}
    orders = reading.all("orders?limit=200&include=customer&fields=customer_number")
    strangers = [order for order in orders if order["customer_number"] not in own]
    assert strangers
    assert all(order["customer"] is None for order in strangers)


def test_include_without_the_other_resources_scope_is_refused_like_an_unknown_name(reading: Api) -> None:
    assert reading.get("items?include=nothing", "catalogue").status_code == 400
    assert reading.get("orders", "catalogue").status_code == 403


@pytest.mark.parametrize(
    ("query", "holds"),
    [
        ("status=open", lambda o: o["status"] == "open"),
        ("status[in]=open,shipped", lambda o: o["status"] in ("open", "shipped")),
        ("status[ne]=open", lambda o: o["status"] not in ("open", None)),
        ("status[null]=true", lambda o: o["status"] is None),
        ("rush=true", lambda o: o["rush"] is True),
        ("total[gte]=500&total[lt]=600", lambda o: 500 <= Decimal(o["total"]) < 600),
        ("required_on[null]=false", lambda o: o["required_on"] is not None),
        ("reference[like]=A-1009%25", lambda o: (o["reference"] or "").startswith("A-1009")),
        ("reference[ilike]=a-1009%25", lambda o: (o["reference"] or "").startswith("A-1009")),
        ("placed_at[gte]=2026-01-01T00:00:00-05:00", lambda o: o["placed_at"] >= "2026-01-01T05:00:00"),
        ("number[in]=1,2,3,996", lambda o: o["number"] in (1, 2, 3, 996)),
    ],
)
def test_a_filter_gives_exactly_the_rows_that_hold(reading: Api, query: str, holds) -> None:
    everything = reading.all("orders?limit=200&sort=number")
    assert reading.all(f"orders?limit=200&sort=number&{query}") == [o for o in everything if holds(o)]


def test_a_sentinel_is_null_and_no_filter_finds_it(reading: Api) -> None:
    items = reading.all("items?limit=200")
    gone = [item for item in items if item["discontinued_on"]]
    assert 0 < len(gone) < len(items)
    assert len(reading.all("items?limit=200&discontinued_on[gte]=1900-01-01")) == len(gone)
    assert reading.all("items?discontinued_on=9999-12-31") == []


def test_deleted_customers_are_not_there(reading: Api) -> None:
    assert reading.all("customers?limit=200")
    assert "del_fl" not in reading.get("customers?limit=1").text


def test_fields_leave_the_key_and_what_was_asked_for(reading: Api) -> None:
    assert list(reading.get("orders?limit=1&fields=status").json()["data"][0]) == ["number", "status"]


def test_an_etag_that_is_known_answers_304_without_a_body(reading: Api) -> None:
    first = reading.get("items/NS-10023")
    again = reading.get("items/NS-10023", headers={"if-none-match": f'"other", {first.headers["etag"]}'})
    assert again.status_code == 304
    assert again.content == b""
    assert reading.get("items/NS-10023", headers={"if-none-match": '"other"'}).status_code == 200


@pytest.fixture(scope="module")
def own(reading: Api) -> list[int]:
    """Numbers of orders with a customer and lines."""
    orders = reading.get("orders?limit=200&include=customer,lines").json()["data"]
    return [order["number"] for order in orders if order["customer"] and order["lines"]]


def test_the_tag_of_a_row_is_the_same_for_every_choice_of_fields(reading: Api, own: list[int]) -> None:
    order, queries = f"orders/{own[0]}", ("", "?fields=status", "?fields=number,total")
    tags = {reading.get(order + query).headers["etag"] for query in queries}
    assert len(tags) == 1
    assert tags != {reading.get(f"orders/{own[1]}").headers["etag"]}


def test_what_is_included_is_a_second_part_of_the_tag(reading: Api, own: list[int]) -> None:
    order = f"orders/{own[0]}"
    plain, included = reading.get(order), reading.get(f"{order}?include=lines")
    assert included.headers["etag"].strip('"').partition(".")[0] == plain.headers["etag"].strip('"')
    assert reading.get(f"{order}?include=lines&fields=status").headers["etag"] == included.headers["etag"]
    assert reading.get(f"{order}?include=customer").headers["etag"] != included.headers["etag"]
    assert plain.json() | {"lines": included.json()["lines"]} == included.json()


def test_head_is_get_without_the_body(reading: Api) -> None:
    same = {"x-request-id": "one-and-the-same"}
    got = reading.get("items/NS-10023", headers=same)
    head = reading.ask("HEAD", "items/NS-10023", headers=same)
    assert head.content == b""
    for answer in (got, head):
        assert re.fullmatch(r"db;dur=[0-9.]+, total;dur=[0-9.]+", answer.headers.pop("server-timing"))
    assert dict(head.headers) == dict(got.headers)


def test_options_and_405_name_what_is_allowed(reading: Api) -> None:
    assert reading.ask("OPTIONS", "orders", None).headers["allow"] == "GET, HEAD, POST, OPTIONS"
    refused = reading.ask("DELETE", "orders/1")
    assert refused.status_code == 405
    assert refused.headers["allow"] == "GET, HEAD, OPTIONS"
    assert refused.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("*/*", 200),
        ("application/*;q=0.5", 200),
        ("text/html, application/json;q=0", 406),
        ("text/html", 406),
        ("", 200),
    ],
)
def test_something_else_than_json_is_not_acceptable(reading: Api, accept: str, status: int) -> None:
    assert reading.get("items?limit=1", headers={"accept": accept}).status_code == status


def test_every_resource_has_an_example_in_the_document(reading: Api) -> None:
    document = reading.client.get("/api/openapi.json").json()
    resources = reading.contract.resources
    shown = {name for one in resources for name in (one.name, f"{one.name}Page", f"New{one.name}", f"{one.name}Patch")}
    assert (shown & document["components"]["schemas"].keys()) | {"Problem"} <= set(Judge(document).examples())
    assert document["components"]["schemas"]["Item"]["examples"][0]["price"] == "12.50"
