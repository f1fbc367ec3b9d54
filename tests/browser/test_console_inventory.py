"""The page of what is not listed: endpoints with callers and last use, and entries to paste."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Console, sign_in

pytestmark = pytest.mark.xdist_group("browser")


def test_endpoints_are_shown_with_calls_callers_and_entries_for_routes(overview: Page, console: Console) -> None:
    overview.goto(f"{console.url}/inventory")
    row = overview.get_by_role("row").filter(has_text="/panel/order/{id}/edit")
    expect(row).to_contain_text("1,240")
    expect(row).to_contain_text("user mira")
    expect(row).to_contain_text("200, 403")
    entries = overview.get_by_role("region", name="Entries for routes.py")
    expect(entries).to_contain_text('Route("panel.order.edit", "GET", "/panel/order/{id}/edit", consumer=BasicAuth()),')
    expect(overview).to_have_title("Inventory · Banyan")


def test_a_path_that_holds_a_script_is_only_text(overview: Page, console: Console) -> None:
    overview.goto(f"{console.url}/inventory")
    expect(overview.get_by_role("row").filter(has_text="<script>")).to_have_count(1)
    expect(overview).to_have_title("Inventory · Banyan")


def test_where_nothing_was_seen_it_says_how_to_begin(page: Page, empty_console: Console) -> None:
    sign_in(page, empty_console)
    page.goto(f"{empty_console.url}/inventory")
    expect(page.get_by_text("Nothing has been seen that is not listed.")).to_be_visible()
