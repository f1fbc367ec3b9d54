"""Sessions of the legacy app: who signs in to the panel is known to the API, and signing out of one is out of both."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import httpx2
import pytest

from api_gateway.postgres import Server
from tests.support.accounts import (
    SECRET_KEY,
    Front,
    Reply,
    browser_signed_in,
    cookie_of,
    fronted,
    sign_out_of_panel,
)
from tests.support.legacy import running_legacy

LEGACY_SESSION = "urn:banyan:grant:legacy-session"
SAME_SITE = [("sec-fetch-site", "same-origin")]


@pytest.fixture(scope="module")
def shared_url(clone: Callable[[str], str], api_template: str) -> str:
    return clone(api_template)


@pytest.fixture(scope="module")
def legacy(shared_url: str) -> Iterator[str]:
    with running_legacy(shared_url, NORTHGATE_SECRET_KEY=SECRET_KEY) as url:
        yield url


@pytest.fixture(scope="module")
def clerk(legacy: str) -> Iterator[httpx2.Client]:
    """A clerk's browser, signed in to the panel and left so."""
    with contextlib.closing(browser_signed_in(legacy)) as client:
        yield client


@pytest.fixture
def leaving(legacy: str) -> Iterator[httpx2.Client]:
    """Another one, whose session may end."""
    with contextlib.closing(browser_signed_in(legacy)) as client:
        yield client


@pytest.fixture
async def front(server: Server, shared_url: str, tmp_path: Path) -> AsyncIterator[Front]:
    async with fronted(server, shared_url, tmp_path) as one:
        yield one


async def until(ask: Callable[[], Awaitable[Reply]], status: int) -> Reply:
    """The first answer with this status, within a second and a half."""
    async with asyncio.timeout(1.5):
        while (answer := await ask()).status != status:
            await asyncio.sleep(0.02)
    return answer


async def test_who_signs_in_to_the_panel_is_known_to_the_api(front: Front, clerk: httpx2.Client) -> None:
    me = (await front.with_cookie(cookie_of(clerk))).json
    assert (me["kind"], me["values"]["username"]) == ("staff", "clerk")
    assert me["code"].startswith("staff:")
    orders = await front.with_cookie(f"theme=dark; {cookie_of(clerk)}", "v1/orders?limit=1&total=exact")
    assert orders.status in (200, 400)  # whether totals may be asked is the contract's business
    assert len((await front.with_cookie(cookie_of(clerk), "v1/customers")).json["data"]) > 10


async def test_signing_out_of_the_panel_ends_the_api_within_a_second(front: Front, leaving: httpx2.Client) -> None:
    cookie = cookie_of(leaving)
    tokens = (await exchange(front, cookie)).json
    assert (await front.with_token(tokens["access_token"])).json["values"]["username"] == "clerk"
    sign_out_of_panel(leaving)
    await until(lambda: front.with_cookie(cookie), 401)
    await until(lambda: front.with_token(tokens["access_token"]), 401)
    assert (await front.refresh(tokens["refresh_token"])).code == "invalid_grant"


async def test_signing_out_of_the_api_ends_the_session_of_the_panel(front: Front, leaving: httpx2.Client) -> None:
    cookie = cookie_of(leaving)
    tokens = (await exchange(front, cookie)).json
    assert leaving.get("/panel/orders/").url.path == "/panel/orders/"
    await front.sign_out(token=tokens["refresh_token"])
    assert leaving.get("/panel/orders/").url.path == "/panel/login/"
    assert (await front.with_cookie(cookie)).status == 401


async def test_signing_out_with_the_cookie_itself_ends_it_too(front: Front, leaving: httpx2.Client) -> None:
    out = await front.sign_out(headers=[("cookie", cookie_of(leaving)), *SAME_SITE])
    assert out.status == 200
    assert leaving.get("/panel/orders/").url.path == "/panel/login/"


async def exchange(front: Front, cookie: str, headers: list[tuple[str, str]] | None = None) -> Reply:
    told = SAME_SITE if headers is None else headers
    return await front.token(grant_type=LEGACY_SESSION, headers=[("cookie", cookie), *told])


async def test_a_changed_password_ends_the_session(front: Front, clerk: httpx2.Client) -> None:
    front.rows("UPDATE auth_user SET password = password || ' ' WHERE username = 'clerk'")
    try:
        await until(lambda: front.with_cookie(cookie_of(clerk)), 401)
    finally:
        front.rows("UPDATE auth_user SET password = rtrim(password) WHERE username = 'clerk'")


@pytest.mark.parametrize("column", ["is_active", "is_staff"])
async def test_an_account_that_may_not_act_is_out(front: Front, clerk: httpx2.Client, column: str) -> None:
    front.rows(f"UPDATE auth_user SET {column} = false WHERE username = 'clerk'")
    try:
        await until(lambda: front.with_cookie(cookie_of(clerk)), 401)
    finally:
        front.rows(f"UPDATE auth_user SET {column} = true WHERE username = 'clerk'")


async def test_a_session_ends_by_the_databases_clock(front: Front, leaving: httpx2.Client) -> None:
    key = leaving.cookies["ngsid"]
    front.rows("UPDATE django_session SET expire_date = now() WHERE session_key = %s", key)
    assert (await front.with_cookie(cookie_of(leaving))).status == 401


async def test_a_session_that_another_key_has_signed_is_nobodys(
    front: Front, clerk: httpx2.Client, server: Server, tmp_path: Path
) -> None:
    from pydantic import SecretStr

    other = SecretStr("another secret key")
    async with fronted(server, front.url, tmp_path / "other", legacy_secret_key=other) as elsewhere:
        assert (await elsewhere.with_cookie(cookie_of(clerk))).status == 401
    both = SecretStr(f"another secret key\n{SECRET_KEY}")
    async with fronted(server, front.url, tmp_path / "both", legacy_secret_key=both) as elsewhere:
        assert (await elsewhere.with_cookie(cookie_of(clerk))).status == 200


async def test_a_write_with_the_cookie_from_another_site_changes_nothing(front: Front, clerk: httpx2.Client) -> None:
    head = [("cookie", cookie_of(clerk)), ("content-type", "application/merge-patch+json")]
    refused = await front.ask(
        "PATCH", "/api/v1/customers/3", [*head, ("sec-fetch-site", "cross-site")], b'{"city":"X"}'
    )
    assert (refused.status, refused.code) == (403, "cross_site")
    done = await front.ask("PATCH", "/api/v1/customers/3", [*head, *SAME_SITE], b'{"city":"Harrisburg"}')
    assert (done.status, done.json["city"]) == (200, "Harrisburg")
    who = front.rows("SELECT principal FROM banyan.journal ORDER BY id DESC LIMIT 1")[0][0]
    assert who.startswith("staff:")


async def test_credentials_never_add_up(front: Front, clerk: httpx2.Client, legacy: str) -> None:
    cookie = cookie_of(clerk)
    with contextlib.closing(browser_signed_in(legacy, "admin")) as admin:
        two = await front.with_cookie(f"{cookie}; {cookie_of(admin)}")
    assert (two.status, two.code) == (401, "unauthenticated")
    for head in (
        ("x-api-key", "bnyn_revoked"),
        ("authorization", "Bearer bnyn_revoked"),
        ("authorization", "Basic eA=="),
    ):
        answer = await front.ask("GET", "/api/auth/me", [("cookie", cookie), head])
        assert answer.status == 401, head


async def test_cookies_of_nobody_are_bounded_by_address_and_cost_no_one_else(
    front: Front, clerk: httpx2.Client
) -> None:
    here = ("x-forwarded-for", "203.0.113.9")
    statuses: list[int] = []
    while 429 not in statuses and len(statuses) < 300:  # it fills again by two in a second
        answer = await front.ask("GET", "/api/auth/me", [("cookie", f"ngsid=strangers{len(statuses)}"), here])
        statuses.append(answer.status)
    assert set(statuses[:120]) == {401}
    assert (statuses[-1], answer.code) == (429, "rate_limited")
    assert (await front.with_cookie(cookie_of(clerk))).status == 200


async def test_a_cookie_of_another_name_is_no_credential(front: Front, clerk: httpx2.Client) -> None:
    answer = await front.with_cookie(f"sessionid={clerk.cookies['ngsid']}")
    assert answer.status == 401
    assert answer.json["detail"] == "Send the key as Authorization: Bearer … or X-API-Key."
