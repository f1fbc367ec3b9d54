"""Who gets into the console, how long for, and what other sites can make a signed-in browser do: nothing."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx2
import psycopg
import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import insert

from api_gateway.console import create_console_account
from shared_models import state
from shared_models.statements import run
from tests.browser.conftest import PASSWORD, USERNAME, Console, served, sign_in, write_project

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)

pytestmark = pytest.mark.xdist_group("browser")


@pytest.fixture
def client(empty_console: Console) -> Iterator[httpx2.Client]:
    """A program that keeps cookies and follows nothing."""
    with httpx2.Client(base_url=empty_console.url, headers={"Origin": empty_console.url}) as opened:
        yield opened


def token(answer: httpx2.Response) -> str:
    found = re.search(r'name="token" value="([^"]+)"', answer.text)
    assert found, answer.text
    return found[1]


def knock(client: httpx2.Client, username: str = USERNAME, password: str = PASSWORD) -> httpx2.Response:
    form = {"token": token(client.get("/login")), "username": username, "password": password}
    return client.post("/login", data=form)


def test_the_right_password_opens_and_signing_out_closes(page: Page, console: Console) -> None:
    sign_in(page, console)
    expect(page).to_have_url(f"{console.url}/")
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(f"{console.url}/login")
    page.goto(console.url)
    expect(page).to_have_url(f"{console.url}/login")


def test_a_wrong_password_says_so_and_keeps_the_username(page: Page, console: Console) -> None:
    sign_in(page, console, password="not the password")
    expect(page.get_by_role("alert")).to_have_text("Username or password is wrong.")
    expect(page.get_by_label("Username")).to_have_value(USERNAME)
    expect(page.get_by_label("Password")).to_have_value("")


def test_an_unknown_username_gets_the_same_answer_as_a_wrong_password(client: httpx2.Client) -> None:
    wrong, unknown = knock(client, password="not the password"), knock(client, "nobody", "not the password")
    assert wrong.status_code == unknown.status_code == 403
    assert "Username or password is wrong." in wrong.text
    assert "Username or password is wrong." in unknown.text


def test_without_a_session_nothing_of_the_page_is_shown(client: httpx2.Client) -> None:
    answer = client.get("/")
    assert (answer.status_code, answer.headers["location"], answer.text) == (303, "/login", "")


def test_after_five_wrong_passwords_even_the_right_one_has_to_wait(client: httpx2.Client) -> None:
    assert [knock(client, password=f"wrong password {n}").status_code for n in range(5)] == [403] * 5
    answer = knock(client)
    assert answer.status_code == 429
    assert 0 < int(answer.headers["retry-after"]) <= 300
    assert "Too many attempts" in answer.text
    assert "banyan_console" not in client.cookies


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(client: httpx2.Client) -> None:
    cookie = next(c for c in knock(client).headers.get_list("set-cookie") if c.startswith("banyan_console="))
    assert {"HttpOnly", "Path=/", "SameSite=strict"} <= {part.strip() for part in cookie.split(";")}


def test_behind_tls_the_cookie_is_never_sent_in_the_clear(client: httpx2.Client) -> None:
    client.headers |= {"X-Forwarded-Proto": "https"}
    cookies = [*client.get("/login").headers.get_list("set-cookie"), *knock(client).headers.get_list("set-cookie")]
    kept = [cookie for cookie in cookies if "Max-Age=0" not in cookie]
    assert len(kept) >= 2
    assert [cookie for cookie in kept if "Secure" not in cookie] == []


def test_a_copy_of_the_cookie_is_worth_nothing_after_signing_out(client: httpx2.Client) -> None:
    knock(client)
    copied = client.cookies["banyan_console"]
    assert client.post("/logout", data={"token": token(client.get("/"))}).status_code == 303
    assert client.get("/", headers={"Cookie": f"banyan_console={copied}"}).status_code == 303


def test_a_new_password_ends_the_sessions_of_the_old_one(client: httpx2.Client, empty_console: Console) -> None:
    knock(client)
    assert client.get("/").status_code == 200
    with psycopg.connect(empty_console.database_url) as connection:
        create_console_account(connection, USERNAME, "another horse battery")
    assert client.get("/").status_code == 303


def test_a_forged_cookie_opens_nothing(client: httpx2.Client) -> None:
    knock(client)
    value = client.cookies["banyan_console"]
    forged = value[:10] + ("A" if value[10] != "A" else "B") + value[11:]
    for cookie in (forged, "", "x", value + "x", "a.b.c"):
        answer = httpx2.get(f"{client.base_url}/", headers={"Cookie": f"banyan_console={cookie}"})
        assert answer.status_code == 303


def test_signing_in_needs_the_token_of_the_form_that_this_browser_was_shown(
    client: httpx2.Client, empty_console: Console
) -> None:
    theirs = token(httpx2.get(f"{empty_console.url}/login"))
    client.get("/login")
    for wrong in ("", theirs):
        answer = client.post("/login", data={"token": wrong, "username": USERNAME, "password": PASSWORD})
        assert answer.status_code == 403
    assert "banyan_console" not in client.cookies


def test_signing_out_needs_the_token_of_this_session(client: httpx2.Client) -> None:
    knock(client)
    assert client.post("/logout", data={"token": "x"}).status_code == 403
    assert client.get("/").status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://elsewhere.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:8000"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
    ],
)
def test_a_post_that_another_origin_caused_is_refused_whatever_it_carries(
    client: httpx2.Client, headers: dict[str, str]
) -> None:
    knock(client)
    right = token(client.get("/"))
    answer = client.post("/logout", data={"token": right}, headers=headers)
    assert (answer.status_code, "another site" in answer.text) == (403, True)
    assert client.get("/").status_code == 200


def test_a_post_without_an_origin_is_refused(empty_console: Console) -> None:
    assert httpx2.post(f"{empty_console.url}/login", data={"username": USERNAME}).status_code == 403


def test_a_page_of_the_legacy_app_on_the_same_host_can_neither_post_nor_frame_nor_read(
    page: Page, console: Console
) -> None:
    sign_in(page, console)
    attack = f"""
        <form method=post action="{console.url}/logout" target=inside><input name=token value=x></form>
        <iframe name=inside></iframe><iframe name=framed src="{console.url}/"></iframe>
        <script>
          document.forms[0].submit();
          fetch("{console.url}/", {{credentials: "include"}})
            .then(answer => answer.text()).then(text => document.title = text, () => document.title = "refused");
        </script>"""
    page.route("http://127.0.0.1:1/", lambda route: route.fulfill(body=attack, content_type="text/html"))
    page.goto("http://127.0.0.1:1/")
    expect(page).to_have_title("refused")
    framed = page.frame("framed")
    assert framed is not None
    assert framed.url.startswith("chrome-error:")
    page.goto(console.url)
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()


@pytest.mark.parametrize("path", ["/", "/login", "/nowhere", "/static/console.css", "/static/nothing.css"])
def test_every_answer_carries_the_policy(client: httpx2.Client, path: str) -> None:
    headers = client.get(path).headers
    assert headers["content-security-policy"] == POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == ("no-cache" if path.startswith("/static/") else "no-store")


def test_no_page_has_anything_that_the_policy_would_have_to_allow(client: httpx2.Client) -> None:
    knock(client)
    for path in ("/", "/login", "/nowhere"):
        assert not re.search(r"<script|<style|\sstyle=|\son[a-z]+=|javascript:", client.get(path).text)


@pytest.mark.parametrize(
    ("content", "media_type", "status"),
    [
        (b"username=" + b"a" * 5000, "application/x-www-form-urlencoded", 413),
        (b"{}", "application/json", 415),
        (b"username=%ff", "application/x-www-form-urlencoded", 400),
        (b"username=\xff", "application/x-www-form-urlencoded", 400),
        (b"&".join(b"a=1" for _ in range(20)), "application/x-www-form-urlencoded", 400),
    ],
)
def test_a_form_that_is_no_form_of_ours_is_refused_with_a_page(
    client: httpx2.Client, content: bytes, media_type: str, status: int
) -> None:
    answer = client.post("/login", content=content, headers={"Content-Type": media_type})
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")


def test_other_methods_are_refused(client: httpx2.Client) -> None:
    assert client.put("/").status_code == 405
    assert client.request("TRACE", "/").status_code in (403, 405)


def test_a_database_that_is_away_is_said_and_the_page_looks_again(tmp_path: Path, closed_url: str) -> None:
    with served(write_project(tmp_path / "away"), closed_url) as console:
        with httpx2.Client(base_url=console.url, headers={"Origin": console.url}) as client:
            answer = knock(client)
    assert answer.status_code == 503
    assert answer.headers["refresh"] == "5"
    assert "The database is away" in answer.text
    assert "last stages they knew" in answer.text


def test_a_database_without_our_schema_is_said_and_nothing_of_its_own_words(tmp_path: Path, database_url: str) -> None:
    with served(write_project(tmp_path / "bare"), database_url) as console:
        with httpx2.Client(base_url=console.url, headers={"Origin": console.url}) as client:
            answer = knock(client)
    assert answer.status_code == 503
    assert "relation" not in answer.text
    assert "console_account" not in answer.text


def test_a_defect_is_answered_with_a_page_that_tells_nothing(client: httpx2.Client, empty_console: Console) -> None:
    knock(client)
    with psycopg.connect(empty_console.database_url) as connection:
        run(
            connection,
            insert(state.ledger).values(
                actor="x", kind="promotion", route="r", from_stage="legacy", to_stage="no-such-stage", reason="y"
            ),
        )
    answer = client.get("/")
    assert answer.status_code == 500
    assert "no-such-stage" not in answer.text
    assert answer.headers["content-security-policy"] == POLICY


@pytest.fixture
def closed_url() -> Iterator[str]:
    """An address that nobody listens on: bound, so that it stays so."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"postgresql://nobody@127.0.0.1:{held.getsockname()[1]}/nothing"
