"""The console's page in a real browser: what it shows, to whom, on which screen, and what it does not do."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect

from api_gateway import ledger
from tests.browser.conftest import Console, listen, sign_in
from tests.browser.world import HOSTILE, HOSTILE_ATTRIBUTE

Open = Callable[..., BrowserContext]
pytestmark = pytest.mark.xdist_group("browser")


def violations(page: Page) -> list[str]:
    return [
        f"{found['id']}: {found['nodes'][0]['html']} {found['nodes'][0].get('failureSummary', '')}"
        for found in Axe().run(page).response["violations"]
    ]


def test_the_page_shows_every_listed_route_with_its_stage_for_everyone(overview: Page, console: Console) -> None:
    for route in console.project.routes:
        expect(overview.get_by_role("rowheader", name=route)).to_be_visible()
    row = overview.get_by_role("row", name="orders.list")
    expect(row.get_by_role("cell").first).to_contain_text("shadow")
    expect(row.get_by_role("cell").first).to_contain_text("1,701 calls")


def test_a_consumer_with_a_stage_of_its_own_shows_it_beside_the_routes(overview: Page) -> None:
    heads = overview.locator("table.matrix").get_by_role("columnheader").all_inner_texts()
    acme = overview.get_by_role("row", name="orders.list").get_by_role("cell").nth(heads.index("acme") - 1)
    expect(acme).to_contain_text("live")
    expect(acme).to_contain_text("454")


def test_evidence_says_what_there_is_what_is_needed_and_when_it_will_be_there(overview: Page) -> None:
    proof = overview.locator("article").filter(has_text="orders.status for delta")
    expect(proof.get_by_role("listitem").filter(has_text="comparisons")).to_contain_text("53 of 20")
    expect(proof.get_by_role("listitem").filter(has_text="request shapes")).to_contain_text(
        re.compile(r"2 of 3 in \d+ min")
    )
    expect(proof).to_contain_text("median legacy 41.0 ms, modern 6.0 ms")


def test_a_mismatch_shows_the_place_and_both_values(overview: Page) -> None:
    proof = overview.locator("article").filter(has_text="orders.list for bolt")
    row = proof.get_by_role("row").filter(has_text="/orders/order[*]/total")
    expect(row).to_contain_text("1,204.50")
    seen, proved = proof.get_by_role("listitem").filter(has_text="mismatches").all()
    expect(seen).to_contain_text("2 allowed 0")
    expect(proved).to_contain_text("0 allowed 0")


def test_what_needs_a_person_comes_first_and_names_the_command(overview: Page) -> None:
    needs = overview.get_by_role("region", name="Needs you").get_by_role("listitem")
    expect(needs.first).to_contain_text("app 4102 acts on ledger version 6")
    expect(needs.filter(has_text="orders.list for bolt")).to_contain_text("2 mismatches")
    expect(needs.last).to_contain_text("banyan routes move invoice.text shadow")


def test_each_process_shows_the_version_it_has_acknowledged(overview: Page) -> None:
    processes = overview.get_by_role("region", name="Processes").get_by_role("listitem")
    expect(processes.filter(has_text=":4101")).to_contain_text("at version 7, the newest")
    expect(processes.filter(has_text=":4102")).to_contain_text("at version 6, 1 behind")
    expect(processes.filter(has_text=":3999")).to_contain_text(re.compile(r"silent since \d+ min ago"))


def test_the_last_moves_show_stages_reason_and_who_overrode_the_evidence(overview: Page) -> None:
    moves = overview.get_by_role("region", name="Last moves").get_by_role("listitem")
    expect(moves).to_have_count(7)
    expect(moves.filter(has_text="second partner")).to_contain_text("without the evidence, by mira")
    expect(moves.filter(has_text="differs in totals")).to_contain_text("rollback")


def test_who_calls_is_sorted_by_calls_and_says_when_last(overview: Page) -> None:
    rows = overview.get_by_role("region", name="Who calls").locator("tbody tr")
    expect(rows.first).to_contain_text("bolt Bolt & Sons")
    expect(rows.first).to_contain_text("1,247")
    expect(rows.first.locator("time")).to_have_attribute("datetime", re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"))
    expect(rows.last).to_contain_text("nobody was named")


def test_an_installation_on_its_first_day_says_what_to_do_next(page: Page, empty_console: Console) -> None:
    sign_in(page, empty_console)
    for sentence in ("No route is listed", "nothing is being compared", "No move yet", "Nobody is registered"):
        expect(page.get_by_text(sentence)).to_be_visible()


@pytest.mark.parametrize("hostile", [HOSTILE, HOSTILE_ATTRIBUTE])
def test_names_and_reasons_that_look_like_scripts_are_shown_as_text(page: Page, console: Console, hostile: str) -> None:
    complaints = listen(page)
    sign_in(page, console)
    assert page.get_by_text(hostile).count() >= 2
    assert page.locator("script, img, iframe, object, embed").count() == 0
    expect(page).to_have_title("northgate · Banyan")
    assert complaints == []


def test_characters_that_turn_the_line_around_are_made_visible(overview: Page) -> None:
    assert "\u202e" not in overview.content()
    expect(overview.get_by_text("in\\u202evoice.txt").last).to_be_attached()


def test_nothing_is_written_to_the_browsers_console(page: Page, console: Console) -> None:
    complaints = listen(page)
    page.goto(f"{console.url}/login")
    sign_in(page, console)
    page.goto(f"{console.url}/?refresh=on")
    assert complaints == []


def test_the_page_is_whole_without_javascript(console: Console, open_browser: Open) -> None:
    page = open_browser(java_script_enabled=False).new_page()
    sign_in(page, console)
    expect(page.get_by_role("row", name="orders.list")).to_be_visible()
    page.get_by_text("The last mismatch").first.click()
    expect(page.get_by_role("cell", name="1,204.50").first).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()


def test_refreshing_is_off_until_asked_for_and_can_be_stopped(overview: Page, console: Console) -> None:
    assert "refresh" not in overview.goto(console.url).headers
    with overview.expect_response(f"{console.url}/?refresh=on") as answer:
        overview.get_by_role("link", name="Refresh every 10 s").click()
    assert answer.value.headers["refresh"] == "10"
    with overview.expect_response(f"{console.url}/") as answer:
        overview.get_by_role("link", name="stop").click()
    assert "refresh" not in answer.value.headers


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_the_page_itself_never_scrolls_sideways(console: Console, cookies: Any, open_browser: Open, width: int) -> None:
    viewport = {"width": width, "height": 800}
    for path, state in (("/login", None), ("/", cookies)):
        page = open_browser(viewport=viewport, storage_state=state).new_page()
        page.goto(console.url + path)
        assert page.evaluate("document.documentElement.scrollWidth") == width


def test_on_a_phone_each_route_is_a_block_with_the_consumers_that_matter(console: Console, open_browser: Open) -> None:
    page = open_browser(viewport={"width": 390, "height": 800}).new_page()
    sign_in(page, console)
    row = page.get_by_role("row", name="stock.csv")
    expect(row.get_by_text("crane")).to_be_visible()
    expect(row.get_by_text("bolt")).to_be_hidden()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_axe_finds_nothing_on_any_page(console: Console, open_browser: Open, scheme: str, width: int) -> None:
    page = open_browser(color_scheme=scheme, viewport={"width": width, "height": 800}, bypass_csp=True).new_page()
    page.goto(f"{console.url}/nowhere")
    assert violations(page) == []
    sign_in(page, console, password="a wrong password")
    assert violations(page) == []
    sign_in(page, console)
    expect(page.get_by_role("heading", name="Evidence")).to_be_visible()
    assert violations(page) == []


def test_axe_finds_nothing_on_the_first_day(empty_console: Console, open_browser: Open) -> None:
    page = open_browser(bypass_csp=True).new_page()
    sign_in(page, empty_console)
    assert violations(page) == []


def test_a_freeze_stands_above_everything_until_it_is_ended(page: Page, empty_console: Console) -> None:
    with psycopg.connect(empty_console.database_url) as connection:
        ledger.set_freeze(connection, frozen=True, actor="mira", reason=f"the yearly count {HOSTILE}")
    sign_in(page, empty_console)
    page.goto(empty_console.url)
    banner = page.get_by_role("status").filter(has_text="Frozen")
    expect(banner).to_contain_text("by mira: the yearly count")
    expect(banner).to_contain_text("Nothing moves by itself")
    assert violations(page) == []
    with psycopg.connect(empty_console.database_url) as connection:
        ledger.set_freeze(connection, frozen=False, actor="mira", reason="counted")
    page.reload()
    expect(banner).to_have_count(0)
