"""Consumers in the database: keys shown once, two live ones at most, revoked for good."""

from __future__ import annotations

import re
import threading
from typing import Any

import psycopg
import pytest

from api_gateway import consumers
from api_gateway.errors import UsageError
from shared_models.statements import run

Owner = psycopg.Connection[Any]


@pytest.fixture
def acme(owner: Owner) -> str:
    consumers.add_consumer(owner, "acme", "Acme Ltd", scopes=["orders:read"], values={"source": "AC"})
    return "acme"


def test_a_consumer_is_loaded_as_it_was_added(owner: Owner, acme: str) -> None:
    (consumer,) = consumers.load_register(owner).all
    assert (consumer.code, consumer.name, consumer.scopes) == ("acme", "Acme Ltd", {"orders:read"})
    assert consumer.principal.value("source") == "AC"


def test_an_empty_register_can_be_loaded(owner: Owner) -> None:
    register = consumers.load_register(owner)
    assert (register.version, register.all) == (0, ())


def test_a_key_is_long_random_and_kept_only_as_its_hash(owner: Owner, owner_url: str, acme: str) -> None:
    first, second = consumers.create_key(owner, acme), consumers.create_key(owner, acme)
    assert first != second
    assert re.fullmatch(r"bnyn_[A-Za-z0-9_-]{43}", first), "256 random bits"
    register = consumers.load_register(owner)
    assert register.by_key(first) == register.by_key(second) == register.consumers["acme"]
    everything = owner.execute("SELECT row_to_json(c)::text FROM banyan.credential c").fetchall()
    assert first[5:] not in str(everything)


def test_a_third_live_key_is_refused_until_one_is_revoked(owner: Owner, acme: str) -> None:
    consumers.create_key(owner, acme)
    consumers.create_key(owner, acme)
    with pytest.raises(UsageError, match="acme has 2 live keys") as refused:
        consumers.create_key(owner, acme)
    assert refused.value.hint is not None
    number = int(re.findall(r"--credential (\d+)", refused.value.hint)[0])
    assert consumers.revoke(owner, acme, credential=number) == 1
    assert consumers.create_key(owner, acme)


def test_two_operators_at_once_do_not_make_a_third_key(owner: Owner, owner_url: str, acme: str) -> None:
    consumers.create_key(owner, acme)
    start, made = threading.Barrier(3), []

    def operator() -> None:
        with psycopg.connect(owner_url, autocommit=True) as connection:
            start.wait()
            try:
                made.append(consumers.create_key(connection, acme))
            except UsageError:
                made.append("")

    threads = [threading.Thread(target=operator) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(bool, made)) == [False, False, True]


def test_a_revoked_key_names_nobody(owner: Owner, acme: str) -> None:
    key = consumers.create_key(owner, acme)
    assert consumers.revoke(owner, acme) == 1
    assert consumers.load_register(owner).by_key(key) is None
    assert consumers.revoke(owner, acme) == 0


def test_a_legacy_token_becomes_known(owner: Owner, acme: str) -> None:
    consumers.add_credential(owner, acme, "query", "tok-ü")
    consumers.add_credential(owner, acme, "basic", "acme:pass")
    register = consumers.load_register(owner)
    assert register.by_credential("query", "tok-ü".encode()) == register.consumers["acme"]
    assert register.by_credential("basic", b"acme:pass") == register.consumers["acme"]
    assert register.by_credential("header", "tok-ü") is None


def test_one_token_cannot_name_two_consumers(owner: Owner, acme: str) -> None:
    consumers.add_consumer(owner, "bolt", "Bolt")
    consumers.add_credential(owner, acme, "query", "tok")
    with pytest.raises(UsageError, match="names acme already"):
        consumers.add_credential(owner, "bolt", "query", "tok")
    consumers.revoke(owner, acme)
    consumers.add_credential(owner, "bolt", "query", "tok")
    found = consumers.load_register(owner).by_credential("query", "tok")
    assert found is not None
    assert found.code == "bolt"


def test_hints_tell_credentials_apart_and_give_nothing_away(owner: Owner, acme: str) -> None:
    key = consumers.create_key(owner, acme)
    consumers.add_credential(owner, acme, "query", "short")
    consumers.add_credential(owner, acme, "header", "a-much-longer-token")
    (summary,) = consumers.consumer_summaries(owner)
    hints = [credential["hint"] for credential in summary["credentials"]]
    assert hints == [f"bnyn_…{key[-4:]}", "…", "a-…"]
    assert all("hash" not in credential for credential in summary["credentials"])


def test_every_change_makes_a_new_version(owner: Owner, acme: str) -> None:
    versions = [consumers.register_version(owner)]
    consumers.create_key(owner, acme)
    versions.append(consumers.register_version(owner))
    consumers.revoke(owner, acme)
    versions.append(consumers.register_version(owner))
    assert versions == sorted(set(versions))
    assert consumers.load_register(owner).version == versions[-1]


def test_the_use_of_a_credential_is_noted(owner: Owner, acme: str) -> None:
    key = consumers.create_key(owner, acme)
    consumers.create_key(owner, acme)
    register = consumers.load_register(owner)
    assert register.by_key(key) is not None
    run(owner, consumers.use_statement(register.take_used()))
    (summary,) = consumers.consumer_summaries(owner)
    assert [credential["last_used"] is not None for credential in summary["credentials"]] == [True, False]
    assert register.take_used() == frozenset()


@pytest.mark.parametrize(
    ("code", "scopes", "told"),
    [
        ("", [], "consumer code ''"),
        ("a b", [], "consumer code 'a b'"),
        ("x" * 64, [], "at most 63"),
        ("acme\n", [], "consumer code"),
        ("ok", ["orders"], "scope 'orders'"),
        ("ok", ["Orders:Read"], "scope 'Orders:Read'"),
    ],
)
def test_a_malformed_consumer_is_refused(owner: Owner, code: str, scopes: list[str], told: str) -> None:
    with pytest.raises(UsageError, match=re.escape(told)):
        consumers.add_consumer(owner, code, "name", scopes=scopes)
    assert consumers.load_register(owner).version == 0


def test_a_code_is_taken_once(owner: Owner, acme: str) -> None:
    with pytest.raises(UsageError, match="consumer acme exists already"):
        consumers.add_consumer(owner, acme, "again")


def test_an_unknown_consumer_gets_no_key_and_an_empty_secret_is_none(owner: Owner, acme: str) -> None:
    with pytest.raises(UsageError, match="there is no consumer nobody"):
        consumers.create_key(owner, "nobody")
    with pytest.raises(UsageError, match="there is no consumer nobody"):
        consumers.revoke(owner, "nobody")
    with pytest.raises(UsageError, match="acme has no credential 99"):
        consumers.revoke(owner, acme, credential=99)
    with pytest.raises(UsageError, match="the secret is empty"):
        consumers.add_credential(owner, acme, "query", "")
