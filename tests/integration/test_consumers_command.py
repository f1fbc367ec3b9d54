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
