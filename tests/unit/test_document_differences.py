"""What changed between two documents of an API: each change once, in words that a person can act on."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from api_gateway.check.documents import Difference, differences


def parameter(name: str, **schema: Any) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": schema or {"type": "integer"}}


def listed(*values: str) -> dict[str, Any]:
    return {"type": "array", "items": {"type": "string", "enum": list(values)}}


PAGE = {"200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Item"}}}}}
PARAMETERS = [
    parameter("price"),
    parameter("price[gt]"),
    parameter("price[in]"),
    {"$ref": "#/components/parameters/sort"},
]
DOCUMENT: dict[str, Any] = {
    "paths": {
        "/items": {"get": {"parameters": [*PARAMETERS], "responses": PAGE}},
        "/items:export": {"get": {"parameters": [*PARAMETERS], "responses": PAGE}},
        "/items/{id}": {"get": {"parameters": [], "responses": PAGE}},
    },
    "components": {
        "parameters": {"sort": {"name": "sort", "in": "query", "schema": listed("id", "price")}},
        "schemas": {
            "Item": {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}, "price": {}}},
            "SparseItem": {"type": "object", "properties": {"id": {"type": "integer"}, "price": {}}},
            "ItemFilter": {"type": "string", "pattern": r"^\((?:price\[gt\]=.*)\)$"},
        },
    },
}


def without_price(document: Any) -> None:
    for path in ("/items", "/items:export"):
        document["paths"][path]["get"]["parameters"] = [{"$ref": "#/components/parameters/sort"}]
    document["components"]["parameters"]["sort"]["schema"] = listed("id")
    for name in ("Item", "SparseItem"):
        del document["components"]["schemas"][name]["properties"]["price"]
    document["components"]["schemas"]["ItemFilter"]["pattern"] = r"^\(\)$"


def changed(change: Callable[[Any], None]) -> Any:
    document = copy.deepcopy(DOCUMENT)
    change(document)
    return document


def test_a_field_that_is_gone_is_told_once_for_each_thing_that_a_caller_did_with_it() -> None:
    found = list(differences(DOCUMENT, changed(without_price)))
    lists = frozenset({"/items", "/items:export"})
    assert found == [
        Difference(True, "GET /items, GET /items:export: parameter price is gone", lists),
        Difference(True, "GET /items, GET /items:export: parameter sort does not take price any more", lists),
        Difference(True, "Item.price is gone", frozenset(DOCUMENT["paths"])),
    ]


def test_a_field_that_is_new_breaks_nobody_its_filters_included() -> None:
    found = list(differences(changed(without_price), DOCUMENT))
    assert [one.message for one in found] == [
        "GET /items, GET /items:export: parameter price is new",
        "GET /items, GET /items:export: parameter sort takes price as well",
        "Item.price is new",
    ]
    assert not any(one.breaking for one in found)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d["paths"].pop("/items/{id}"), "/items/{id} is gone"),
        (lambda d: d["paths"]["/items"].pop("get"), "GET /items is gone"),
        (lambda d: d["paths"]["/items"]["get"]["parameters"].pop(1), "GET /items: parameter price[gt] is gone"),
        (
            lambda d: d["paths"]["/items"]["get"]["parameters"].append(parameter("since") | {"required": True}),
            "GET /items: required parameter since is new",
        ),
        (
            lambda d: d["components"]["schemas"]["SparseItem"]["properties"].update(id={"type": "string"}),
            'SparseItem.id was {"type": "integer"}, is {"type": "string"}',
        ),
    ],
)
def test_what_a_caller_would_miss_is_breaking(change: Callable[[Any], None], message: str) -> None:
    assert [(one.breaking, one.message) for one in differences(DOCUMENT, changed(change))] == [(True, message)]


def test_words_for_people_may_change() -> None:
    reworded = changed(lambda d: d["components"]["schemas"]["Item"].update(description="An article."))
    assert not list(differences(DOCUMENT, reworded))
