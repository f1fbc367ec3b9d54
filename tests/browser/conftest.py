"""The console as a program on a port, looked at in a real browser: Debian's Chromium, driven by Playwright."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page
from pydantic import SecretStr

from api_gateway.console import build_console, create_console_account
from api_gateway.evidence.fingerprint import fingerprint_of
from api_gateway.project import Project, load_project
from api_gateway.settings import Settings
from shared_models.migrations.history import upgrade
from tests.browser.world import fill
from tests.support.outside import CHROMIUM

USERNAME, VIEWER, PASSWORD = "mira", "jo", "correct horse battery"
_ROUTES = """
from typing import Annotated

from fastapi import Header

from api_gateway.routes import BasicAuth, HeaderToken, QueryToken, Route


def orders(token: str) -> str:
    return token


def status(no: int, token: Annotated[str, Header(alias="X-Partner-Token")]) -> str:
    return f"{no} {token}"


routes = [
    Route("orders.list", "GET", "/partner/orders.xml", QueryToken("token"), mimic=orders, successor="/api/v1/orders"),
    Route("orders.status", "GET", "/partner/order_status", HeaderToken("X-Partner-Token"), mimic=status),
    Route("orders.intake", "POST", "/partner/order_in"),
    Route("stock.csv", "GET", "/partner/stock.csv", QueryToken("token")),
    Route("prices", "GET", "/index.php", HeaderToken("X-Partner-Token"), query={"action": "price"}),
    Route("invoice.text", "GET", "/partner/invoice/{no}.txt", BasicAuth(), mimic=orders),
]
"""


@dataclass(frozen=True)
class Console:
    """A running console: where it listens, its database, its project."""

    url: str
    database_url: str
    project: Project


def write_project(folder: Path, *, routes: str = _ROUTES) -> Project:
    folder.mkdir()
    (folder / "banyan.toml").write_text('name = "northgate"\n')
    (folder / "routes.py").write_text(routes)
    return load_project(folder)


def candidates(project: Project) -> dict[str, str]:
    return {name: fingerprint_of(project, route) for name, route in project.routes.items()}


@contextmanager
def served(project: Project, database_url: str) -> Iterator[Console]:
    settings = Settings(owner_database_url=SecretStr(database_url), session_secret=SecretStr("of the tests"))
    app = build_console(settings, project=project)
    server = uvicorn.Server(uvicorn.Config(app, port=0, access_log=False, log_config=None, lifespan="on"))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield Console(f"http://127.0.0.1:{port}", database_url, project)
    finally:
        server.should_exit = True
        thread.join()


def prepared(database_url: str) -> str:
    upgrade(database_url)
    with psycopg.connect(database_url) as connection:
        create_console_account(connection, USERNAME, PASSWORD, "operator")
        create_console_account(connection, VIEWER, PASSWORD)
    return database_url


@pytest.fixture(scope="module")
def console(clone: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """A console in which something has happened; for tests that leave it as it is."""
    project = write_project(tmp_path_factory.mktemp("console") / "busy")
    url = prepared(clone("template1"))
    with psycopg.connect(url) as connection:
        fill(connection, candidates(project))
    with served(project, url) as running:
        yield running


@pytest.fixture
def empty_console(database_url: str, tmp_path: Path) -> Iterator[Console]:
    """A console on the first day: nothing listed, nobody registered, nothing moved. The test's own."""
    with served(write_project(tmp_path / "quiet", routes="routes = []\n"), prepared(database_url)) as running:
        yield running


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    flags = "no-sandbox disable-gpu disable-quic no-first-run disable-background-networking disable-component-update"
    return {
        "executable_path": str(CHROMIUM),
        "headless": True,
        "args": [f"--{flag}" for flag in [*flags.split(), "disable-sync"]],
    }


@pytest.fixture
def page(open_browser: Callable[..., BrowserContext]) -> Page:
    """A fresh browser. (The plugin's own fixture leans on pytest-base-url, which pytest warns of.)"""
    return open_browser(viewport={"width": 1280, "height": 900}).new_page()


@pytest.fixture(scope="module")
def cookies(console: Console, browser: Browser) -> Any:
    """Cookies of somebody who has signed in to `console`: most tests are about what comes after."""
    context = browser.new_context()
    sign_in(context.new_page(), console)
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def overview(open_browser: Callable[..., BrowserContext], console: Console, cookies: Any) -> Page:
    """The overview of `console`, signed in."""
    page = open_browser(viewport={"width": 1280, "height": 900}, storage_state=cookies).new_page()
    page.goto(console.url)
    return page


def listen(page: Page) -> list[str]:
    """What the browser writes to its console from now on: violations of the policy, missing files, errors."""
    heard: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            heard.append(message.text)

    page.on("console", hear)
    page.on("pageerror", lambda error: heard.append(str(error)))
    return heard


def sign_in(page: Page, console: Console, username: str = USERNAME, password: str = PASSWORD) -> None:
    page.goto(f"{console.url}/login")
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


@pytest.fixture
def open_browser(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Further browsers, such as a phone, one without scripts, or a dark one."""
    opened: list[BrowserContext] = []

    def open_one(**options: Any) -> BrowserContext:
        opened.append(browser.new_context(**options))
        return opened[-1]

    yield open_one
    for context in opened:
        context.close()
