"""The pages of jobs and consumers, as somebody sees them who looks each morning at what failed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import VIEWER, Console, listen, sign_in
from tests.browser.test_console_page import violations
from tests.browser.world import HOSTILE, HOSTILE_ATTRIBUTE

Open = Callable[..., BrowserContext]
PAGES = ["/jobs", "/jobs?state=failed", "/jobs/4", "/consumers", "/consumers/acme", "/inventory"]


def status_of(console: Console, number: int) -> str:
    with psycopg.connect(console.database_url) as connection:
        query = "SELECT status::text FROM banyan.procrastinate_jobs WHERE id = %s"
        return str((connection.execute(query, [number]).fetchone() or ("",))[0])


@pytest.fixture
def made_failed(console: Console) -> int:
    """A job of the test's own, which has failed."""
    with psycopg.connect(console.database_url) as connection:
        (number,) = connection.execute(
            "INSERT INTO banyan.procrastinate_jobs (queue_name, task_name, args, status) VALUES"
            " ('default', 'tidy_up', '{}', 'failed') RETURNING id"
        ).fetchone() or (0,)
        connection.execute("INSERT INTO banyan.job (id, owner, failures) VALUES (%s, 'consumer/bolt', 3)", [number])
    return int(number)


def test_failed_jobs_come_first_with_the_reason_and_the_overview_says_that_there_are_any(
    overview: Page, console: Console
) -> None:
    needs = overview.get_by_role("region", name="Needs you")
    needs.get_by_role("link", name="job").first.click()
    expect(overview).to_have_url(f"{console.url}/jobs?state=failed")
    overview.get_by_role("link", name="all").click()
    first = overview.locator("tbody tr").first
    expect(first).to_contain_text("close_books")
    expect(first).to_contain_text(HOSTILE)
    running = overview.get_by_role("row").filter(has_text="12,000 of 50,000")
    expect(running).to_contain_text("running")


def test_a_failed_job_is_tried_again_from_its_page(overview: Page, console: Console, made_failed: int) -> None:
    overview.goto(f"{console.url}/jobs/{made_failed}")
    overview.get_by_role("button", name="Try again").click()
    expect(overview.get_by_text("waiting").first).to_be_visible()
    assert status_of(console, made_failed) == "todo"
    overview.get_by_role("button", name="Cancel").click()
    expect(overview.get_by_text("cancelled").first).to_be_visible()
    assert status_of(console, made_failed) == "cancelled"
    expect(overview.get_by_role("button", name="Try again")).to_have_count(0)


def test_what_is_over_by_now_is_not_done_again_and_said_to_be_so(
    overview: Page, console: Console, made_failed: int
) -> None:
    overview.goto(f"{console.url}/jobs/{made_failed}")
    with psycopg.connect(console.database_url) as connection:
        connection.execute("UPDATE banyan.procrastinate_jobs SET status = 'cancelled' WHERE id = %s", [made_failed])
    with overview.expect_response("**/retry") as answer:
        overview.get_by_role("button", name="Try again").click()
    assert answer.value.status == 409
    expect(overview.get_by_text("It has not failed. Nothing was done.")).to_be_visible()


def test_a_form_that_is_not_of_this_session_changes_nothing(overview: Page, console: Console, made_failed: int) -> None:
    for token in ("", "x" * 64):
        answer = overview.request.post(
            f"{console.url}/jobs/{made_failed}/retry", form={"token": token}, headers={"Origin": console.url}
        )
        assert answer.status == 403
    assert status_of(console, made_failed) == "failed"


def test_a_viewer_may_look_and_not_act(page: Page, console: Console, made_failed: int) -> None:
    sign_in(page, console, VIEWER)
    page.goto(f"{console.url}/jobs/{made_failed}")
    expect(page.get_by_text("failed").first).to_be_visible()
    expect(page.get_by_role("button", name="Try again")).to_have_count(0)
    token = page.locator("input[name=token]").first.get_attribute("value") or ""
    address, form = f"{console.url}/jobs/{made_failed}/retry", {"token": token}
    answer = page.request.post(address, form=form, headers={"Origin": console.url})
    assert (answer.status, "You may look, not act" in answer.text()) == (403, True)
    assert status_of(console, made_failed) == "failed"


def test_rows_that_could_not_be_taken_are_told_without_what_they_held(overview: Page, console: Console) -> None:
    overview.goto(f"{console.url}/jobs/4")
    row = overview.get_by_role("region", name="Rows that could not be taken").get_by_role("row").nth(1)
    expect(row).to_contain_text("7 price bad_price")
    expect(row).to_contain_text(HOSTILE_ATTRIBUTE)


def test_a_consumer_shows_what_it_still_calls_and_the_mail_to_send(overview: Page, console: Console) -> None:
    overview.get_by_role("navigation").get_by_role("link", name="Consumers").click()
    row = overview.get_by_role("row").filter(has_text="Acme Hardware")
    expect(row).to_contain_text("it@acme.example v1 query 454")
    row.get_by_role("link").click()
    still = overview.get_by_role("region", name="Still called of the legacy protocol").get_by_role("row").nth(1)
    expect(still).to_contain_text("GET /partner/orders.xml")
    expect(still).to_contain_text("live")
    expect(still).to_contain_text("/api/v1/orders")
    mail = overview.get_by_role("region", name="The mail to send")
    expect(mail).to_contain_text("To: it@acme.example Subject: API: 1 address to leave")
    expect(overview.get_by_text(HOSTILE)).to_be_visible()


@pytest.mark.parametrize("path", PAGES)
def test_nobody_sees_them_who_has_not_signed_in(page: Page, console: Console, path: str) -> None:
    page.goto(console.url + path)
    expect(page).to_have_url(f"{console.url}/login")


@pytest.mark.parametrize("path", ["/jobs/999999", "/consumers/nobody"])
def test_what_is_not_there_is_said_to_be_so(overview: Page, console: Console, path: str) -> None:
    answer = overview.goto(console.url + path)
    assert answer is not None
    assert answer.status == 404


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 320)])
def test_axe_finds_nothing_and_nothing_scrolls_sideways(
    console: Console, open_browser: Open, cookies: Any, scheme: str, width: int
) -> None:
    viewport = {"width": width, "height": 800}
    page = open_browser(color_scheme=scheme, viewport=viewport, bypass_csp=True, storage_state=cookies).new_page()
    complaints = listen(page)
    for path in PAGES:
        page.goto(console.url + path)
        assert page.locator("script, img, iframe").count() == 0
        assert violations(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth") == width, path
    assert complaints == []


def test_on_the_first_day_they_say_what_will_be_there(page: Page, empty_console: Console) -> None:
    sign_in(page, empty_console)
    page.goto(f"{empty_console.url}/jobs")
    expect(page.get_by_text("No job yet")).to_be_visible()
    page.goto(f"{empty_console.url}/consumers")
    expect(page.get_by_text("Nobody is registered")).to_be_visible()
