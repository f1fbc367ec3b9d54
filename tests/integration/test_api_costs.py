"""A list that would scan a large table is refused by its plan; one row by its key, and what an index serves, never."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import psycopg
import pytest

from api_gateway.api import costs
from api_gateway.api.contract import load_contract
from api_gateway.events import RequestTooExpensive
from api_gateway.postgres import Server
from api_gateway.project import Limits, load_project
from tests.support.api import NORTHGATE, Api, partners, serving

MANY = """
CREATE TEMP TABLE one AS SELECT * FROM item LIMIT 1;
INSERT INTO item SELECT (jsonb_populate_record(one, jsonb_build_object('item_no', 'M' || n, 'descr', 'many ' || n))).*
FROM one, generate_series(1, 30000) n
"""
RARE, COMMON = "items?description=many%207", "items?unit[ne]=none"


@pytest.fixture(scope="module")
def many_items(clone: Callable[[str], str], api_template: str) -> str:
    administrator = clone(api_template)
    with psycopg.connect(administrator, autocommit=True) as connection:
        connection.execute(MANY.encode())
        connection.execute("ANALYZE item")
    return administrator


@pytest.fixture
def large(server: Server, many_items: str) -> Iterator[Api]:
    """The example with thirty thousand items more, and a ceiling between a page of them and all of them."""
    project = load_project(NORTHGATE)
    project = replace(project, configuration=project.configuration.model_copy(update={"limits": Limits(plan_cost=300)}))
    contract = load_contract(project)
    url = server.url(many_items.rsplit("/", 1)[1], user="banyan_api")
    with serving(url, partners(contract), project=project, contract=contract) as api:
        yield api


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    events: list[object] = []
    monkeypatch.setattr(costs, "report", events.append)
    return events


def test_a_filter_that_no_index_serves_is_refused_by_name_and_the_log_says_what_would_help(
    large: Api, told: list[object]
) -> None:
    refused = large.get(f"{RARE}&limit=5")
    assert (refused.status_code, refused.json()["code"]) == (400, "too_expensive")
    assert [(e["code"], e["parameter"]) for e in refused.json()["errors"]] == [("too_expensive", "description")]
    assert "descr" not in refused.text.replace("description", "")
    (event,) = told
    assert isinstance(event, RequestTooExpensive)
    assert (event.path, event.scanned, event.columns, event.ceiling) == ("items", "item", "descr", 300)
    assert "many" not in repr(event)


def test_an_order_that_no_index_serves_is_refused_too(large: Api) -> None:
    refused = large.get("items?sort=description")
    assert [error["parameter"] for error in refused.json()["errors"]] == ["sort"]


def test_a_file_is_refused_where_its_first_page_would_be(large: Api) -> None:
    csv = {"accept": "text/csv"}
    assert large.get(RARE, headers=csv).json()["code"] == "too_expensive"
    assert large.ask("HEAD", RARE, headers=csv).status_code == 400
    assert large.get("items?sort=description", headers=csv).json()["code"] == "too_expensive"
    whole = large.get("items?fields=number", headers=csv)
    assert len(whole.text.splitlines()) > 30_000


def test_counting_too_many_rows_is_refused_and_an_estimate_is_not(large: Api) -> None:
    refused = large.get("items?total=exact")
    assert [(e["code"], e["parameter"]) for e in refused.json()["errors"]] == [("too_expensive", "total")]
    assert large.get("items?total=estimated").json()["total_exact"] is False
    assert large.get("items?number[in]=M1,M2&total=exact").json()["total"] == 2


def test_what_an_index_serves_and_one_row_by_its_key_are_answered(large: Api) -> None:
    assert large.get("items").status_code == 200
    assert large.get("items?number[in]=M1,M2").status_code == 200
    assert large.get(COMMON).status_code == 200
    assert large.get("items/M7").status_code == 200


def test_a_list_in_its_own_order_is_answered_whatever_it_costs(server: Server, many_items: str) -> None:
    project = load_project(NORTHGATE)
    project = replace(
        project, configuration=project.configuration.model_copy(update={"limits": Limits(plan_cost=0.01)})
    )
    url = server.url(many_items.rsplit("/", 1)[1], user="banyan_api")
    contract = load_contract(project)
    with serving(url, partners(contract), project=project, contract=contract) as api:
        page = api.get("items?limit=2&fields=number")
        assert page.status_code == 200
        assert api.get(f"items?limit=2&fields=number&cursor={page.json()['next_cursor']}").status_code == 200
        assert api.get("items?limit=2&sort=number").status_code == 400


def test_a_dear_value_does_not_shut_out_a_cheap_one_of_the_same_shape(large: Api) -> None:
    assert large.get("items?number[gte]=0&description[ne]=x&sort=-description&limit=2").status_code == 400
    assert large.get("items?description=many%207").status_code == 400
    assert large.get("items?number[gte]=zzzz&description[ne]=x&sort=-description&limit=2").status_code == 200


def test_a_known_shape_is_not_asked_about_again(large: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    judge = costs.Costs.judge

    async def counted(self: costs.Costs, *words: object) -> None:
        asked.append(words)
        await judge(self, *words)

    monkeypatch.setattr(costs.Costs, "judge", counted)
    for number in ("M1", "M2", "M3"):
        assert large.get(f"items?number={number}").status_code == 200
    large.get("items/M1")
    assert len(asked) == 1
