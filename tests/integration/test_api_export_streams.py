"""A file on the wire: in memory that does not grow, cut where it breaks, given up when nobody takes it."""

from __future__ import annotations

import http.client
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

import psycopg
import pytest

from api_gateway.api import export_route
from api_gateway.api.contract import Contract
from api_gateway.consumers import Consumer
from api_gateway.postgres import Server
from api_gateway.project import load_project
from shared_models.binding import bind
from shared_models.catalog import read_snapshot
from shared_models.contract import Key, Resource, Rows
from shared_models.grants import grant_sql, grants, usage_sql
from shared_models.migrations import upgrade
from tests.support.api import NORTHGATE, Api, listening, serving

ROWS = 200_000
VIEWS = f"""
CREATE VIEW many AS SELECT n AS id, repeat('text ', 20) AS words FROM generate_series(1, {ROWS}) n;
CREATE TABLE numbers AS SELECT n FROM generate_series(1, 20000) n;
ALTER TABLE numbers ADD PRIMARY KEY (n);
ANALYZE numbers;
CREATE VIEW broken AS SELECT n AS id, 1000 / (15000 - n) AS words FROM numbers;
CREATE VIEW late AS SELECT n AS id, pg_sleep(60)::text AS words FROM generate_series(1, 1) n;
"""


class Many(Resource, table="many", path="many", rows=Rows.all()):
    id: Annotated[int | None, Key("id")]
    words: str | None


class Broken(Resource, table="broken", path="broken", rows=Rows.all()):
    id: Annotated[int | None, Key("id")]
    words: int | None


class Late(Resource, table="late", path="late", rows=Rows.all()):
    id: Annotated[int | None, Key("id")]
    words: str | None


@pytest.fixture(scope="module")
def database(clone: Callable[[str], str]) -> str:
    url = clone("template1")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(VIEWS.encode())
    upgrade(url)
    return url


@pytest.fixture(scope="module")
def api(server: Server, database: str) -> Iterator[Api]:
    """One export at a time."""
    module = ModuleType("files")
    vars(module).update(Many=Many, Broken=Broken, Late=Late)
    with psycopg.connect(database, autocommit=True) as connection:
        contract = Contract(bind(module, read_snapshot(connection, ["public"])), ())
        wanted = grants(contract.resources, [])
        for statement in [*usage_sql((grant.table_schema, grant.grantee) for grant in wanted), *grant_sql(wanted)]:
            connection.execute(statement.encode())
    consumer = Consumer("acme", "Acme", frozenset(contract.scopes()))
    url = server.url(database.rsplit("/", 1)[1], user="banyan_api")
    with serving(url, [consumer], project=load_project(NORTHGATE), contract=contract, exports=1) as served:
        yield served


@pytest.fixture(scope="module")
def address(api: Api) -> Iterator[str]:
    with listening(api) as found:
        yield found.removeprefix("http://")


@contextmanager
def asked(address: str, path: str) -> Iterator[http.client.HTTPResponse]:
    with closing(http.client.HTTPConnection(address, timeout=60)) as connection:
        connection.request("GET", f"/api/v1/{path}", headers={"x-api-key": "acme", "accept": "application/x-ndjson"})
        with connection.getresponse() as answer:
            yield answer


def status(address: str, path: str) -> int:
    with asked(address, path) as answer:
        answer.read()
        return answer.status


def begun(address: str, path: str) -> socket.socket:
    """A request on a socket of its own, whose answer nobody reads."""
    host, port = address.split(":")
    opened = socket.create_connection((host, int(port)), timeout=60)
    head = f"GET /api/v1/{path} HTTP/1.1\r\nhost: {address}\r\nx-api-key: acme\r\naccept: text/csv\r\n\r\n"
    opened.sendall(head.encode())
    return opened


def is_running(connection: psycopg.Connection[Any]) -> bool:
    query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'tests export' AND state = 'active'"
    row = connection.execute(query).fetchone()
    return row is not None and row[0] > 0


def wait(until: Callable[[], bool]) -> None:
    while not until():
        pass


def peak() -> int:
    """The most memory this process has held at once, in bytes."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text("ascii"))
    assert found is not None
    return int(found[1]) * 1024


def test_a_file_of_any_length_takes_no_more_memory(address: str) -> None:
    for path, count in (("many?limit=2000", 2000), ("many", ROWS)):
        Path("/proc/self/clear_refs").write_text("5", "ascii")  # the peak begins anew
        before = peak()
        lines = 0
        with asked(address, path) as answer:
            while chunk := answer.read1(65536):
                lines += chunk.count(b"\n")
        assert lines == count
    assert peak() - before < 5_000_000


def test_what_breaks_in_the_middle_does_not_end_like_a_file(address: str) -> None:
    with asked(address, "broken") as answer:
        assert answer.status == 200
        with pytest.raises(http.client.IncompleteRead):
            answer.read()


def test_who_goes_away_in_the_middle_gives_the_connection_free(address: str, database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        opened = begun(address, "many")
        assert opened.recv(65536)
        assert status(address, "many") == 503  # one at a time
        opened.close()
        wait(lambda: not is_running(connection))
        wait(lambda: status(address, "many?limit=1") == 200)


def test_who_goes_away_before_the_first_row_stops_the_query_too(address: str, database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        opened = begun(address, "late")
        wait(lambda: is_running(connection))
        opened.close()
        wait(lambda: not is_running(connection))
        wait(lambda: status(address, "many?limit=1") == 200)


def test_who_takes_nothing_any_more_is_cut_off(address: str, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_route, "STALLED_SECONDS", 0.2)
    with psycopg.connect(database, autocommit=True) as connection, begun(address, "many") as opened:
        assert opened.recv(1)
        wait(lambda: not is_running(connection))
        wait(lambda: status(address, "many?limit=1") == 200)
