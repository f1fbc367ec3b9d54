"""`banyan init` and `banyan up` beside a database and an app that nobody here wrote: Zabbix, and any web server."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx2
import pytest

from tests.support.foreign import loads
from tests.support.instance import run_banyan, up

pytestmark = [pytest.mark.xdist_group("zabbix"), pytest.mark.timeout(240)]


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """The test's output is no access log."""


@pytest.fixture
def old_app(tmp_path: Path) -> Iterator[str]:
    """A server that knows nothing of us."""
    pages = tmp_path / "pages"
    pages.mkdir()
    (pages / "index.html").write_text("<h1>the old app</h1>")
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(pages)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_drafted_project_is_served_beside_the_app_it_has_never_seen(
    clone: Callable[[str], str], tmp_path: Path, old_app: str
) -> None:
    url = clone("template1")
    loads()["zabbix"](url)
    drafted = run_banyan("init", "--database-url", url, "--legacy-url", old_app, "monitoring", folder=tmp_path)
    assert drafted.returncode == 0, drafted.stderr
    with up(tmp_path, "--project", "monitoring", "--database-url", url, "--legacy-url", old_app) as instance:
        described = instance.description()
        assert httpx2.get(described["edge"]).text == "<h1>the old app</h1>"
        key = described["keys"]["developer"]
        document = httpx2.get(described["edge"] + "/api/openapi.json").json()
        lists = [path for path in document["paths"] if "{" not in path]
        assert len(lists) > 150
        with httpx2.Client(base_url=described["edge"], headers={"X-API-Key": key}) as client:
            answers = {path: client.get(path, params={"limit": 2}).status_code for path in lists}
        assert {path: status for path, status in answers.items() if status != 200} == {}
        listed = instance.banyan("routes", "list")
        assert listed.returncode == 0, listed.stderr
