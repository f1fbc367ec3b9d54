"""`banyan console account`: who may enter the console."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from api_gateway.console.accounts import ensure_console_account, find_account, hash_password, password_matches
from shared_models.migrations import upgrade
from shared_models.statements import run

PASSWORD = "correct horse battery"


@pytest.fixture
def migrated_url(database_url: str) -> str:
    upgrade(database_url)
    return database_url


def banyan(*words: str, url: str, given: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "api_gateway.cli", "console", *words],
        input=given,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "BANYAN_OWNER_DATABASE_URL": url, "BANYAN_STATE_DIR": str(folder)},
    )


def kept(url: str, username: str) -> list[dict[str, str]]:
    with psycopg.connect(url) as connection:
        return list(run(connection, find_account(username)))


def test_an_account_is_made_with_a_password_from_standard_input(migrated_url: str, tmp_path: Path) -> None:
    answer = banyan("account", "mira", "--role", "operator", url=migrated_url, given=f"{PASSWORD}\n", folder=tmp_path)
    assert (answer.returncode, answer.stdout) == (0, "mira may sign in to the console as operator.\n")
    (account,) = kept(migrated_url, "mira")
    assert account["role"] == "operator"
    assert password_matches(PASSWORD, account["password_hash"])
    assert PASSWORD not in account["password_hash"]


def test_the_same_name_again_gets_the_new_password_and_role(migrated_url: str, tmp_path: Path) -> None:
    for password in (PASSWORD, "another horse battery"):
        banyan("account", "mira", url=migrated_url, given=password, folder=tmp_path)
    (account,) = kept(migrated_url, "mira")
    assert password_matches("another horse battery", account["password_hash"])
    assert not password_matches(PASSWORD, account["password_hash"])


@pytest.mark.parametrize(
    ("username", "given", "said"),
    [
        ("mira", "short\n", "a password has 12 to 256 characters."),
        ("mira", "", "a password has 12 to 256 characters."),
        ("mira", "x" * 300, "a password has 12 to 256 characters."),
        ("mira smith", PASSWORD, "a username is up to 64 letters"),
        ("", PASSWORD, "a username is up to 64 letters"),
    ],
)
def test_what_cannot_be_used_is_told_in_one_line_and_nothing_is_kept(
    migrated_url: str, tmp_path: Path, username: str, given: str, said: str
) -> None:
    answer = banyan("account", username, url=migrated_url, given=given, folder=tmp_path)
    assert answer.returncode == 2
    assert answer.stderr.startswith(f"banyan: {said}")
    assert answer.stderr.count("\n") == 1
    assert kept(migrated_url, username) == []


def test_a_database_without_our_schema_is_told_in_one_line(database_url: str, tmp_path: Path) -> None:
    answer = banyan("account", "mira", url=database_url, given=PASSWORD, folder=tmp_path)
    assert answer.returncode == 2
    assert "has no schema banyan" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_ensuring_an_account_twice_keeps_its_hash_so_that_sessions_go_on(migrated_url: str) -> None:
    ensure_console_account(migrated_url, "operator", PASSWORD)
    first = kept(migrated_url, "operator")
    ensure_console_account(migrated_url, "operator", PASSWORD)
    assert kept(migrated_url, "operator") == first
    ensure_console_account(migrated_url, "operator", "another horse battery")
    assert kept(migrated_url, "operator") != first


def test_a_hash_tells_its_own_cost_and_never_repeats() -> None:
    first, second = hash_password(PASSWORD), hash_password(PASSWORD)
    assert first.startswith("scrypt$32768$8$3$")
    assert first != second
    assert password_matches(PASSWORD, first)
    assert not password_matches("", first)


def test_without_an_account_the_answer_is_no() -> None:
    assert not password_matches(PASSWORD, None)
