"""`banyan doctor` beside real bad surroundings: each is told in one line with its fix."""

from __future__ import annotations

import subprocess
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psycopg
import pytest

from api_gateway.doctor import Surroundings, Symptom, examine
from api_gateway.doctor.legacy import legacy_paths
from api_gateway.doctor.pooler import pooler
from api_gateway.doctor.seen import legacy_sees
from api_gateway.postgres import Server, free_port, running
from api_gateway.postgres.identity import identity
from api_gateway.project import Configuration
from api_gateway.settings import Settings
from tests.support import pgbouncer
from tests.support.commands import Banyan
from tests.support.debian_postgres import DebianServer


def found(url: str, **settings: object) -> list[Symptom]:
    """Of the database only."""
    around = Surroundings(Configuration(name=""), Settings(**settings), url, None, with_edge=False)
    return examine(around)


def of(code: str, symptoms: list[Symptom]) -> list[tuple[str, str, str]]:
    return [(one.severity, one.message, one.fix) for one in symptoms if one.code == code]


def run(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def test_a_database_that_is_fit_has_no_errors(database_url: str) -> None:
    symptoms = found(database_url)
    assert [one for one in symptoms if one.severity == "error"] == []
    assert {"server_version", "encoding", "clock", "roles", "schema_banyan", "pooler", "connections"} <= {
        one.code for one in symptoms if one.severity == "ok"
    }


def test_debians_server_with_passwords_is_fit_too(debian_server: DebianServer) -> None:
    symptoms = found(debian_server.url())
    assert [one for one in symptoms if one.severity == "error"] == []


@pytest.fixture
def ascii_url(server: Server) -> str:
    name = f"ascii_{uuid.uuid4().hex[:8]}"
    run(server.url(), f"CREATE DATABASE {name} ENCODING 'SQL_ASCII' LOCALE_PROVIDER libc LOCALE 'C' TEMPLATE template0")
    return server.url(name)


def test_a_database_without_an_encoding_is_an_error(ascii_url: str) -> None:
    ((severity, message, fix),) = of("encoding", found(ascii_url))
    assert severity == "error"
    assert "SQL_ASCII" in message
    assert "-E UTF8" in fix


def test_a_login_without_rights_is_told_what_an_administrator_runs(database_url: str, server: Server) -> None:
    name = f"visitor_{uuid.uuid4().hex[:8]}"
    run(database_url, f"CREATE ROLE {name} LOGIN", "CREATE SCHEMA banyan")
    try:
        symptoms = found(server.url(database_url.rsplit("/", 1)[1], user=name))
        assert of("schema_banyan", symptoms) == [
            (
                "error",
                "there is a schema banyan that belongs to postgres",
                "If it is a leftover: ALTER SCHEMA banyan OWNER TO banyan_owner;",
            )
        ]
        run(database_url, "DROP SCHEMA banyan")
        ((severity, _, fix),) = of("schema_banyan", found(server.url(database_url.rsplit("/", 1)[1], user=name)))
        assert severity == "error"
        assert fix.startswith("The database's owner runs once: GRANT CREATE ON DATABASE ")
        assert fix.endswith(f" TO {name};")
    finally:
        run(database_url, f"DROP ROLE {name}")


def test_event_triggers_and_time_outs_of_our_roles_are_warnings(database_url: str) -> None:
    database = database_url.rsplit("/", 1)[1]
    run(
        database_url,
        "DO $$BEGIN IF to_regrole('banyan_api') IS NULL THEN CREATE ROLE banyan_api LOGIN; END IF; END$$",
        "CREATE FUNCTION watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'",
        "CREATE EVENT TRIGGER audit ON ddl_command_start EXECUTE FUNCTION watch()",
        f"ALTER ROLE banyan_api IN DATABASE {database} SET statement_timeout = '10s'",
    )
    symptoms = found(database_url)
    assert of("event_triggers", symptoms)[0][:2] == ("warning", "event triggers run at `banyan migrate up`: audit")
    severity, message, fix = of("timeouts", symptoms)[0]
    assert (severity, "banyan_api was given statement_timeout = 10s" in message) == ("warning", True)
    assert "RESET statement_timeout" in fix


def test_operators_that_would_be_taken_for_postgresqls_own_are_a_warning(database_url: str) -> None:
    assert of("shadows", found(database_url)) == []
    run(
        database_url,
        "CREATE FUNCTION never(varchar, varchar) RETURNS bool LANGUAGE sql AS 'SELECT false'",
        "CREATE OPERATOR public.= (LEFTARG = varchar, RIGHTARG = varchar, FUNCTION = never)",
        "CREATE EXTENSION citext",
    )
    ((severity, message, _),) = of("shadows", found(database_url))
    assert severity == "warning"
    assert message.endswith(": public.=(character varying, character varying)")


@pytest.fixture(scope="module")
def tight(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with few connections, short time-outs, another zone, and none of Banyan's roles."""
    settings = {"max_connections": "12", "TimeZone": "Asia/Kolkata", "statement_timeout": "60s"}
    with running(tmp_path_factory.mktemp("tight") / "data", settings=settings) as started:
        yield started


def test_a_server_without_room_is_an_error_with_the_numbers(tight: Server) -> None:
    symptoms = found(tight.url())
    ((severity, message, fix),) = of("connections", symptoms)
    assert severity == "error"
    assert message == "Banyan opens up to 59 connections (2 gateways of 11, and 37 besides); the server has 9 left"
    assert "BANYAN_POOL_SIZE" in fix
    assert of("time_zone", symptoms)[0][:2] == (
        "warning",
        "the server's TimeZone is Asia/Kolkata, api.time_zone is UTC",
    )
    assert of("timeouts", symptoms)[0][1] == "this login's sessions are bounded: statement_timeout = 60000 ms"
    assert of("roles", symptoms)[0][0] == "ok"


def test_what_others_use_is_counted(tight: Server) -> None:
    with psycopg.connect(tight.url()), psycopg.connect(tight.url()):
        assert "the server has 7 left" in of("connections", found(tight.url()))[0][1]


def test_a_login_that_may_not_make_roles_is_an_error_with_the_statements(tight: Server) -> None:
    run(tight.url(), "CREATE ROLE visitor LOGIN")
    ((severity, _, fix),) = of("roles", found(tight.url(user="visitor")))
    assert severity == "error"
    assert fix == (
        "An administrator runs once: CREATE ROLE banyan_owner LOGIN; CREATE ROLE banyan_api LOGIN;"
        " CREATE ROLE banyan_read LOGIN; GRANT banyan_owner TO visitor;"
    )


def test_a_hot_standby_is_an_error(tight: Server, tmp_path: Path) -> None:
    who, folder = identity(), tmp_path / "standby"
    tmp_path.chmod(0o777)
    copy = [
        tight.programs / "pg_basebackup",
        "-d",
        tight.url(),
        "-D",
        folder,
        "-R",
        "-X",
        "stream",
        "--no-sync",
        "-c",
        "fast",
    ]
    subprocess.run([*who.prefix, *copy], check=True, capture_output=True, **who.popen)
    with running(folder, settings={"max_connections": "12"}) as standby:
        symptoms = found(standby.url())
    assert of("standby", symptoms)[0][0] == "error"
    assert "primary" in of("standby", symptoms)[0][2]


@pytest.mark.parametrize(
    ("mode", "ignore", "expected"),
    [
        ("session", "", {("pooler", "ok"), ("settings_lost", "error")}),
        ("session", "options", {("pooler", "ok"), ("settings_lost", "error")}),
        ("transaction", "options", {("pooler", "warning"), ("pooler", "error"), ("settings_lost", "error")}),
        ("statement", "options", {("pooler", "error"), ("settings_lost", "error")}),
    ],
)
def test_a_pooler_in_between_is_told_with_its_mode(
    server: Server, tmp_path: Path, mode: str, ignore: str, expected: set[tuple[str, str]]
) -> None:
    with pgbouncer.running(tmp_path, server.port, mode, ignore=ignore) as port:
        symptoms = list(pooler(f"postgresql://postgres@127.0.0.1:{port}/postgres"))
    assert {(one.code, one.severity) for one in symptoms} == expected
    assert f"in {mode} mode" in symptoms[0].message
    lost = next(one for one in symptoms if one.code == "settings_lost")
    assert ("drops" if ignore else "refuses") in lost.message


def test_without_a_pooler_that_is_said(database_url: str) -> None:
    assert [(one.code, one.severity) for one in pooler(database_url)] == [("pooler", "ok")]


@contextmanager
def legacy(paths: dict[str, int], otherwise: int = 404, location: str | None = None) -> Iterator[str]:
    """An app that answers these paths so, and all others otherwise: its address."""

    class App(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = f"<p>You asked for {self.path}</p>".encode()
            self.send_response(paths.get(self.path, otherwise))
            if location is not None and self.path not in paths:
                self.send_header("Location", f"{location}?next={self.path}")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the library's name
            pass

    app = ThreadingHTTPServer(("127.0.0.1", 0), App)
    thread = threading.Thread(target=app.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{app.server_address[1]}"
    finally:
        app.shutdown()
        app.server_close()
        thread.join(5)


@pytest.mark.parametrize(
    ("paths", "otherwise", "location", "severity"),
    [
        ({}, 404, None, "ok"),
        ({"/api": 200}, 404, None, "error"),
        ({"/api/": 401}, 404, None, "error"),
        ({"/api/v1": 405}, 404, None, "error"),
        ({}, 200, None, "ok"),  # one page for everything
        ({}, 302, "/login", "ok"),  # everything leads to the login
        ({"/api": 404, "/api/": 404}, 302, "/login", "ok"),
        ({"/api/": 500}, 302, "/login", "error"),
    ],
)
def test_whether_legacy_uses_the_prefix_is_asked_and_compared_with_a_path_that_cannot_be_there(
    paths: dict[str, int], otherwise: int, location: str | None, severity: str
) -> None:
    with legacy(paths, otherwise, location) as url:
        (symptom,) = legacy_paths(url, "/api")
    assert symptom.severity == severity
    assert severity == "ok" or (next(iter(paths)) in symptom.message and "[api] prefix" in symptom.fix)


def test_a_legacy_app_that_is_not_there_is_an_error() -> None:
    (symptom,) = legacy_paths(f"http://127.0.0.1:{free_port()}", "/api")
    assert (symptom.code, symptom.severity) == ("legacy_paths", "error")


@pytest.mark.parametrize(
    ("hops", "severities", "told"),
    [
        (0, ["ok", "warning", "warning"], "what a client claims reaches legacy, followed by its true address"),
        (1, ["ok", "ok", "ok"], "legacy sees the client that the proxy in front says"),
    ],
)
def test_host_scheme_and_address_are_seen_through_a_real_edge(hops: int, severities: list[str], told: str) -> None:
    symptoms = list(legacy_sees(hops))
    assert [one.severity for one in symptoms] == severities
    assert symptoms[0].message == "legacy sees the Host that the client asked for"
    assert told in symptoms[2].message
    assert "203.0.113.7" in symptoms[2].message


def test_the_command_ends_with_1_where_something_is_not_fit(tmp_path: Path, ascii_url: str) -> None:
    banyan = Banyan(tmp_path, {"BANYAN_DATABASE_URL": ascii_url})
    with legacy({"/api": 200}) as url:
        answer = banyan("doctor", "--no-edge", "--json", "--legacy-url", url)
    assert answer.code == 1
    assert {one["code"] for one in answer.json["findings"] if one["severity"] == "error"} == {
        "encoding",
        "legacy_paths",
    }
    assert answer.json["looked_at"] == {"database": True, "legacy": True, "edge": False}


def test_the_command_ends_with_0_where_all_is_fit_and_says_what_was_not_looked_at(
    tmp_path: Path, database_url: str
) -> None:
    answer = Banyan(tmp_path, {"BANYAN_DATABASE_URL": database_url})("doctor", "--no-edge")
    assert answer.code == 0, answer.out
    assert "ok: the database is UTF8 [encoding]" in answer.out.splitlines()
    assert answer.out.splitlines()[-1].startswith("The legacy app was not looked at")


def test_the_command_ends_with_2_where_the_database_is_away(tmp_path: Path) -> None:
    answer = Banyan(tmp_path, {})("doctor", "--no-edge", "--database-url", "postgresql://me:hunter2@127.0.0.1:1/x")
    assert answer.code == 2
    assert answer.complaint.startswith("cannot connect to 127.0.0.1:1/x")
    assert "hunter2" not in answer.err
