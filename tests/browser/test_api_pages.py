"""The pages of the API in a real browser that reaches nothing but the gateway."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import uvicorn
from playwright.sync_api import BrowserContext, Page, Route, expect

from api_gateway.api.build import Databases, build_api
from api_gateway.api.contract import load_contract
from api_gateway.consumers import Register
from api_gateway.project import load_project
from shared_models.database import Database
from tests.browser.conftest import listen

pytestmark = pytest.mark.xdist_group("browser")
NORTHGATE = Path(__file__).parents[2] / "northgate_api"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The example's API. Its pages need no database."""
    nowhere = Database("", size=1, application_name="tests", statement_timeout=1, lock_timeout=1)
    project = load_project(NORTHGATE)
    app = build_api(project, load_contract(project), Register, Databases(nowhere, nowhere), secret="")
    server = uvicorn.Server(uvicorn.Config(app, port=0, access_log=False, log_config=None, lifespan="off"))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.fixture
def alone(open_browser: Callable[..., BrowserContext], address: str) -> tuple[Page, list[str]]:
    """A page, and what it asked of anybody else, which it did not get."""
    context = open_browser(viewport={"width": 1280, "height": 900})
    elsewhere: list[str] = []

    def let(route: Route) -> None:
        if urlsplit(route.request.url).netloc == urlsplit(address).netloc:
            route.continue_()
        else:
            elsewhere.append(route.request.url)
            route.abort()

    context.route("**/*", let)
    return context.new_page(), elsewhere


def test_the_api_is_shown_and_nothing_is_loaded_from_elsewhere(alone: tuple[Page, list[str]], address: str) -> None:
    page, elsewhere = alone
    heard = listen(page)
    answer = page.goto(f"{address}/api/docs")
    assert answer is not None
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "http" not in policy
    expect(page.get_by_role("heading", name="Northgate Supply API")).to_be_visible()
    listed = page.get_by_role("button", name="GET /api/v1/orders", exact=False).first
    expect(listed).to_be_visible()
    listed.click()
    expect(page.get_by_text("Ordered by").first).to_be_visible()
    page.get_by_role("button", name="Authorize").first.click()
    expect(page.get_by_role("heading", name="Available authorizations")).to_be_visible()
    # What Swagger UI says of itself: for a format that it has no input of its own for, it takes the plain one.
    said = [text for text in heard if not text.startswith("Could not find component: JsonSchema_")]
    assert (elsewhere, said) == ([], [])


def test_a_problem_type_leads_to_a_page_that_can_be_read(alone: tuple[Page, list[str]], address: str) -> None:
    page, elsewhere = alone
    heard = listen(page)
    page.goto(f"{address}/api/problems")
    page.get_by_role("link", name="idempotency_key_reused").click()
    expect(page.get_by_role("heading", name="idempotency_key_reused")).to_be_visible()
    expect(page.get_by_text("The key was used with another request")).to_be_visible()
    assert (elsewhere, heard) == ([], [])
