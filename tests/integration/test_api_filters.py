"""Filters, groups, parents and children of the example, against rows found by other means."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.api import Api

Row = dict[str, Any]


@pytest.fixture(scope="module")
def sql(clone: Callable[[str], str], api_template: str) -> Iterator[psycopg.Connection[Any]]:
    """The same rows, asked directly."""
    with psycopg.connect(clone(api_template), autocommit=True) as connection:
        yield connection


def ask(api: Api, consumer: str = "acme", /, path: str = "orders", **parameters: str) -> list[Row]:
    answer = api.client.get(
        f"/api/v1/{path}", params={"limit": "200", "sort": "number", **parameters}, headers={"x-api-key": consumer}
    )
    assert answer.status_code == 200, answer.text
    rows: list[Row] = answer.json()["data"]
    while "next" in answer.links:
        answer = api.client.get(answer.links["next"]["url"], headers={"x-api-key": consumer})
        rows += answer.json()["data"]
    return rows


ACME = "SELECT ord_no FROM ord_hdr o WHERE prt_cd = 'ACME' AND "
OWN_CUSTOMER = "EXISTS (SELECT FROM customer c WHERE c.cust_no = o.cust_no AND c.src_cd = 'ACME' AND c.del_fl <> 'Y'"


@pytest.mark.parametrize(
    ("parameters", "condition"),
    [
        ({"or": "(status[eq]=open,total[gt]=900)"}, "(stat = 10 OR tot_amt > 900)"),
        ({"or": "(status=open,and(total[gte]=100,total[lt]=200))"}, "(stat = 10 OR tot_amt >= 100 AND tot_amt < 200)"),
        ({"not": "(status=open)"}, "stat IN (20, 30, 40, 90)"),
        ({"not": "(or(status[in]=(open,shipped),rush=true))"}, "stat IN (20, 40, 90) AND rush_fl = 'N'"),
        ({"and": "(total[gt]=100,total[gt]=300)", "rush": "false"}, "tot_amt > 300 AND rush_fl = 'N'"),
        ({"or": '(ship_via[eq]="UPS",notes[null]=false)'}, None),
        ({"or": '(reference[like]="A-1009%",reference[ilike]="a-1010%")'}, "ext_ref SIMILAR TO 'A-(1009|1010)%'"),
        ({"customer.country": "US"}, f"{OWN_CUSTOMER} AND c.ctry = 'US')"),
        ({"customer.number[null]": "false"}, f"{OWN_CUSTOMER})"),
        ({"customer.number[null]": "true"}, f"NOT {OWN_CUSTOMER})"),
        ({"customer.name[ilike]": "%a%", "total[gt]": "50"}, f"{OWN_CUSTOMER} AND c.nm ILIKE '%a%') AND tot_amt > 50"),
        ({"not": "(customer.country=US)"}, f"{OWN_CUSTOMER} AND c.ctry <> 'US')"),
    ],
)  # fmt: skip
def test_a_filter_finds_the_rows_that_sql_finds(
    reading: Api, sql: psycopg.Connection[Any], parameters: dict[str, str], condition: str | None
) -> None:
    if condition is None:  # the contract lets nobody filter by notes
        assert reading.client.get("/api/v1/orders", params=parameters, headers={"x-api-key": "acme"}).status_code == 400
        return
    expected = [number for (number,) in sql.execute(ACME.encode() + condition.encode() + b" ORDER BY ord_no")]
    assert [order["number"] for order in ask(reading, **parameters)] == expected


def test_a_parents_field_says_nothing_about_parents_of_others(reading: Api, sql: psycopg.Connection[Any]) -> None:
    stranger = sql.execute(
        "SELECT o.cust_no, c.nm FROM ord_hdr o JOIN customer c USING (cust_no)"
        " WHERE o.prt_cd = 'ACME' AND c.src_cd IS DISTINCT FROM 'ACME' LIMIT 1"
    ).fetchone()
    assert stranger is not None
    assert ask(reading, customer_number=str(stranger[0]))
    for filter_ in ({"customer.name": stranger[1]}, {"not": "(customer.name=nobody)"}, {"customer.name[gt]": ""}):
        assert ask(reading, customer_number=str(stranger[0]), **filter_) == []


def test_an_order_of_an_invoice_leads_on_to_its_customer(reading: Api) -> None:
    invoices = ask(reading, path="invoices", include="order.customer")
    cities = {i["order"]["customer"]["city"] for i in invoices if i["order"] and i["order"]["customer"]}
    city = min(cities)
    expected = [i["number"] for i in invoices if (((i["order"] or {}).get("customer")) or {}).get("city") == city]
    assert [i["number"] for i in ask(reading, path="invoices", **{"order.customer.city": city})] == expected


@pytest.fixture(scope="module")
def whole(reading: Api) -> list[Row]:
    """Every order with all its lines."""
    return ask(reading, include="lines")


class TestChildren:
    """`lines.where`, `lines.sort`, `lines.limit`: of every order by itself, in the same statement."""

    def test_where_leaves_the_lines_that_hold_and_every_order(self, reading: Api, whole: list[Row]) -> None:
        some = ask(reading, **{"lines.where": "(or(quantity[gte]=10,price[lt]=5))"})
        for order, all_ in zip(some, whole, strict=True):
            held = [line for line in all_["lines"] if line["quantity"] >= 10 or Decimal(line["price"]) < 5]
            assert order["lines"] == held

    def test_sort_and_limit_are_of_each_order(self, reading: Api, whole: list[Row]) -> None:
        largest = ask(reading, **{"lines.sort": "-amount", "lines.limit": "2"})
        for order, all_ in zip(largest, whole, strict=True):
            amounts = sorted((Decimal(line["amount"]) for line in all_["lines"]), reverse=True)
            assert [Decimal(line["amount"]) for line in order["lines"]] == amounts[:2]

    def test_a_line_can_be_chosen_by_its_item(self, reading: Api, whole: list[Row]) -> None:
        item = whole[0]["lines"][0]["item_number"]
        chosen = ask(reading, **{"lines.where": f'(item.number="{item}")', "fields": "number,lines.item_number"})
        assert {line["item_number"] for order in chosen for line in order["lines"]} == {item}

    def test_on_one_row_too(self, reading: Api, whole: list[Row]) -> None:
        order = next(order for order in whole if len(order["lines"]) > 1)
        one = reading.get(f"orders/{order['number']}?lines.limit=1&lines.sort=-line").json()
        assert one["lines"] == [max(order["lines"], key=lambda line: line["line"])]


def test_fields_reach_into_what_is_included(reading: Api) -> None:
    orders = ask(reading, fields="number,customer.name,lines.item.description")
    order = next(order for order in orders if order["customer"] and order["lines"])
    assert list(order) == ["number", "customer", "lines"]
    assert list(order["customer"]) == ["number", "name"]
    assert list(order["lines"][0]["item"]) == ["number", "description"]


def test_commas_and_quotation_marks_in_a_list_are_quoted(reading: Api, sql: psycopg.Connection[Any]) -> None:
    names = [
        name for (name,) in sql.execute("SELECT DISTINCT nm FROM customer WHERE src_cd = 'ACME' AND del_fl <> 'Y'")
    ]
    listed = ",".join(json.dumps(name, ensure_ascii=False) for name in [*names[:5], 'a "quoted", name'])
    found = ask(reading, path="customers", **{"name[in]": listed})
    assert {customer["name"] for customer in found} == set(names[:5])
    assert found == ask(reading, path="customers", **{"or": f"(name[in]=({listed}))"})


HIDDEN = ["prt_cd", "upd_by", "del_fl", "ctid", "secret"]
PLACES = [
    "or=({}=1)", "not=(or(status=open,{}[gt]=1))", "and=({}[null]=true)", "customer.{}=1", "customer.{}[null]=true",
    "{}.name=1", "{}.where=(line=1)", "{}.limit=1", "lines.sort={}", "lines.sort=-line,{}.nullsfirst",
    "lines.where=({}=1)", "lines.where=(item.{}=1)", "fields=customer.{}", "fields={}.name", "include=lines.{}",
    "sort={}.nullslast", "{}[contains]=1", "q={}", "total={}",
]  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_hidden_names_are_answered_like_unknown_ones_wherever_they_stand(reading: Api, place: str) -> None:
    for hidden in HIDDEN:
        unknown = "q" * len(hidden)
        one, other = reading.get("orders?" + place.format(hidden)), reading.get("orders?" + place.format(unknown))
        assert one.status_code == 400
        assert one.text.replace(hidden, unknown) == other.text
        assert all("parameter" in error for error in one.json()["errors"])


def test_a_parent_without_its_scope_is_answered_like_one_that_is_not_there(reading: Api) -> None:
    for name in ("order.total=1", "include=order", "or=(order.total=1)", "fields=order.number"):
        other = name.replace("order", "qqqqq")
        one, unknown = reading.get(f"items?{name}", "catalogue"), reading.get(f"items?{other}", "catalogue")
        assert one.text.replace("order", "qqqqq") == unknown.text


@pytest.mark.parametrize(
    "group",
    [
        "", "()", "(", "(status=open", "status=open", "(status=open)x", "(status=open,)", "(status)", "(status=[open])",
        "(status[eq]=(open,shipped))", "(status[in]=(open)", '(reference="open)', "(or(or(or(or(status=open)))))",
        "(" + ",".join(["rush=true"] * 65) + ")", "(nor(status=open))", "(number=1'--)", "(total[gt]=)",
        "(" * 2000, "(number[in]=(" + ",".join(["1"] * 129) + "))",
    ],
)  # fmt: skip
def test_a_malformed_group_is_refused_and_named(reading: Api, group: str) -> None:
    answer = reading.client.get("/api/v1/orders", params={"or": group}, headers={"x-api-key": "acme"})
    assert answer.status_code == 400
    assert {error.get("parameter") for error in answer.json()["errors"]} == {"or"}


@pytest.mark.parametrize("query", ["lines.limit=0", "lines.limit=1001", "lines.limit=x", "lines.limit=1&lines.limit=1"])
def test_a_limit_of_children_is_bounded_by_the_contract(reading: Api, query: str) -> None:
    answer = reading.get(f"orders?{query}")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["parameter"] == "lines.limit"


def test_a_wish_for_strictness_is_granted_and_an_unknown_one_ignored(reading: Api) -> None:
    assert (
        reading.get("items?limit=1", headers={"prefer": "respond-async, handling=strict"}).headers["preference-applied"]
        == "handling=strict"
    )
    assert "preference-applied" not in reading.get("items?limit=1", headers={"prefer": "handling=lenient, x"}).headers


# Random trees of conditions against a three-valued evaluation of the documents themselves.

STATUSES = ["open", "allocated", "shipped", "invoiced", "cancelled"]
leaves = st.one_of(
    st.tuples(st.sampled_from(["status", "reference", "ship_via", "customer.city", "customer.name"]),
              st.sampled_from(["eq", "ne"]), st.sampled_from(["open", "shipped", "UPS", "Boston", "x"])),
    st.tuples(st.just("status"), st.just("in"), st.lists(st.sampled_from(STATUSES), min_size=1, max_size=4)),
    st.tuples(st.sampled_from(["total", "number", "customer_number", "customer.number"]),
              st.sampled_from(["eq", "ne", "lt", "lte", "gt", "gte"]), st.integers(0, 1500)),
    st.tuples(st.sampled_from(["status", "required_on", "reference", "customer.city", "customer.email"]),
              st.just("null"), st.booleans()),
    st.tuples(st.just("rush"), st.sampled_from(["eq", "ne"]), st.booleans()),
)  # fmt: skip
trees = st.recursive(
    leaves, lambda inner: st.tuples(st.sampled_from(["or", "and", "not"]), st.lists(inner, min_size=1, max_size=3)),
    max_leaves=6,
)  # fmt: skip


def written(tree: Any) -> str:
    if len(tree) == 2:
        return f"{tree[0]}({','.join(map(written, tree[1]))})"
    name, operator, operand = tree
    text = json.dumps(operand) if isinstance(operand, bool) else str(operand)
    return f"{name}[{operator}]=" + (f"({','.join(operand)})" if isinstance(operand, list) else text)


def depth(tree: Any) -> int:
    return 1 + max(map(depth, tree[1])) if len(tree) == 2 else 0


def holds(tree: Any, row: Row) -> bool | None:
    """None: unknown."""
    if len(tree) == 2:
        word, items = tree[0], [holds(item, row) for item in tree[1]]
        if word == "or":
            return True if True in items else None if None in items else False
        every = False if False in items else None if None in items else True
        return every if word == "and" or every is None else not every
    name, operator, operand = tree
    parent, dot, field = name.rpartition(".")
    value = (row[parent] or {}).get(field) if dot else row[field]
    if operator == "null":
        return (value is None) is operand
    if value is None:
        return None
    if isinstance(operand, int) and not isinstance(operand, bool):
        value = Decimal(value)
    return bool(
        {"eq": lambda: value == operand, "ne": lambda: value != operand, "in": lambda: value in operand,
         "lt": lambda: value < operand, "lte": lambda: value <= operand,
         "gt": lambda: value > operand, "gte": lambda: value >= operand}[operator]()
    )  # fmt: skip


@pytest.fixture(scope="module")
def everything(reading: Api) -> list[Row]:
    return ask(reading, include="customer")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tree=trees.filter(lambda tree: depth(tree) <= 3))
def test_any_tree_of_conditions_finds_the_rows_that_hold(reading: Api, everything: list[Row], tree: Any) -> None:
    unfit = {("status", text) for text in ("UPS", "Boston", "x")}
    if any((leaf[0], leaf[2]) in unfit for leaf in flat(tree)):
        return
    found = ask(reading, fields="number", **{"and": f"({written(tree)})"})
    assert [order["number"] for order in found] == [row["number"] for row in everything if holds(tree, row) is True]


def flat(tree: Any) -> list[Any]:
    return [leaf for item in tree[1] for leaf in flat(item)] if len(tree) == 2 else [(tree[0], tree[1], str(tree[2]))]


def test_a_total_counts_the_rows_that_the_filters_leave(reading: Api, sql: psycopg.Connection[Any]) -> None:
    counted = sql.execute("SELECT count(*) FROM item WHERE prc > 50").fetchone()
    assert counted is not None
    for word in ("exact", "estimated"):
        page = reading.get(f"items?limit=1&price[gt]=50&total={word}").json()
        assert (page["total"], page["total_exact"]) == (counted[0], True)
        beyond = reading.get(f"items?limit=1&price[gt]=50&total={word}&cursor={page['next_cursor']}").json()
        assert beyond["total"] == counted[0]
    assert reading.get("items?total=some").status_code == reading.get("customers?total=exact").status_code == 400
    assert "total" not in reading.get("items?limit=1").json()


def test_words_are_found_in_any_form(reading: Api, sql: psycopg.Connection[Any]) -> None:
    word = ask(reading, path="items", limit="1")[0]["description"].split()[0].strip(",.")
    for words in (word, f"{word} or nothing", f'"{word}"', f"-{word}"):
        query = "SELECT item_no FROM item WHERE to_tsvector('english', descr) @@ websearch_to_tsquery('english', %s)"
        expected = sorted(number for (number,) in sql.execute(query, [words]))
        assert sorted(item["number"] for item in ask(reading, path="items", q=words)) == expected
    assert ask(reading, path="items", q="' OR 1=1 & | ! :* <->") == []
    assert reading.get("items?q=").status_code == 400


@pytest.mark.parametrize(
    ("parts", "whole"),
    [
        ("sort=status&sort=-number", "sort=status,-number"),
        ("fields=number&fields=status", "fields=number,status"),
        ("status[in]=open&status[in]=shipped", "status[in]=open,shipped"),
        ("include=customer&include=lines", "include=customer,lines"),
    ],
)
def test_a_list_may_be_given_in_parts(reading: Api, parts: str, whole: str) -> None:
    assert reading.all(f"orders?limit=50&{parts}") == reading.all(f"orders?limit=50&{whole}")


@pytest.mark.parametrize("query", ["limit=1&limit=2", "status=open&status=open", "number[gt]=1&number[gt]=2"])
def test_what_is_no_list_may_not_be_given_twice(reading: Api, query: str) -> None:
    refused = reading.get(f"orders?{query}")
    assert refused.status_code == 400
    assert [error["code"] for error in refused.json()["errors"]] == ["repeated"]
