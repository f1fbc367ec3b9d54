"""The API's own document: what several requests take is told once, and every reference leads somewhere."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.api import Api

Json = dict[str, Any]


@pytest.fixture(scope="module")
def document(reading: Api) -> Json:
    found: Json = reading.client.get("/api/openapi.json").json()
    return found


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        yield from ([part["$ref"]] if isinstance(part.get("$ref"), str) else [])
        part = list(part.values())
    if isinstance(part, list):
        for one in part:
            yield from _references(one)


def _target(document: Json, reference: str) -> Any:
    found: Any = document
    for step in reference.removeprefix("#/").split("/"):
        found = found[step.replace("~1", "/").replace("~0", "~")]
    return found


def _taken(document: Json, path: str) -> dict[str, Json]:
    """What a GET takes, by name, references followed."""
    listed = document["paths"][path]["get"]["parameters"]
    parameters = [_target(document, one["$ref"]) if "$ref" in one else one for one in listed]
    return {one["name"]: one for one in parameters}


def test_every_reference_leads_somewhere_and_every_parameter_is_referred_to(document: Json) -> None:
    references = set(_references(document))
    for reference in references:
        assert _target(document, reference)
    named = {f"#/components/parameters/{name}" for name in document["components"]["parameters"]}
    assert named == {one for one in references if one.startswith("#/components/parameters/")}
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+", name) for name in document["components"]["parameters"])


def test_no_filter_is_told_twice(document: Json) -> None:
    told = [one for one in document["components"]["parameters"].values() if "[" in one["name"]]
    assert len(told) == len({json.dumps(one, sort_keys=True) for one in told})
    inline = [one for item in document["paths"].values() for one in item.get("get", {}).get("parameters", ())]
    assert not [one["name"] for one in inline if "[" in one.get("name", "")]


def test_a_list_and_its_export_take_the_same_filters(document: Json) -> None:
    of_list, of_export = _taken(document, "/api/v1/orders"), _taken(document, "/api/v1/orders:export")
    assert of_list["placed_at[gte]"] == of_export["placed_at[gte]"]
    assert of_list["placed_at[gte]"]["schema"] == {"type": "string", "format": "date-time"}
    assert of_list["limit"] != of_export["limit"]
    assert {"status", "status[in]", "customer.number", "or", "sort", "fields", "include"} <= of_export.keys()


def test_columns_of_one_name_and_type_share_a_filter_and_of_two_types_do_not(document: Json) -> None:
    components = document["components"]["parameters"]
    assert {"number.int32", "number.text"} <= components.keys()  # an order's number, an invoice's
    shown = json.dumps(document["paths"])
    assert shown.count('"#/components/parameters/number.int32"') > 2


@pytest.mark.parametrize(
    ("condition", "is_right"),
    [
        ("(status[eq]=open)", True),
        ("(status[in]=(open,shipped),or(number[lt]=5000,customer.number[in]=(1,2)))", True),
        ("(placed_at[gte]=2026-02-28T09:30:00Z,not(reference[null]=true))", True),
        ("(customer.name[ilike]=%tool%,and(reference[like]=A%,required_on[ne]=2026-12-11))", True),
        ("(status[like]=o%)", False),
        ("(status[eq]=gone)", False),
        ("(number[eq]=x)", False),
        ("(lines.number[eq]=1)", False),
        ("(status[eq]=open", False),
    ],
)
def test_what_the_document_says_of_a_group_of_conditions_is_what_the_api_takes(
    reading: Api, document: Json, condition: str, is_right: bool
) -> None:
    pattern = document["components"]["schemas"]["OrderFilter"]["pattern"]
    assert (re.search(pattern, condition) is not None) is is_right
    assert reading.client.get(
        "/api/v1/orders", params={"or": condition}, headers={"x-api-key": "acme"}
    ).status_code == (200 if is_right else 400)


def _shown(patterns: Json, name: str) -> list[Json]:
    return [schema for pattern, schema in patterns.items() if re.search(pattern, name)]


@pytest.mark.parametrize(
    ("condition", "value", "is_right"),
    [
        ("order.number[gte]", "5000", True),
        ("order.status[in]", "open,shipped", True),
        ("order.reference[ilike]", "%a%", True),
        ("customer.name[null]", "false", True),
        ("order.customer.name", "Nobody", True),
        ("order.customer.country[ne]", "US", True),
        ("order.status[in]", "open,gone", False),
        ("order.status[like]", "o%", False),
        ("order.lines.number[gt]", "1", False),
        ("order.customer.secret", "1", False),
    ],
)
def test_what_the_document_says_of_filters_on_parents_is_what_the_api_takes(
    reading: Api, document: Json, condition: str, value: str, is_right: bool
) -> None:
    told = _taken(document, "/api/v1/invoices")["parents"]
    assert (told["style"], told["explode"]) == ("form", True)
    schemas = _shown(told["schema"]["patternProperties"], condition)
    fits = [one for one in schemas if re.search(one.get("pattern", ""), value)]
    assert bool(fits) is is_right
    answer = reading.client.get("/api/v1/invoices", params={condition: value}, headers={"x-api-key": "acme"})
    assert answer.status_code == (200 if is_right else 400)


def test_every_operator_of_every_field_of_a_parent_is_told_and_taken(reading: Api, document: Json) -> None:
    told = _taken(document, "/api/v1/invoices")
    resource = next(one for one in reading.contract.resources if one.name == "Invoice")
    order = reading.contract.resources.of(resource.links["order"].target)
    for field in order.fields.values():
        for operator in field.operators_behind_parent:
            name = f"order.{field.name}" + ("" if operator == "eq" else f"[{operator}]")
            assert (name in told) is (operator == "eq"), name
            assert len(_shown(told["parents"]["schema"]["patternProperties"], name)) == (operator != "eq"), name
