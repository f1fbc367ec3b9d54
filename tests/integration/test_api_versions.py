"""Two versions of the API side by side: the same rows, another mapping."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import pytest

from api_gateway.api.contract import load_contract, wanted_grants
from api_gateway.check import disagreements
from api_gateway.errors import UsageError
from api_gateway.project import Project, load_project
from tests.support.api import Api


def ask(api: Api, method: str, path: str, consumer: str = "acme", **more: Any) -> httpx2.Response:
    headers = {"x-api-key": consumer, **more.pop("headers", {})}
    return api.client.request(method, f"/api/{path}", headers=headers, **more)


def got(api: Api, path: str) -> Any:
    answer = ask(api, "GET", path)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_same_row_is_shown_by_each_version_in_its_own_words(versions: Api) -> None:
    assert got(versions, "v1/people/1") == {"number": 1, "name": "Ada Lovelace", "email": "ada@example.org"}
    assert got(versions, "v2/people/1") == {
        "number": 1,
        "first_name": "Ada",
        "last_name": "Lovelace",
        "address": "ada@example.org",
        "changed_by": "legacy",
    }
    assert [row["name"] for row in got(versions, "v1/people")["data"]] == [
        "Ada Lovelace",
        "Plato",
        "Grace Murray Hopper",
    ]
    assert [row["first_name"] for row in got(versions, "v2/people")["data"]] == ["Ada", None, "Grace"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("name=Ada Lovelace", [1]),
        ("name[in]=Plato,Ada Lovelace", [1, 2]),
        ("name[ilike]=%25murray h%25", [3]),
        ("name[lt]=B", [1]),
        ("not=(name[like]=%25a%25)", []),
        ("name=Plato&fields=name", [2]),
    ],
)
def test_a_joined_field_is_filtered_as_it_is_read(versions: Api, query: str, found: list[int]) -> None:
    assert [row["number"] for row in got(versions, f"v1/people?{query}")["data"]] == found


def test_a_joined_field_can_be_sorted_by_in_neither_version_but_its_parts_can(versions: Api) -> None:
    assert ask(versions, "GET", "v1/people?sort=name").json()["errors"][0]["code"] == "unknown_name"
    names = [row["last_name"] for row in got(versions, "v2/people?sort=-last_name")["data"]]
    assert names == ["Plato", "Murray Hopper", "Lovelace"]


def test_what_one_version_writes_the_other_reads(versions: Api) -> None:
    new = ask(versions, "POST", "v1/people", json={"name": "Mary Ann Evans", "email": "mary@example.org"})
    assert new.status_code == 201, new.text
    number = new.json()["number"]
    assert new.headers["location"] == f"/api/v1/people/{number}"
    in_v2 = got(versions, f"v2/people/{number}")
    assert (in_v2["first_name"], in_v2["last_name"], in_v2["changed_by"]) == ("Mary", "Ann Evans", "acme")

    changed = ask(versions, "PATCH", f"v2/people/{number}", json={"last_name": "Cross"})
    assert changed.status_code == 200, changed.text
    assert got(versions, f"v1/people/{number}")["name"] == "Mary Cross"

    short = ask(versions, "PATCH", f"v1/people/{number}", json={"name": "Eliot"})
    assert short.json()["name"] == "Eliot", short.text
    in_v2 = got(versions, f"v2/people/{number}")
    assert (in_v2["first_name"], in_v2["last_name"]) == ("Eliot", "")

    by_address = ask(
        versions, "PUT", "v2/people/by-address/mary@example.org", json={"first_name": "G", "last_name": "E"}
    )
    assert by_address.json()["number"] == number, by_address.text
    assert got(versions, f"v1/people/{number}") == {"number": number, "name": "G E", "email": "mary@example.org"}
    replaced = ask(versions, "PUT", "v1/people/by-email/mary@example.org", json={"name": "Marian"})
    assert replaced.status_code == 200, replaced.text
    assert ask(versions, "DELETE", f"v1/people/{number}").status_code == 204
    assert ask(versions, "GET", f"v2/people/{number}").status_code == 404


@pytest.mark.parametrize(
    ("name", "told"),
    [
        (" Lovelace", "none of them empty"),
        ("Ada ", "none of them empty"),
        ("Ada " + "x" * 31, "at most 30 characters"),
        ("A" * 21, "at most 20 characters"),
        (7, "a string"),
        (None, "not null"),
    ],
)
def test_what_would_not_read_as_it_was_sent_is_refused(versions: Api, name: object, told: str) -> None:
    refused = ask(versions, "PATCH", "v1/people/1", json={"name": name})
    assert refused.status_code == 422
    (error,) = refused.json()["errors"]
    assert error["pointer"] == "/name"
    assert told in error["detail"]


def test_the_journal_tells_every_column_of_a_joined_field(versions: Api, people: tuple[str, Project]) -> None:
    assert ask(versions, "PATCH", "v1/people/3", json={"name": "Grace Hopper"}).status_code == 200
    with psycopg.connect(people[0]) as connection:
        row = connection.execute(
            "SELECT columns, before FROM banyan.journal ORDER BY at DESC, id DESC LIMIT 1"
        ).fetchone()
    assert row is not None
    assert set(row[0]) >= {"frst_nm", "lst_nm"}
    assert {name: row[1][name] for name in ("frst_nm", "lst_nm")} == {"frst_nm": "Grace", "lst_nm": "Murray Hopper"}
    assert ask(versions, "PATCH", "v2/people/3", json={"last_name": "Murray Hopper"}).status_code == 200


def test_a_cursor_belongs_to_the_version_that_gave_it(versions: Api) -> None:
    first = got(versions, "v1/people?limit=1")
    assert got(versions, f"v1/people?limit=1&cursor={first['next_cursor']}")["data"][0]["number"] == 2
    refused = ask(versions, "GET", f"v2/people?limit=1&cursor={first['next_cursor']}")
    assert refused.json()["errors"][0]["code"] == "not_a_cursor"


def test_a_tag_belongs_to_the_version_that_gave_it(versions: Api) -> None:
    tag = ask(versions, "GET", "v1/people/1").headers["etag"]
    body = {"email": "ada@example.org"}
    assert ask(versions, "PATCH", "v1/people/1", json=body, headers={"if-match": tag}).status_code == 200
    other = ask(versions, "PATCH", "v2/people/1", json={"last_name": "Lovelace"}, headers={"if-match": tag})
    assert other.status_code == 412


def test_a_request_is_never_done_twice_by_way_of_the_other_version(versions: Api) -> None:
    """A retry that goes to v2 is another request under the same key, and is refused."""
    key = {"idempotency-key": "one"}
    assert ask(versions, "POST", "v1/people", json={"name": "Once Only"}, headers=key).status_code == 201
    again = ask(versions, "POST", "v2/people", json={"first_name": "Once", "last_name": "Only"}, headers=key)
    assert again.json()["code"] == "idempotency_key_reused"


def test_a_version_can_have_scopes_of_its_own(versions: Api) -> None:
    assert ask(versions, "GET", "v1/people", "old").status_code == 200
    refused = ask(versions, "GET", "v2/people", "old")
    assert refused.status_code == 403
    assert 'scope="people.v2:read"' in refused.headers["www-authenticate"]
    assert ask(versions, "GET", "v2/visits", "old").status_code == 200


def test_an_operation_that_both_serve_answers_in_the_words_of_each(versions: Api) -> None:
    first, second = ask(versions, "POST", "v1/people/1/twin"), ask(versions, "POST", "v2/people/1/twin")
    assert first.json()["name"] == "Ada Lovelace", first.text
    assert second.json()["last_name"] == "Lovelace", second.text
    assert second.headers["location"] == "/api/v2/people/1"


def test_children_are_included_in_both(versions: Api) -> None:
    for version in ("v1", "v2"):
        assert [v["on_day"] for v in got(versions, f"{version}/people/1?include=visits")["visits"]] == [
            "2026-01-01",
            "2026-02-02",
        ]


def test_each_version_has_its_own_document_frozen_beside_its_contract(
    versions: Api, people: tuple[str, Project]
) -> None:
    folder = people[1].folder
    for version, name in (("v1", "contract.openapi.json"), ("v2", "contract_v2.openapi.json")):
        served = versions.client.get(f"/api/{version}/openapi.json").json()
        assert served == json.loads((folder / name).read_text())
        assert served["info"]["version"] == version
        assert {path.split("/")[2] for path in served["paths"]} == {version}
    assert versions.client.get("/api/openapi.json").json()["info"]["version"] == "v1"


def test_the_database_grants_what_both_need_and_check_agrees(people: tuple[str, Project]) -> None:
    url, project = people
    granted = {(g.column_name, g.privilege_type) for g in wanted_grants(project, load_contract(project)).columns}
    assert {("frst_nm", "SELECT"), ("frst_nm", "UPDATE"), ("lst_nm", "INSERT"), ("upd_by", "SELECT")} <= granted
    assert [str(one) for one in disagreements(project, url) if one.severity != "note"] == []


@pytest.fixture
def changed(tmp_path: Path, people: tuple[str, Project]) -> Callable[[str, str, str], tuple[Project, str]]:
    """The project with a change in one file after it was frozen; the database is the same."""

    def change(name: str, old: str, new: str) -> tuple[Project, str]:
        url, project = people
        folder = tmp_path / f"{project.folder.name}_{tmp_path.name}"
        shutil.copytree(project.folder, folder, ignore=shutil.ignore_patterns("__pycache__"))
        text = (folder / name).read_text()
        assert old in text
        (folder / name).write_text(text.replace(old, new))
        return load_project(folder), url

    return change


def test_check_finds_a_break_in_the_version_where_it_is_and_whom_it_hits(
    changed: Callable[[str, str, str], tuple[Project, str]],
) -> None:
    project, url = changed("contract_v2.py", "    first_name: Annotated", "    given_name: Annotated")
    with psycopg.connect(url, autocommit=True) as connection:
        scopes = "INSERT INTO banyan.consumer (code, name, scopes, \"values\") VALUES (%s, %s, %s, '{}')"
        connection.execute(scopes, ["old", "Old", ["people:read"]])
        connection.execute(scopes, ["new", "New", ["people.v2:read"]])
    broken = [one for one in disagreements(project, url) if one.severity == "error"]
    assert {(one.code, one.file) for one in broken} == {("openapi_breaking", "contract_v2.openapi.json")}
    gone = next(one for one in broken if one.message.startswith("Person.first_name is gone"))
    assert gone.details is not None
    assert [consumer["code"] for consumer in gone.details["consumers"]] == ["new"]


def test_check_finds_what_does_not_fit_in_the_version_where_it_is(
    changed: Callable[[str, str, str], tuple[Project, str]],
) -> None:
    project, _ = changed("contract_v2.py", '"frst_nm"', '"first_nm"')
    (fault,) = [one for one in disagreements(project, None) if one.severity == "error"]
    assert (fault.code, fault.file, fault.column) == ("contract_unfit", "contract_v2.py", "first_nm")


def test_two_files_that_are_one_version_are_refused(
    changed: Callable[[str, str, str], tuple[Project, str]],
) -> None:
    project, _ = changed("banyan.toml", "[api]", '[api]\nversion = "v2"')
    with pytest.raises(UsageError, match="both version v2"):
        load_contract(project)


def test_a_consumer_pinned_to_a_version_gets_it_where_the_address_names_none(versions: Api) -> None:
    answer = ask(versions, "GET", "people/5", "second")
    assert answer.status_code == 200
    assert answer.json() == ask(versions, "GET", "v2/people/5", "second").json()
    assert answer.headers["etag"] == ask(versions, "GET", "v2/people/5", "second").headers["etag"]
    page = ask(versions, "GET", "people?limit=1", "second")
    assert page.links["next"]["url"].startswith("/api/v2/people?")


def test_a_pin_changes_nothing_of_an_address_that_names_a_version(versions: Api) -> None:
    assert ask(versions, "GET", "v1/people/5", "second").json()["name"] == "Emmy Noether"
    assert ask(versions, "GET", "openapi.json", "second").status_code == 200
    assert ask(versions, "GET", "v3/people", "second").status_code == 404
    assert ask(versions, "GET", "nowhere", "second").status_code == 404


@pytest.mark.parametrize("consumer", ["acme", "lost", "unknown"])
def test_without_a_pin_to_what_is_served_an_address_without_a_version_is_not_there(
    versions: Api, consumer: str
) -> None:
    assert ask(versions, "GET", "people/1", consumer).status_code == 404
