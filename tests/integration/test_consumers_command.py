"""`banyan consumers` and `banyan migrate` as an operator types them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest

from api_gateway import consumers, ledger
from api_gateway.ledger import Identity
from shared_models.migrations import BANYAN
from tests.support.commands import Banyan

Owner = psycopg.Connection[Any]


@pytest.fixture
def banyan(tmp_path: Path, owner_url: str) -> Banyan:
    return Banyan(tmp_path, {"BANYAN_OWNER_DATABASE_URL": owner_url})


def test_a_consumer_gets_a_key_that_is_printed_alone_and_once(banyan: Banyan, owner: Owner) -> None:
    words = ["--name", "Acme Ltd", "--scope", "orders:read", "--scope", "orders:write", "--value", "source=AC"]
    assert banyan("consumers", "add", "acme", *words).code == 0
    answer = banyan("consumers", "key", "acme")
    found = consumers.load_register(owner).by_key(answer.out.strip())
    assert found is not None
    assert (found.code, found.scopes, found.values) == ("acme", {"orders:read", "orders:write"}, {"source": "AC"})
    shown = banyan("consumers", "show", "acme").out + banyan("consumers", "list").out
    assert "Acme Ltd" in shown
    assert answer.out.strip() not in shown


ENDING = """
from datetime import date

from api_gateway.routes import QueryToken, Route
from shared_models.contract import Deprecated

ends = Deprecated(since=date(2026, 6, 1), sunset=date(2027, 1, 31), link="/moving")
routes = [
    Route("orders", "GET", "/orders.xml", QueryToken("token"), successor="/api/v1/orders", deprecated=ends),
    Route("price", "GET", "/index.php", QueryToken("token"), query={"action": "price"}),
    Route("stock", "GET", "/stock.csv", QueryToken("token"), successor="/api/v1/items"),
]
"""


@pytest.fixture
def beside_a_project(banyan: Banyan, tmp_path: Path) -> Banyan:
    (tmp_path / "shop").mkdir()
    api = '[api]\ntitle = "Shop API"\nurl = "https://api.shop.example"\n'
    (tmp_path / "shop" / "banyan.toml").write_text(f'name = "shop"\n{api}')
    (tmp_path / "shop" / "routes.py").write_text(ENDING)
    return Banyan(tmp_path, {**banyan.variables, "BANYAN_PROJECT": str(tmp_path / "shop")})


def called(owner: Owner, route: str, consumer: str, answerer: str, count: int, days: int = 1) -> None:
    owner.execute(
        "INSERT INTO banyan.call_count (hour, route, consumer, stage, answerer, outcome, count, last_at)"
        " SELECT date_trunc('hour', t), %s, %s, 'legacy', %s, '2xx', %s, t"
        " FROM (SELECT now() - make_interval(days => %s)) AS at (t)",
        [route, consumer, answerer, count, days],
    )


def test_show_tells_what_a_consumer_still_calls_and_writes_the_mail_about_it(
    beside_a_project: Banyan, owner: Owner
) -> None:
    banyan = beside_a_project
    about = ["--name", "Acme Ltd", "--contact", "it@acme.example", "--notes", "closed in August", "--version", "v1"]
    assert banyan("consumers", "add", "acme", *about).code == 0
    for route, answerer, count in (("orders", "legacy", 400), ("orders", "modern", 12), ("price", "legacy", 1)):
        called(owner, route, "acme", answerer, count)
    called(owner, "stock", "acme", "legacy", 7, days=31)
    called(owner, "stock", "bolt", "legacy", 7)
    called(owner, "gone.from.the.page", "acme", "legacy", 7)

    answer = banyan("consumers", "show", "acme", "--json").json
    told = [(one["route"], one["calls"], one["by_legacy"], one["deadline"]) for one in answer["still_called"]]
    assert told == [("orders", 412, 400, "2027-01-31"), ("price", 1, 1, None)]
    day = answer["still_called"][0]["last"][:10]
    assert answer["mail"] == (
        "To: it@acme.example\n"
        "Subject: Shop API: 2 addresses to leave until 2027-01-31\n"
        "\n"
        "Acme Ltd still calls these addresses of ours. Each has a successor, or will have one:\n"
        "\n"
        "  GET /orders.xml\n"
        f"    called 412 times in 30 days, last on {day}\n"
        "    instead: https://api.shop.example/api/v1/orders\n"
        "    answers until 2027-01-31\n"
        "    more: https://api.shop.example/moving\n"
        "\n"
        "  GET /index.php?action=price\n"
        f"    called 1 time in 30 days, last on {day}\n"
        "    instead: nothing yet; we shall write again\n"
        "    no end is set yet\n"
        "\n"
        "The new addresses are described at https://api.shop.example/api/docs."
    )
    for_people = banyan("consumers", "show", "acme").out
    assert answer["mail"] in for_people
    assert "closed in August" in for_people


def test_who_calls_nothing_of_the_legacy_protocol_gets_no_mail(beside_a_project: Banyan) -> None:
    beside_a_project("consumers", "add", "acme")
    assert "It called nothing of the legacy protocol" in beside_a_project("consumers", "show", "acme").out
    assert beside_a_project("consumers", "show", "acme", "--json").json["mail"] == ""


def test_what_is_known_of_a_consumer_is_changed_word_by_word(beside_a_project: Banyan) -> None:
    banyan = beside_a_project
    banyan("consumers", "add", "acme", "--contact", "a@acme.example", "--version", "v1", "--scope", "orders:read")
    assert banyan("consumers", "set", "acme", "--contact", "b@acme.example", "--scope", "items:read").code == 0
    shown = banyan("consumers", "show", "acme", "--json").json
    told = (shown["contact"], shown["version"], shown["scopes"])
    assert told == ("b@acme.example", "v1", ["items:read"])
    assert banyan("consumers", "set", "acme", "--version", "").code == 0
    assert banyan("consumers", "show", "acme", "--json").json["version"] is None


def test_a_version_that_is_not_served_is_refused(beside_a_project: Banyan) -> None:
    beside_a_project("consumers", "add", "acme")
    answer = beside_a_project("consumers", "set", "acme", "--version", "v7")
    assert (answer.code, answer.complaint) == (2, "there is no version v7 of the API.")


def test_keys_lists_what_a_consumer_is_known_by(banyan: Banyan) -> None:
    banyan("consumers", "add", "acme")
    banyan("consumers", "key", "acme", "--kind", "certificate", stdin="CN=acme\n")
    banyan("consumers", "key", "acme")
    assert [one["kind"] for one in banyan("consumers", "keys", "acme", "--json").json] == ["certificate", "api_key"]
    assert "certificate" in banyan("consumers", "keys", "acme").out


def test_a_legacy_token_is_read_from_standard_input(banyan: Banyan, owner: Owner) -> None:
    banyan("consumers", "add", "acme")
    answer = banyan("consumers", "key", "acme", "--kind", "query", stdin="tok-a\n")
    assert (answer.code, "tok-a" in answer.out + answer.err) == (0, False)
    found = consumers.load_register(owner).by_credential("query", "tok-a")
    assert found is not None


def test_a_revoked_credential_is_shown_as_such(banyan: Banyan) -> None:
    banyan("consumers", "add", "acme")
    banyan("consumers", "key", "acme")
    (credential,) = banyan("consumers", "show", "acme", "--json").json["credentials"]
    assert banyan("consumers", "revoke", "acme", "--credential", str(credential["id"])).code == 0
    (credential,) = banyan("consumers", "list", "--json").json[0]["credentials"]
    assert credential["revoked"] is not None


def test_a_revocation_that_a_live_process_does_not_know_exits_1_naming_it(banyan: Banyan, owner: Owner) -> None:
    consumers.add_consumer(owner, "acme", "Acme")
    consumers.create_key(owner, "acme")
    ledger.acknowledge(owner, Identity("app", host="front", pid=77), 0, 0)
    owner.execute("UPDATE banyan.process SET seen = seen + interval '1 minute'")  # it lives as long as the test
    answer = banyan("consumers", "revoke", "acme", "--all")
    assert (answer.code, answer.complaint) == (1, "done, but not yet known to app 77 on front.")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["show", "nobody"], "there is no consumer nobody."),
        (["key", "nobody"], "there is no consumer nobody."),
        (["key", "nobody", "--kind", "query"], "the secret is empty."),
        (["revoke", "nobody"], "say which: --credential NUMBER, or --all."),
        (["set", "nobody", "--name", "x"], "there is no consumer nobody."),
        (["set", "acme"], "nothing is to be changed."),
        (["keys", "nobody"], "there is no consumer nobody."),
        (["add", "a b"], "consumer code 'a b' must be letters, digits, '_', '.', '-', at most 63 of them."),
        (["add", "acme", "--value", "x"], "--value 'x' must be name=value."),
        (["add", "acme", "--scope", "x"], "scope 'x' must look like orders:read."),
    ],
)
def test_what_cannot_be_asked_exits_2_with_one_line(banyan: Banyan, words: list[str], complaint: str) -> None:
    answer = banyan("consumers", *words)
    assert (answer.code, answer.complaint) == (2, complaint)


def test_the_schema_goes_up_and_down_and_tells_where_it_stands(tmp_path: Path, database_url: str) -> None:
    banyan = Banyan(tmp_path, {"BANYAN_DATABASE_URL": database_url})
    assert banyan("migrate", "status").code == 1
    revisions = [path.name[:4] for path in BANYAN.versions.glob("[0-9]*.py")]
    head = max(revisions)
    assert banyan("migrate", "up").out == f"banyan: at {head}, 0 to come.\n"
    status = banyan("migrate", "status", "--json")
    assert (status.code, status.json[0]["current"], status.json[1]["head"]) == (0, head, None)
    refused = banyan("migrate", "down", "base")
    assert (refused.code, refused.complaint) == (2, "what a revision holds is lost when it is taken back.")
    assert banyan("migrate", "down", "base", "--yes").out.startswith(f"banyan: at base, {len(revisions)} to come.\n")


def test_a_schema_that_cannot_go_up_exits_2_with_one_line(tmp_path: Path, database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA banyan")
    answer = Banyan(tmp_path, {"BANYAN_DATABASE_URL": database_url})("migrate", "up")
    assert (answer.code, answer.complaint) == (2, "there is a schema banyan that belongs to postgres: it is not ours.")
