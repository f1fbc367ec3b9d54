"""The same history on the distribution's older PostgreSQL, by an owner who is no superuser and has a password."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from shared_models import state
from shared_models.migrations import downgrade, status, upgrade
from tests.migration.dumps import dump
from tests.support.debian_postgres import DebianServer, running

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def older(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DebianServer]:
    with running(tmp_path_factory.mktemp("older") / "data") as server:
        yield server


def execute(url: str, script: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(script.encode())


def test_up_down_up_by_an_owner_who_may_create_roles(older: DebianServer) -> None:
    execute(older.url(), "CREATE ROLE boss_t LOGIN CREATEROLE PASSWORD 'p4ss'")
    execute(older.url(), "CREATE DATABASE legacy_t OWNER boss_t")
    execute(older.url("legacy_t"), (HERE / "legacy.sql").read_text())
    boss_url = older.url("legacy_t", user="boss_t", password="p4ss")
    before = dump(older, older.url("legacy_t"))
    upgrade(boss_url)
    assert status(boss_url).pending == ()
    downgrade(boss_url)
    assert dump(older, older.url("legacy_t")) == before
    upgrade(boss_url)
    assert status(boss_url).pending == ()


def test_going_down_takes_back_every_privilege(older: DebianServer) -> None:
    execute(older.url(), "CREATE DATABASE granted_t")
    url = older.url("granted_t")
    execute(url, (HERE / "legacy.sql").read_text().replace("legacy_clerk_t", "granted_clerk_t"))
    upgrade(url)
    before_grants = dump(older, url)
    execute(url, (HERE / "grants.sql").read_text())
    assert dump(older, url) != before_grants
    downgrade(url)
    text = dump(older, url)
    assert not [role for role in state.ROLES if role in text]
