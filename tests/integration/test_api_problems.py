"""Problem documents: each `type` is an address that leads to a page about it; each fault says where it is."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from api_gateway.api.build import Databases, build_api
from api_gateway.api.contract import load_contract
from api_gateway.consumers import Register
from api_gateway.errors import FieldError, Problem
from api_gateway.project import Api as Configured
from api_gateway.project import load_project
from shared_models.database import Database
from tests.support.api import NORTHGATE, Api
from tests.support.problem_types import DATA

CODES = list(json.loads(DATA.read_text())["problems"])
OF_THE_EXAMPLE = ["cannot_be_ordered", "credit_limit_exceeded", "no_partner", "reference_used"]


@pytest.mark.parametrize("code", [*CODES, *OF_THE_EXAMPLE])
def test_the_type_of_every_code_leads_to_a_page_for_people_and_for_programs(reading: Api, code: str) -> None:
    address = str(Problem(400, code, "").as_json(load_project(NORTHGATE).configuration.api.problem_types)["type"])
    page = reading.client.get(address, headers={"accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert f"<h1><code>{code}</code></h1>" in page.text
    told = reading.client.get(address, headers={"accept": "application/json"}).json()
    assert (told["type"], told["code"]) == (address, code)
    assert len(told["text"]) > 10
    listed = reading.client.get("/api/problems", headers={"accept": "application/json"}).json()["problems"]
    assert told in listed


def test_a_refusal_names_the_page_about_it(reading: Api) -> None:
    refused = reading.get("orders/4711?nothing=1").json()
    assert refused["type"] == "/api/problems/invalid_request"
    assert reading.client.get(refused["type"]).status_code == 200


@pytest.mark.parametrize(("path", "accept", "status"), [("nothing", "*/*", 404), ("not_found", "image/png", 406)])
def test_a_page_that_is_not_there_is_a_problem_itself(reading: Api, path: str, accept: str, status: int) -> None:
    answer = reading.client.get(f"/api/problems/{path}", headers={"accept": accept})
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


def test_the_addresses_are_whole_where_the_project_says_under_which_it_is_known() -> None:
    project = load_project(NORTHGATE)
    api = Configured(prefix="/our/api", url="https://api.example.org")
    project = replace(project, configuration=project.configuration.model_copy(update={"api": api}))
    nowhere = Database("", size=1, application_name="tests", statement_timeout=1, lock_timeout=1)
    app = build_api(project, load_contract(project), Register, Databases(nowhere, nowhere), secret="")
    answer = TestClient(app).get("/our/api/v1/orders")
    assert answer.json()["type"] == "https://api.example.org/our/api/problems/unauthenticated"
    assert TestClient(app).get("/our/api/problems/unauthenticated").status_code == 200


@pytest.mark.parametrize(
    ("query", "faults"),
    [
        ("a=%FF&b=1&c=%00", {"a": "encoding", "c": "encoding"}),
        ("%FF=1", {"\ufffd": "encoding"}),
        ("&".join(f"p{n}=1" for n in range(302)), {"p300": "too_many"}),
    ],
)
def test_parameters_that_cannot_be_read_are_named_all_at_once(reading: Api, query: str, faults: dict[str, str]) -> None:
    errors = reading.get(f"orders?{query}").json()["errors"]
    assert {error["parameter"]: error["code"] for error in errors} == faults


@pytest.mark.parametrize("place", [{}, {"pointer": "/a", "parameter": "a"}, {"pointer": "lines"}])
def test_a_fault_must_say_where_it_is_in_one_way(place: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="where it is"):
        FieldError("code", "detail", **place)


def test_pointers_are_those_of_rfc_6901(versions: Api) -> None:
    """A field with a slash and a tilde in its name."""
    refused = versions.ask("POST", "people", json={"name": "A B", "a/b~c": 1})
    assert [error["pointer"] for error in refused.json()["errors"]] == ["/a~1b~0c"]
    assert re.fullmatch(r"(/([^~/]|~[01])*)*", "/a~1b~0c")
