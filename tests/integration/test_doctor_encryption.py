"""`banyan doctor` about what travels between Banyan and the database, and about whom pg_hba.conf lets in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from api_gateway.doctor.encryption import Line, encryption, line, weaker
from api_gateway.doctor.symptom import Symptom
from api_gateway.postgres import Server
from api_gateway.settings import Settings
from tests.support.debian_postgres import DebianServer


def found(url: str) -> list[Symptom]:
    with psycopg.connect(url, autocommit=True) as connection:
        return list(encryption(connection, url, Settings()))


def test_a_database_on_this_machine_needs_no_encryption(database_url: str, debian_server: DebianServer) -> None:
    for url in (database_url, debian_server.url()):
        assert [(one.severity, one.code) for one in found(url) if one.code == "encryption"] == [("ok", "encryption")]


@pytest.mark.parametrize(
    ("seen", "mode", "severity", "told"),
    [
        (Line(True, True, "TLSv1.3", False), "verify-full", "ok", "TLSv1.3"),
        (Line(True, True, "TLSv1.3", False), "verify-ca", "ok", "checked"),
        (Line(True, True, "TLSv1.3", False), "require", "warning", "nobody checks whose server it is: sslmode=require"),
        (Line(True, False, None, False), "prefer", "error", "unencrypted"),
        (Line(False, False, None, False), "prefer", "error", "unencrypted"),
        (Line(False, False, None, True), "prefer", "ok", "on this machine"),
    ],
)
def test_over_a_network_it_must_be_encrypted_and_the_server_known(
    seen: Line, mode: str, severity: str, told: str
) -> None:
    symptom = line(seen, mode)
    assert symptom.severity == severity
    assert told in symptom.message
    assert (severity == "ok") is (symptom.fix == "")
    if severity == "error":
        assert ("ssl = on" in symptom.fix) is not seen.server_can


def test_the_processes_own_addresses_are_looked_at_too_and_no_password_is_told() -> None:
    settings = Settings(
        api_database_url="postgresql://banyan_api:hunter2@db/x",
        read_database_url="postgresql://banyan_read:hunter2@db/x?sslmode=require",
        owner_database_url="postgresql://banyan_owner:hunter2@db/x?sslmode=verify-full",
    )
    told = [symptom.message for symptom in weaker(settings)]
    assert [message.split(":")[0] for message in told] == [
        "BANYAN_API_DATABASE_URL has sslmode=prefer",
        "BANYAN_READ_DATABASE_URL has sslmode=require",
    ]
    assert "hunter2" not in "".join(told)


@pytest.fixture
def hba_file(server: Server) -> Iterator[Path]:
    """The file as the view reads it; the server itself goes by it only after a reload, which never comes."""
    with psycopg.connect(server.url()) as connection:
        row = connection.execute("SHOW hba_file").fetchone()
    assert row is not None
    path = Path(row[0])
    before = path.read_text()
    yield path
    path.write_text(before)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("host all all 10.0.0.0/8 trust", ("warning", "lets in all from 10.0.0.0 without a password")),
        ("host all app 192.168.1.0 255.255.255.0 md5", ("warning", "takes md5 passwords of app from 192.168.1.0")),
        ("hostssl all all 0.0.0.0/0 scram-sha-256", ("warning", "matches nobody")),
        ("host all all 10.0.0.0/8 scram-sha-256", None),
        ("host all all 127.0.0.1/32 trust", None),
        ("local all all trust", None),
        ("host all all nonsense/99 trust", ("error", "cannot be read")),
    ],
)
def test_whom_the_file_lets_in_is_told_rule_by_rule(
    server: Server, hba_file: Path, rule: str, expected: tuple[str, str] | None
) -> None:
    hba_file.write_text(rule + "\n")
    (symptom,) = (one for one in found(server.url()) if one.code == "hba")
    if expected is None:
        assert symptom.severity == "ok"
    else:
        assert symptom.severity == expected[0]
        assert expected[1] in symptom.message
        assert symptom.fix


def test_who_may_not_read_the_file_is_told_nothing_of_it(server: Server, administrator_url: str) -> None:
    url = server.url(administrator_url.rsplit("/", 1)[1], user="banyan_read")
    assert {one.code for one in found(url)} == {"encryption"}
