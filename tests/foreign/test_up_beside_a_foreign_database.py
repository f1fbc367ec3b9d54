"""`banyan up` beside a database and an app that nobody here wrote: drafted, served, and the app still in front."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx2
import psycopg
import pytest

from tests.support.foreign import loads
from tests.support.instance import run_banyan, up

pytestmark = [pytest.mark.xdist_group("zabbix"), pytest.mark.timeout(240)]


class _Frontend(BaseHTTPRequestHandler):
    """Any server-rendered app will do: what counts is that it is reached unchanged."""

    def do_GET(self) -> None:
        body = f"legacy says {self.path}".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass


@pytest.fixture
def legacy_url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Frontend)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_drafted_project_is_served_beside_the_app_that_runs(
    clone: Callable[[str], str], legacy_url: str, tmp_path: Path
) -> None:
    url = clone("template1")
    loads()["zabbix"](url)
    drafted = run_banyan("init", "zabbix_api", "--database-url", url, "--legacy-url", legacy_url, folder=tmp_path)
    assert drafted.returncode == 0, drafted.stderr
    words = ("--project", "zabbix_api", "--database-url", url, "--legacy-url", legacy_url)
    with up(tmp_path, *words) as instance:
        described = instance.description()
        edge = described["edge"]
        assert httpx2.get(f"{edge}/zabbix.php?action=x").text == "legacy says /zabbix.php?action=x"
        document = httpx2.get(f"{edge}/api/openapi.json").json()
        lists = [path for path in document["paths"] if "{" not in path]
        assert len(lists) > 150
        with httpx2.Client(base_url=edge, headers={"X-API-Key": described["keys"]["developer"]}) as client:
            answers = {path: client.get(path, params={"limit": 2}).status_code for path in lists}
        assert {path: status for path, status in answers.items() if status != 200} == {}
        added = instance.banyan("consumers", "add", "reader", "--scope", "hosts:read")
        assert added.returncode == 0, added.stderr
        key = instance.banyan("consumers", "key", "reader").stdout.strip()
        answer = httpx2.get(f"{edge}/api/v1/hosts?limit=2&sort=host", headers={"X-API-Key": key})
        assert answer.status_code == 200, answer.text
        assert [row["host"] for row in answer.json()["data"]] == _first_hosts(url)


def _first_hosts(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        rows = connection.execute('SELECT host FROM hosts ORDER BY host COLLATE "default", hostid LIMIT 2')
        return [host for (host,) in rows]
