"""Creating, changing, replacing and deleting rows over HTTP: what is answered is what is stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from api_gateway.api.contract import Contract
from api_gateway.postgres import Server
from tests.integration import writes_contract
from tests.support.api import Api
from tests.support.writes import laid, served

SQL = (Path(__file__).parent / "writes.sql").read_text("utf-8")
MERGE_PATCH = {"content-type": "application/merge-patch+json"}


@pytest.fixture(scope="module")
def template(clone: Callable[[str], str]) -> tuple[str, Contract]:
    url = clone("template1")
    contract = laid(url, SQL, writes_contract)
    return url.rsplit("/", 1)[1], contract


@pytest.fixture
def url(clone: Callable[[str], str], template: tuple[str, Contract]) -> str:
    return clone(template[0])


@pytest.fixture
def api(url: str, template: tuple[str, Contract], server: Server) -> Iterator[Api]:
    with served(server, url, template[1]) as api:
        yield api


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(query.encode()).fetchall()


def change(url: str, statement: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(statement.encode())


def post(api: Api, path: str, body: Any, consumer: str = "ACME", **more: Any) -> Any:
    return api.ask("POST", path, consumer, json=body, **more)


def patch(api: Api, path: str, body: Any, consumer: str = "ACME", headers: dict[str, str] | None = None) -> Any:
    return api.ask("PATCH", path, consumer, json=body, headers={**MERGE_PATCH, **(headers or {})})


NEW = {"reference": "R9", "client_id": 1, "note": "hi", "extra": {"n": 1}, "total": "12.50"}


def test_a_new_row_is_answered_as_a_get_would_and_is_found_where_location_says(api: Api, url: str) -> None:
    answer = post(api, "purchases", NEW)
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == "/api/v1/purchases/3"
    got = api.client.get(answer.headers["location"], headers={"x-api-key": "ACME"})
    assert got.content == answer.content
    assert got.headers["etag"] == answer.headers["etag"]
    shown = answer.json()
    assert shown["shout"] == "HI"
    assert (shown["status"], shown["rush"], shown["due"], shown["total"]) == ("open", False, None, "12.50")
    stored = rows(url, "SELECT owner, due::text, placed = date_trunc('second', placed) FROM purchase WHERE id = 3")
    assert stored == [("ACME    ", "1900-01-01", True)]


def test_children_come_along_in_the_same_transaction_numbered_and_with_their_defaults(api: Api, url: str) -> None:
    lines = [
        {"item": "nut", "price": "1.50"},
        {"item": "bolt", "price": "2.00", "quantity": 4},
        {"item": "nail", "price": "0.10"},
    ]
    answer = post(api, "purchases", {**NEW, "lines": lines})
    assert answer.status_code == 201, answer.text
    assert [(x["number"], x["item"], x["quantity"], x["price"]) for x in answer.json()["lines"]] == [
        (1, "nut", 1, "1.50"),
        (2, "bolt", 4, "2.00"),
        (3, "nail", 1, "0.10"),
    ]
    got = api.get("purchases/3?include=lines", "ACME")
    assert got.content == answer.content
    assert got.headers["etag"] == answer.headers["etag"]
    assert post(api, "purchases", {**NEW, "reference": "R10", "lines": []}).json()["lines"] == []


def test_a_child_that_is_refused_takes_the_whole_row_with_it(api: Api, url: str) -> None:
    answer = post(api, "purchases", {**NEW, "lines": [{"item": "nut", "price": "1", "quantity": 0}]})
    assert answer.status_code == 422
    assert answer.json()["code"] == "refused_by_database"
    assert "line_qty" not in answer.text
    assert rows(url, "SELECT count(*) FROM purchase") == [(2,)]


def test_every_fault_of_a_body_is_told_at_once_with_its_pointer(api: Api) -> None:
    body = {
        "reference": "longer than twelve",
        "client_id": None,
        "status": "lost",
        "shout": "X",
        "total": "1.005",
        "nothing": 1,
        "owner": "BOLT",
        "lines": [{"item": 1}, 5],
    }
    answer = post(api, "purchases", body)
    assert answer.status_code == 422
    assert {(e["pointer"], e["code"]) for e in answer.json()["errors"]} == {
        ("/reference", "invalid_value"),
        ("/client_id", "invalid_value"),
        ("/status", "invalid_value"),
        ("/shout", "read_only"),
        ("/total", "invalid_value"),
        ("/nothing", "unknown_field"),
        ("/owner", "unknown_field"),
        ("/lines/0/item", "invalid_value"),
        ("/lines/0/price", "missing"),
        ("/lines/1", "invalid_type"),
    }
    assert post(api, "purchases", {}).json()["errors"] == [
        {"code": "missing", "detail": "The field is required.", "pointer": "/client_id"}
    ]


def test_null_absent_and_empty_are_three_things(api: Api, url: str) -> None:
    assert patch(api, "purchases/1", {"note": ""}).json()["note"] == ""
    assert patch(api, "purchases/1", {}).json()["note"] == ""
    assert patch(api, "purchases/1", {"note": None}).json()["note"] is None
    assert patch(api, "purchases/1", {"due": "2024-02-29"}).json()["due"] == "2024-02-29"
    assert patch(api, "purchases/1", {"due": None}).json()["due"] is None
    assert rows(url, "SELECT due::text FROM purchase WHERE id = 1") == [("1900-01-01",)]
    assert patch(api, "purchases/1", {"due": "1900-01-01"}).status_code == 422


def test_a_patch_merges_into_a_json_column_as_rfc_7396_says(api: Api) -> None:
    patch(api, "purchases/1", {"extra": {"a": {"b": 1, "c": 12345678901234567890}, "d": [1]}})
    body = b'{"extra": {"a": {"b": null}, "d": [2], "e": 1.50}}'
    answer = api.ask("PATCH", "purchases/1", "ACME", headers=MERGE_PATCH, content=body)
    assert '"extra":{"a": {"c": 12345678901234567890}, "d": [2], "e": 1.50}' in answer.text


def test_a_document_sent_back_as_it_came_changes_nothing_not_even_what_it_cannot_show(api: Api, url: str) -> None:
    stored = "SELECT placed::text, touched::text, xmin::text FROM purchase WHERE id = 1"
    before, shown = rows(url, stored), api.get("purchases/1", "ACME")
    answer = patch(api, "purchases/1", shown.json())
    assert answer.status_code == 200, answer.text
    assert answer.content == shown.content
    assert answer.headers["etag"] == shown.headers["etag"]
    assert rows(url, stored) == before
    assert before[0][0] == "2024-03-10 02:30:00"  # an hour that no clock showed


def test_a_change_sets_what_every_write_sets_and_leaves_the_rest(api: Api, url: str) -> None:
    rest = "SELECT ref, client, placed::text, note FROM purchase WHERE id = 1"
    before = rows(url, rest)
    answer = patch(api, "purchases/1", {"rush": True})
    assert answer.json()["rush"] is True
    assert rows(url, rest) == before
    assert rows(url, "SELECT rush, touched > '2024-06-01' FROM purchase WHERE id = 1") == [("Y", True)]


def test_rows_of_others_are_not_there_whatever_the_method(api: Api, url: str) -> None:
    for missing in ("purchases/2", "purchases/99", "purchases/x", "clients/4"):
        assert patch(api, missing, {"note": "x"}).status_code == 404
        assert api.ask("DELETE", missing, "ACME").status_code == 404
    assert patch(api, "purchases/2", {"note": "x"}).content == patch(api, "purchases/99", {"note": "x"}).content
    assert rows(url, "SELECT note FROM purchase WHERE id = 2") == [("theirs",)]


def test_a_row_cannot_lead_to_what_its_writer_does_not_see_and_the_answer_does_not_tell_why(api: Api) -> None:
    answers = [post(api, "purchases", {**NEW, "client_id": client}) for client in (2, 4)]
    answers += [patch(api, "purchases/1", {"client_id": client}) for client in (2, 4)]
    for answer in answers:
        assert answer.status_code == 409
        assert answer.json()["errors"][0]["pointer"] == "/client_id"
    assert post(api, "purchases", {**NEW, "client_id": 77}).content == answers[0].content


def test_a_conflict_names_the_field_only_where_the_other_row_is_seen(api: Api) -> None:
    seen = post(api, "purchases", {**NEW, "reference": "R1"})
    assert seen.status_code == 409
    assert [e["pointer"] for e in seen.json()["errors"]] == ["/reference"]
    assert post(api, "settings", {"name": "other", "value": "Berlin"}).json()["errors"][0]["pointer"] == "/value"
    api.ask("DELETE", "clients/1", "ACME")
    hidden = post(api, "clients", {"name": "Again", "code": "A1"})
    assert hidden.status_code == 409
    assert "errors" not in hidden.json()
    assert "client" not in hidden.text


def test_a_check_names_the_field_and_never_itself(api: Api) -> None:
    answer = patch(api, "purchases/1", {"total": "-1"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/total"
    assert "purchase_total" not in answer.text


def test_what_a_trigger_raises_is_refused_without_its_words(api: Api) -> None:
    answer = post(api, "moods", {"id": 1, "text": "no"})
    assert answer.status_code == 422
    assert "secret" not in answer.text


def test_what_triggers_do_before_and_after_is_in_the_answer(api: Api) -> None:
    answer = post(api, "moods", {"id": 1, "text": "new"})
    assert answer.json() == {"id": 1, "text": "new", "before_says": "before new", "after_says": "after new"}
    assert answer.headers["etag"] == api.get("moods/1", "ACME").headers["etag"]
    assert patch(api, "moods/1", {"text": "old"}).json()["after_says"] == "after old"


def test_a_row_that_a_trigger_swallows_was_not_created(api: Api) -> None:
    assert post(api, "moods", {"id": 1, "text": "nothing"}).status_code == 403


def test_if_match_is_checked_inside_the_write(api: Api, url: str) -> None:
    tag = api.get("purchases/1?fields=note", "ACME").headers["etag"]
    change(url, "UPDATE purchase SET status = 90 WHERE id = 1")
    stale = patch(api, "purchases/1", {"note": "mine"}, headers={"if-match": tag})
    assert stale.status_code == 412
    assert stale.json()["code"] == "precondition_failed"
    fresh = api.get("purchases/1?include=lines", "ACME").headers["etag"]
    assert patch(api, "purchases/1", {"note": "mine"}, headers={"if-match": f'"x", {fresh}'}).status_code == 200
    assert api.ask("DELETE", "purchases/1", "ACME", headers={"if-match": fresh}).status_code == 412
    assert rows(url, "SELECT count(*) FROM purchase") == [(2,)]
    assert patch(api, "purchases/1", {}, headers={"if-match": "nonsense"}).status_code == 412


def test_where_the_contract_wants_it_a_write_says_which_version_it_means(api: Api) -> None:
    for answer in (patch(api, "settings/zone", {"value": "Rome"}), api.ask("DELETE", "settings/zone", "ACME")):
        assert answer.status_code == 428
        assert answer.json()["code"] == "precondition_required"
    assert patch(api, "settings/zone", {"value": "Rome"}, headers={"if-match": "*"}).status_code == 200


def test_put_creates_under_the_callers_key_then_replaces_and_resets_what_is_left_out(api: Api, url: str) -> None:
    def put(path: str, body: Any, **headers: str) -> Any:
        return api.ask("PUT", path, "ACME", json=body, headers={n.replace("_", "-"): v for n, v in headers.items()})

    made = put("settings/color", {"value": "red", "weight": 5}, if_none_match="*")
    assert (made.status_code, made.headers["location"]) == (201, "/api/v1/settings/color")
    assert put("settings/color", {"value": "red"}, if_none_match="*").status_code == 412
    assert put("settings/lost", {"value": "x"}, if_match="*").status_code == 412
    replaced = put("settings/color", {"value": "blue"}, if_match=made.headers["etag"])
    assert replaced.status_code == 200
    assert replaced.json() == {"name": "color", "value": "blue", "weight": 1, "source": "none"}
    assert put("settings/color", {"weight": 1}, if_match="*").json()["errors"][0]["pointer"] == "/value"
    differs = put("settings/color", {"name": "colour", "value": "x"}, if_match="*")
    assert differs.json()["errors"][0]["code"] == "key_differs"


def test_put_by_a_natural_key_creates_once_and_says_where_the_row_is(api: Api, url: str) -> None:
    def put(note: str) -> Any:
        return api.ask("PUT", "purchases/by-reference/N%2F1", "ACME", json={"client_id": 1, "note": note})

    first, second = put("one"), put("two")
    assert (first.status_code, second.status_code) == (201, 200), (first.text, second.text)
    assert first.headers["location"] == f"/api/v1/purchases/{first.json()['id']}"
    assert second.json() == {**first.json(), "note": "two", "shout": "TWO", "touched": second.json()["touched"]}
    assert api.ask("PUT", "purchases/by-reference/R2", "ACME", json={"client_id": 1}).status_code == 201
    assert rows(url, "SELECT owner FROM purchase WHERE ref = 'R2' ORDER BY 1") == [("ACME    ",), ("BOLT    ",)]


def test_delete_deletes_or_marks_as_the_contract_says(api: Api, url: str) -> None:
    assert api.ask("DELETE", "purchases/1", "ACME").status_code == 204
    assert rows(url, "SELECT count(*) FROM line") == [(0,)]
    assert api.ask("DELETE", "clients/3", "ACME").status_code == 204
    assert rows(url, "SELECT gone, active FROM client WHERE id = 3") == [("Y", "N")]
    assert api.get("clients/3", "ACME").status_code == 404
    assert api.ask("DELETE", "clients/3", "ACME").status_code == 404


def test_who_lacks_the_scope_may_not_write(api: Api) -> None:
    answer = post(api, "purchases", NEW, "READER")
    assert answer.status_code == 403
    assert "purchases:write" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "status"),
    [
        ("POST", "purchases", {"content-type": "text/plain"}, b"{}", 415),
        ("PATCH", "purchases/1", {"content-type": "application/json-patch+json"}, b"[]", 415),
        ("POST", "purchases", {"content-type": "application/json"}, b"{", 400),
        ("POST", "purchases", {"content-type": "application/json"}, b"", 400),
        ("POST", "purchases", {"content-type": "application/json"}, b'{"note": NaN}', 400),
        ("POST", "purchases", {"content-type": "application/json"}, b'{"note": "\\u0000"}', 422),
        ("POST", "purchases", {"content-type": "application/json"}, b"5", 422),
        ("POST", "purchases", {"content-type": "application/json"}, b"[" * 100_000, 400),
        ("POST", "purchases", {"content-type": "application/json"}, b" " * (1 << 20) + b"{}", 413),
        ("POST", "purchases?x=1", {"content-type": "application/json"}, b"{}", 400),
        ("POST", "purchases", {"content-type": "application/json", "accept": "text/csv"}, b"{}", 406),
        ("POST", "purchases/1", {"content-type": "application/json"}, b"{}", 405),
        ("PUT", "purchases", {"content-type": "application/json"}, b"{}", 405),
    ],
)
def test_a_request_that_cannot_be_is_refused(
    api: Api, method: str, path: str, headers: dict[str, str], body: bytes, status: int
) -> None:
    answer = api.ask(method, path, "ACME", headers=headers, content=body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_options_and_allow_list_what_the_contract_lets_be_done(api: Api) -> None:
    assert api.ask("OPTIONS", "purchases", "ACME").headers["allow"] == "GET, HEAD, POST, OPTIONS"
    assert api.ask("OPTIONS", "purchases/1", "ACME").headers["allow"] == "GET, HEAD, PATCH, PUT, DELETE, OPTIONS"


def test_a_short_answer_is_given_to_whom_prefers_it(api: Api) -> None:
    prefer = {"prefer": "respond-async, return=minimal"}
    made = post(api, "purchases", NEW, headers=prefer)
    assert (made.status_code, made.content, made.headers["preference-applied"]) == (204, b"", "return=minimal")
    assert "location" in made.headers
    assert "etag" in made.headers
    assert patch(api, "purchases/3", {"note": "x"}, headers=prefer).status_code == 204


def test_a_dry_run_answers_and_leaves_nothing(api: Api, url: str) -> None:
    answer = post(api, "purchases?dry_run=true", NEW, headers={"idempotency-key": "k"})
    assert (answer.status_code, answer.headers["dry-run"], answer.json()["reference"]) == (200, "true", "R9")
    assert "location" not in answer.headers
    assert post(api, "purchases?dry_run=true", {**NEW, "client_id": 2}).status_code == 409
    gone = api.ask("DELETE", "purchases/1?dry_run=true", "ACME")
    assert (gone.status_code, gone.json()["id"]) == (200, 1)
    for table in ("purchase", "banyan.journal", "banyan.idempotency"):
        assert rows(url, f"SELECT count(*) FROM {table}") == [(2 if table == "purchase" else 0,)]


def test_several_rows_are_created_all_or_none_and_each_is_told_what_is_wrong(api: Api, url: str) -> None:
    good = [{**NEW, "reference": f"B{n}", "lines": [{"item": "nut", "price": "1"}]} for n in range(3)]
    answer = post(api, "purchases", good)
    assert answer.status_code == 201, answer.text
    assert [row["reference"] for row in answer.json()["data"]] == ["B0", "B1", "B2"]
    bad = [{**NEW, "reference": "C1"}, {**NEW, "reference": "B0"}, {"total": "x"}]
    assert {e["pointer"] for e in post(api, "purchases", bad).json()["errors"]} == {"/2/client_id", "/2/total"}
    bad = [{**NEW, "reference": "C1"}, {**NEW, "reference": "B0"}, {**NEW, "reference": "C2", "total": "-1"}]
    refused = post(api, "purchases", bad)
    assert [e["pointer"] for e in refused.json()["errors"]] == ["/1/reference", "/2/total"]
    assert post(api, "purchases", []).status_code == 422
    assert post(api, "purchases", [NEW] * 101).status_code == 422
    assert rows(url, "SELECT count(*) FROM purchase") == [(5,)]


def test_a_write_is_done_once_under_one_key(api: Api, url: str) -> None:
    headers = {"idempotency-key": "k1"}
    first, second = (post(api, "purchases", NEW, headers=headers) for _ in range(2))
    assert second.content == first.content
    assert second.headers["location"] == first.headers["location"]
    assert second.headers["etag"] == first.headers["etag"]
    assert second.headers["idempotency-replayed"] == "true"
    assert post(api, "purchases", {**NEW, "note": "other"}, headers=headers).status_code == 422
    assert patch(api, "purchases/3", {"note": "other"}, headers=headers).status_code == 200
    gone = [api.ask("DELETE", "purchases/3", "ACME", headers={"idempotency-key": "k2"}) for _ in range(2)]
    assert [answer.status_code for answer in gone] == [204, 204]


def test_every_write_is_in_the_journal_of_its_own_transaction(api: Api, url: str) -> None:
    request = {"x-request-id": "r-1"}
    patch(api, "purchases/1", {"note": "new", "due": "2024-02-29"}, headers=request)
    patch(api, "purchases/1", {"total": "-1"})
    post(api, "clients", {"name": "Third"})
    api.ask("DELETE", "purchases/1", "ACME")
    entries = rows(
        url,
        'SELECT principal, operation, verb, schema, "table", key, columns, before, after'
        " FROM banyan.journal ORDER BY id",
    )
    update, insert, delete = entries
    assert update == (
        "consumer:ACME", "PATCH purchases", "update", "public", "purchase", {"id": "1"}, ["due", "note"],
        {"due": "1900-01-01", "note": "hello"}, {"due": "2024-02-29", "note": "new"},
    )  # fmt: skip
    assert insert[2:8] == ("insert", "public", "client", {"id": "5"}, ["name", "owner"], None)
    assert insert[8] == {"name": "Third", "owner": "ACME"}
    assert delete[2] == "delete"
    assert (delete[7]["note"], delete[8]) == ("new", None)
