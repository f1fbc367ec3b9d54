"""The database's own permissions are the contract's, column by column, and `banyan grants` keeps them so."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import errors

from api_gateway.postgres import Server

ROOT = Path(__file__).parent.parent.parent
COLUMNS = ("grantee", "table_schema", "table_name", "column_name", "privilege_type")

Banyan = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def banyan() -> Banyan:
    def run(*arguments: str, url: str = "") -> subprocess.CompletedProcess[str]:
        environment = {"PATH": "/usr/bin:/bin", "BANYAN_DATABASE_URL": url, "BANYAN_PROJECT": "northgate_api"}
        command = [sys.executable, "-m", "api_gateway.cli", *arguments]
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    return run


def granted(url: str, role: str) -> list[dict[str, Any]]:
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            f"SELECT {', '.join(COLUMNS)} FROM information_schema.column_privileges"
            " WHERE grantee = %s AND table_schema <> 'banyan' ORDER BY 1, 2, 3, 4, 5",
            [role],
        ).fetchall()
    return [dict(zip(COLUMNS, row, strict=True)) for row in rows]


@pytest.mark.parametrize("role", ["banyan_api", "banyan_read"])
def test_what_is_granted_is_what_banyan_grants_lists(banyan: Banyan, writing_url: str, role: str) -> None:
    listed = json.loads(banyan("grants", "--json", "--role", role).stdout)
    assert listed
    assert sorted(listed, key=lambda row: tuple(row.values())) == sorted(
        granted(writing_url, role), key=lambda row: tuple(row.values())
    )


def test_apply_revokes_what_is_too_much_grants_what_is_missing_and_is_then_done(
    banyan: Banyan, writing_url: str
) -> None:
    before = granted(writing_url, "banyan_api")
    with psycopg.connect(writing_url) as connection:
        connection.execute("GRANT SELECT (bal), UPDATE (bal) ON customer TO banyan_api")
        connection.execute("GRANT SELECT, DELETE ON partner, user_acct TO banyan_api, banyan_read")
        connection.execute("REVOKE SELECT (nm) ON customer FROM banyan_api")
    assert granted(writing_url, "banyan_api") != before
    assert banyan("grants", "--apply", url=writing_url).returncode == 0
    assert granted(writing_url, "banyan_api") == before
    assert "already" in banyan("grants", "--apply", url=writing_url).stdout


def test_a_login_that_may_not_grant_is_told_what_somebody_else_runs(
    banyan: Banyan, writing_url: str, server: Server
) -> None:
    with psycopg.connect(writing_url) as connection:
        connection.execute("REVOKE SELECT (nm) ON customer FROM banyan_api")
    name = writing_url.rsplit("/", 1)[1]
    answer = banyan("grants", "--apply", url=server.url(name, user="banyan_read"))
    assert answer.returncode == 2
    assert 'GRANT SELECT ("nm") ON "public"."customer" TO "banyan_api";' in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_database_that_is_away_is_one_line(banyan: Banyan) -> None:
    answer = banyan("grants", "--apply", url="postgresql://nobody@127.0.0.1:1/none")
    assert answer.returncode == 2
    assert len(answer.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT del_fl FROM user_acct",
        "SELECT pw_hash FROM user_acct",
        "SELECT api_tok FROM partner",
        "SELECT * FROM partner",
        "UPDATE customer SET cr_lim = 0",
        "DELETE FROM ord_hdr",
        "INSERT INTO item (item_no) VALUES ('X')",
        "SELECT * FROM banyan.ledger",
        "CREATE TABLE public.mine (id int)",
    ],
)
def test_the_api_role_can_do_nothing_else(writing_url: str, server: Server, statement: str) -> None:
    url = server.url(writing_url.rsplit("/", 1)[1], user="banyan_api")
    with psycopg.connect(url) as connection, pytest.raises((errors.InsufficientPrivilege, errors.UndefinedColumn)):
        connection.execute(statement.encode())


def test_the_generated_files_of_the_example_are_up_to_date(banyan: Banyan) -> None:
    answer = banyan("openapi", "--check")
    assert answer.returncode == 0, answer.stderr
    assert banyan("openapi").stdout == (ROOT / "northgate_api" / "contract.openapi.json").read_text("utf-8")


def test_the_snapshot_of_the_example_is_its_database(northgate_shared_url: str) -> None:
    from shared_models.catalog import read_snapshot

    with psycopg.connect(northgate_shared_url) as connection:
        live = read_snapshot(connection, ["public"]).to_json()
    assert live == (ROOT / "northgate_api" / "schema.lock.json").read_text("utf-8")
