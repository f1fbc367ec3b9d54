"""Ask legacy: any app's own page tells who is signed in, here the panel's, and a made-up one that misbehaves."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from api_gateway.postgres import Server
from tests.support.accounts import Front, browser_signed_in, changed, cookie_of, fronted, sign_out_of_panel
from tests.support.legacy import running_legacy

STAFF = {"preset": "django", "kind": "staff", "scopes": ["orders:read"]}
LEGACY_SESSION = "urn:banyan:grant:legacy-session"
SAME_SITE = [("sec-fetch-site", "same-origin")]


@pytest.fixture(scope="module")
def shared_url(clone: Callable[[str], str], api_template: str) -> str:
    return clone(api_template)


@pytest.fixture(scope="module")
def legacy(shared_url: str) -> Iterator[str]:
    with running_legacy(shared_url) as url:
        yield url


async def test_the_panels_own_page_tells_who_is_signed_in_and_who_is_not_any_more(
    server: Server, shared_url: str, legacy: str, tmp_path: Path
) -> None:
    ask = {
        "path": "/panel/customers/",
        "cookies": ["ngsid"],
        "pattern": r'name="csrfmiddlewaretoken"[^>]*>([^<]+?) &middot;',
        "seconds": 0.2,
        "timeout": 10,
    }
    change = changed(accounts={"panel": {**STAFF, "ask": ask}})
    async with fronted(server, shared_url, tmp_path, change, legacy_url=legacy) as front:
        with contextlib.closing(await asyncio.to_thread(browser_signed_in, legacy)) as clerk:
            cookie = cookie_of(clerk)
            me = (await front.with_cookie(cookie)).json
            assert (me["kind"], me["values"]["username"]) == ("staff", "clerk")
            head = [("cookie", cookie), *SAME_SITE]
            tokens = (await front.token(grant_type=LEGACY_SESSION, headers=head)).json
            out = await front.sign_out(headers=head)
            assert (out.status, out.code) == (409, "sign_out_at_legacy")
            await asyncio.to_thread(sign_out_of_panel, clerk)
        async with asyncio.timeout(5):
            while (await front.with_cookie(cookie)).status != 401:
                await asyncio.sleep(0.05)
            while (await front.with_token(tokens["access_token"])).status != 401:
                await asyncio.sleep(0.05)
        assert (await front.refresh(tokens["refresh_token"])).code == "invalid_grant"


class App:
    """An app of another make: `GET /me` answers as it was told to, and remembers what it was asked."""

    def __init__(self) -> None:
        self.status, self.body, self.headers = 200, b"", dict[str, str]()
        self.asked: list[dict[str, str]] = []
        self.go = Event()
        self.go.set()
        app = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                app.asked.append({name.lower(): value for name, value in self.headers.items()} | {"path": self.path})
                app.go.wait(20)
                with contextlib.suppress(OSError):
                    self.send_response(app.status)
                    for name, value in app.headers.items():
                        self.send_header(name, value)
                    self.send_header("content-length", str(len(app.body)))
                    self.end_headers()
                    self.wfile.write(app.body)

            def log_message(self, *_: Any) -> None:
                """It says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def says(self, document: object, status: int = 200, **headers: str) -> None:
        self.body, self.status, self.headers = json.dumps(document).encode(), status, headers

    def close(self) -> None:
        self.go.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def app() -> Iterator[App]:
    one = App()
    yield one
    one.close()


def asking(app: App, **more: Any) -> dict[str, Any]:
    place = {} if {"header", "pattern"} & more.keys() else {"json_path": "user.login"}
    return {"path": "/me", "cookies": ["SID", "SID_SIG"], "seconds": 30, **place, **more}


@pytest.fixture
async def front(server: Server, shared_url: str, tmp_path: Path, app: App) -> AsyncIterator[Front]:
    change = changed(accounts={"panel": {**STAFF, "ask": asking(app)}})
    async with fronted(server, shared_url, tmp_path, change, legacy_url=app.url) as one:
        yield one


async def test_only_the_named_cookies_go_there_and_the_answer_is_kept(front: Front, app: App) -> None:
    app.says({"user": {"login": "clerk"}}, **{"set-cookie": "SID=planted"})
    for _ in range(3):
        assert (await front.with_cookie("theme=dark; SID=a; SID_SIG=b; other=secret")).status == 200
    (asked,) = app.asked
    assert (asked["cookie"], asked["host"], asked["path"]) == ("SID=a; SID_SIG=b", "shop.example", "/me")
    app.says({"user": {"login": "admin"}})
    assert (await front.with_cookie("SID=of another")).json["values"]["username"] == "admin"
    assert app.asked[-1]["cookie"] == "SID=of another"
    assert (await front.with_cookie("SID=a; SID_SIG=b")).json["values"]["username"] == "clerk"


async def test_many_who_ask_at_once_are_one_question(front: Front, app: App) -> None:
    app.says({"user": {"login": "clerk"}})
    app.go.clear()
    asked = [asyncio.ensure_future(front.with_cookie("SID=a")) for _ in range(10)]
    while not app.asked:
        await asyncio.sleep(0.01)
    asked.pop().cancel()  # one who leaves takes nobody along
    app.go.set()
    assert [one.status for one in await asyncio.gather(*asked)] == [200] * 9
    assert len(app.asked) == 1


@pytest.mark.parametrize(
    ("document", "status"),
    [
        ({"user": {"login": "nobody"}}, 200),
        ({"user": {"login": None}}, 200),
        ({"user": {"login": ["clerk"]}}, 200),
        ({"user": "clerk"}, 200),
        ({"user": {"login": True}}, 200),
        ("clerk", 200),
        ({"user": {"login": "clerk"}}, 302),
        ({"user": {"login": "clerk"}}, 401),
        ({"user": {"login": "clerk"}}, 201),
        ({"user": {"login": "clerk\n"}, "x": "y" * 300_000}, 200),
    ],
    ids=str,
)
async def test_whatever_is_not_a_plain_yes_is_a_no(front: Front, app: App, document: object, status: int) -> None:
    app.says(document, status)
    assert (await front.with_cookie("SID=a")).status == 401


@pytest.mark.parametrize("how", ["error", "slow", "away"])
async def test_an_app_that_does_not_answer_lets_nobody_in(front: Front, app: App, how: str) -> None:
    app.says({"user": {"login": "clerk"}}, 500 if how == "error" else 200)
    if how == "slow":
        app.go.clear()
    if how == "away":
        app.close()
    answer = await front.with_cookie("SID=a")
    assert (answer.status, answer.code) == (503, "legacy_silent")
    app.go.set()


async def test_a_header_of_the_answer_may_name_the_account_by_its_id(
    server: Server, shared_url: str, tmp_path: Path, app: App
) -> None:
    change = changed(accounts={"panel": {**STAFF, "ask": asking(app, header="X-User-Id", matches="id")}})
    async with fronted(server, shared_url, tmp_path, change, legacy_url=app.url) as front:
        ((number,),) = front.rows("SELECT id FROM auth_user WHERE username = 'clerk'")
        app.says({}, **{"x-user-id": str(number)})
        assert (await front.with_cookie("SID=a")).json["code"] == f"panel:{number}"
        app.says({}, **{"x-user-id": "1 OR 1=1"})
        assert (await front.with_cookie("SID=b")).status == 401
