"""Mobile login: a legacy user's name and password become short access tokens and refresh tokens that are used once."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from api_gateway.accounts.rows import by_username
from api_gateway.postgres import Server
from tests.support.accounts import PASSWORD, TOKENS, Front, Reply, fronted
from tests.support.commands import Banyan

LOCKED, PLAIN = "locked@shop.example", "bo@shop.example"


@pytest.fixture(scope="module")
def accounts_template(clone: Callable[[str], str], api_template: str) -> str:
    """Accounts whose hashes cost nothing: one iteration, as no app has them and every format allows."""
    import psycopg
    from django.conf import settings
    from django.contrib.auth.hashers import PBKDF2PasswordHasher

    if not settings.configured:
        settings.configure()
    hashed = PBKDF2PasswordHasher().encode(PASSWORD, "salt", 1)
    url = clone(api_template)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DELETE FROM user_acct")
        for login, customer, locked in ((PLAIN, 3, "N"), (LOCKED, 4, "Y"), ("ann@shop.example", 5, "N")):
            connection.execute(
                "INSERT INTO user_acct (login, pw_hash, cust_no, lst_login, lock_fl) VALUES (%s, %s, %s, now(), %s)",
                [login, hashed, customer, locked],
            )
    return url.rsplit("/", 1)[1]


@pytest.fixture
async def front(
    server: Server, clone: Callable[[str], str], accounts_template: str, tmp_path: Path
) -> AsyncIterator[Front]:
    async with fronted(server, clone(accounts_template), tmp_path) as one:
        yield one


async def test_name_and_password_give_tokens_that_act_for_the_account(front: Front) -> None:
    granted = await front.sign_in(PLAIN.upper())
    assert granted.status == 200, granted.json
    assert granted.header("cache-control") == "no-store"
    tokens = granted.json
    assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 300)
    me = (await front.with_token(tokens["access_token"])).json
    assert (me["kind"], me["values"]["cust_no"], me["values"]["username"]) == ("account", "3", PLAIN)
    customers = (await front.with_token(tokens["access_token"], "v1/customers")).json["data"]
    assert [one["number"] for one in customers] == [3]
    orders = (await front.with_token(tokens["access_token"], "v1/orders?limit=200")).json["data"]
    assert {one["customer_number"] for one in orders} <= {3}


async def test_json_is_taken_as_a_form_is_and_fewer_scopes_can_be_asked_for(front: Front) -> None:
    body = {"grant_type": "password", "username": PLAIN, "password": PASSWORD, "scope": "items:read"}
    head = [("content-type", "application/json")]
    granted = await front.ask("POST", "/api/auth/token", head, json.dumps(body).encode())
    assert granted.json["scope"] == "items:read"
    assert (await front.with_token(granted.json["access_token"], "v1/items")).status == 200
    assert (await front.with_token(granted.json["access_token"], "v1/orders")).code == "forbidden"
    more = await front.sign_in(PLAIN, scope="items:read orders:write")
    assert (more.status, more.code, more.json["error"]) == (400, "invalid_scope", "invalid_scope")


async def test_who_is_unknown_locked_or_wrong_is_told_the_same(front: Front) -> None:
    answers = [
        await front.sign_in("nobody@shop.example"),
        await front.sign_in(LOCKED),
        await front.sign_in(PLAIN, "another"),
        await front.sign_in("a\0b"),
        await front.sign_in(PLAIN, "x" * 2000),
    ]
    assert {(one.status, one.answer.body) for one in answers} == {(400, answers[0].answer.body)}
    assert (answers[0].code, answers[0].json["error"]) == ("invalid_grant", "invalid_grant")


async def test_as_much_is_hashed_for_nobody_as_for_somebody(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    verified: list[str] = []
    verifier = front.gateway._accounts.desk._verifier  # type: ignore[union-attr]  # this gateway has accounts
    matches = verifier.matches

    async def counted(password: str, stored: str) -> bool:
        verified.append(stored.rsplit("$", 2)[0])
        return await matches(password, stored)

    monkeypatch.setattr(verifier, "matches", counted)
    for name in ("nobody@shop.example", LOCKED, PLAIN):
        await front.sign_in(name, "wrong")
    assert verified == ["pbkdf2_sha256$1"] * 3


async def test_attempts_are_bounded_by_name_and_address_before_anything_is_hashed(front: Front) -> None:
    here, there = [("x-forwarded-for", "192.0.2.1")], [("x-forwarded-for", "192.0.2.2")]
    for _ in range(5):
        assert (await front.sign_in("victim@shop.example", "guess", headers=here)).status == 400
    stopped = await front.sign_in("victim@shop.example", "guess", headers=here)
    assert (stopped.status, stopped.code) == (429, "too_many_attempts")
    assert int(stopped.header("retry-after") or 0) > 0
    assert (await front.sign_in("victim@shop.example", "guess", headers=there)).status == 400


async def test_a_refresh_token_is_used_once_and_a_second_use_ends_the_whole_sign_in(front: Front) -> None:
    first = (await front.sign_in(PLAIN)).json
    second = (await front.refresh(first["refresh_token"])).json
    third = (await front.refresh(second["refresh_token"])).json
    assert len({first["refresh_token"], second["refresh_token"], third["refresh_token"]}) == 3
    assert (await front.with_token(third["access_token"])).status == 200
    reused = await front.refresh(first["refresh_token"])
    assert (reused.status, reused.code) == (400, "invalid_grant")
    assert (await front.refresh(third["refresh_token"])).code == "invalid_grant"
    assert (await front.with_token(third["access_token"])).status == 401
    assert front.rows("SELECT why FROM banyan.account_session") == [("reused",)]


async def test_two_tabs_that_refresh_at_once_are_given_the_same_token(front: Front) -> None:
    first = (await front.sign_in(PLAIN)).json
    one, other = await asyncio.gather(front.refresh(first["refresh_token"]), front.refresh(first["refresh_token"]))
    assert one.json["refresh_token"] == other.json["refresh_token"]
    assert (await front.with_token(one.json["access_token"])).status == 200
    assert (await front.refresh(one.json["refresh_token"])).status == 200


async def test_the_grace_of_a_used_token_ends(front: Front) -> None:
    first = (await front.sign_in(PLAIN)).json
    await front.refresh(first["refresh_token"])
    front.rows("UPDATE banyan.refresh_token SET used = used - interval '11 seconds' WHERE used IS NOT NULL")
    assert (await front.refresh(first["refresh_token"])).code == "invalid_grant"
    assert front.rows("SELECT why FROM banyan.account_session") == [("reused",)]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param("UPDATE user_acct SET lock_fl = 'Y'", id="locked"),
        pytest.param("UPDATE user_acct SET pw_hash = pw_hash || 'x'", id="another password"),
        pytest.param("DELETE FROM user_acct", id="gone"),
        pytest.param("UPDATE banyan.account_session SET expires = now()", id="too old"),
    ],
)
async def test_an_account_that_is_not_what_it_was_is_not_refreshed(front: Front, change: str) -> None:
    first = (await front.sign_in(PLAIN)).json
    front.rows(change)
    assert (await front.refresh(first["refresh_token"])).code == "invalid_grant"


async def test_signing_out_ends_every_copy_in_every_gateway_within_a_second(
    front: Front, server: Server, tmp_path: Path
) -> None:
    async with fronted(server, front.url, tmp_path / "other") as other:
        tokens = (await front.sign_in(PLAIN)).json
        assert (await other.with_token(tokens["access_token"])).status == 200
        out = await front.sign_out(headers=[("authorization", f"Bearer {tokens['access_token']}")])
        assert out.status == 200
        assert (await front.with_token(tokens["access_token"])).status == 401
        await asyncio.wait_for(_refused(other, tokens["access_token"]), 1)
    assert (await front.refresh(tokens["refresh_token"])).code == "invalid_grant"


async def _refused(front: Front, token: str) -> None:
    while (await front.with_token(token)).status != 401:
        await asyncio.sleep(0.02)


async def test_a_token_is_revoked_by_itself_and_everywhere_means_everywhere(front: Front) -> None:
    phone, tablet, other = [(await front.sign_in(name)).json for name in (PLAIN, PLAIN, "ann@shop.example")]
    assert (await front.sign_out(token=phone["refresh_token"])).status == 200
    assert (await front.with_token(phone["access_token"])).status == 401
    assert (await front.with_token(tablet["access_token"])).status == 200
    phone = (await front.sign_in(PLAIN)).json
    assert (await front.sign_out(token=tablet["access_token"], everywhere="true")).status == 200
    for ended in (phone, tablet):
        assert (await front.with_token(ended["access_token"])).status == 401
    assert (await front.with_token(other["access_token"])).status == 200
    assert (await front.sign_out(token="nobody's")).status == 200
    assert (await front.sign_out()).status == 401
    assert (await front.sign_out(token="nobody's", everywhere="perhaps")).code == "invalid_request"


def _told(token: str, part: int) -> dict[str, object]:
    text = token.split(".")[part]
    return dict(json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))))


async def test_a_token_that_was_made_up_changed_or_signed_otherwise_is_refused(front: Front) -> None:
    import jwt

    from api_gateway.accounts.keyring import Keyring

    good = (await front.sign_in(PLAIN)).json["access_token"]
    head, claims = _told(good, 0), _told(good, 1)
    key = Keyring([TOKENS]).first

    def made(changes: dict[str, object], headers: dict[str, object], secret: bytes | None, algorithm: str) -> str:
        return jwt.encode({**claims, **changes}, secret, algorithm, headers={**head, **headers})  # type: ignore[arg-type]  # no key, on purpose

    assert (await front.with_token(made({}, {}, key.signing, "HS256"))).status == 200
    forged = [
        good[:-3] + ("AAA" if not good.endswith("AAA") else "BBB"),
        made({}, {"alg": "none"}, None, "none"),
        made({"acc": "1", "sub": "app:1"}, {}, b"another secret that is long enough for it", "HS256"),
        made({}, {"alg": "HS384"}, key.signing + key.signing, "HS384"),
        made({}, {"typ": "JWT"}, key.signing, "HS256"),
        made({}, {"kid": "another"}, key.signing, "HS256"),
        made({"iss": "urn:banyan:other"}, {}, key.signing, "HS256"),
        made({"aud": "urn:banyan:other"}, {}, key.signing, "HS256"),
        made({"exp": 1}, {}, key.signing, "HS256"),
        made({"src": "nobody"}, {}, key.signing, "HS256"),
        "a.b.c",
        "..",
        "e30.e30.e30",
        good + "A" * 20_000,
    ]
    for token in forged:
        answer = await front.with_token(token)
        assert (answer.status, answer.code) == (401, "unauthenticated"), token
    more = made({"scope": "orders:read customers:write"}, {}, key.signing, "HS256")
    assert (await front.with_token(more)).json["scopes"] == ["orders:read"]


async def test_the_secret_is_changed_without_signing_anybody_out(front: Front, server: Server, tmp_path: Path) -> None:
    from pydantic import SecretStr

    tokens = (await front.sign_in(PLAIN)).json
    listed = SecretStr(f"a newer secret that is as long as it must be, {TOKENS}")
    async with fronted(server, front.url, tmp_path / "newer", token_secrets=listed) as newer:
        assert (await newer.with_token(tokens["access_token"])).status == 200
        again = (await newer.refresh(tokens["refresh_token"])).json
        assert (await newer.with_token(again["access_token"])).status == 200
        assert (await front.with_token(again["access_token"])).status == 401
        # a twin that meets a gateway with the older list is still given the same token
        twin = await newer.refresh(tokens["refresh_token"])
        assert twin.json["refresh_token"] == again["refresh_token"]


async def test_what_cannot_be_understood_is_told_at_once(front: Front) -> None:
    form = [("content-type", "application/x-www-form-urlencoded")]
    js = [("content-type", "application/json")]

    async def post(head: list[tuple[str, str]], body: bytes) -> Reply:
        return await front.ask("POST", "/api/auth/token", head, body)

    missing = await post(form, b"grant_type=password")
    assert missing.code == "invalid_request"
    assert [one["pointer"] for one in missing.json["errors"]] == ["/username", "/password"]
    assert (await post(form, b"")).json["error"] == "invalid_request"
    assert (await post(form, b"grant_type=magic")).code == "unsupported_grant_type"
    assert (await post(form, b"grant_type=password&grant_type=password")).code == "invalid_request"
    assert (await post(form, b"grant_type=%ff")).code == "invalid_request"
    assert (await post(js, b"[]")).code == "invalid_request"
    assert (await post(js, b"{")).code == "invalid_request"
    assert (await post(js, b'{"grant_type": 1}')).code == "invalid_request"
    assert (await post([("content-type", "text/plain")], b"x")).status == 415
    assert (await post(form, b"grant_type=password&source=staff&username=a&password=b")).code == "invalid_request"
    assert (await front.ask("GET", "/api/auth/token")).status == 405


async def test_a_key_and_a_token_together_are_refused(front: Front) -> None:
    token = (await front.sign_in(PLAIN)).json["access_token"]
    both = [("authorization", f"Bearer {token}"), ("x-api-key", "bnyn_other")]
    assert (await front.ask("GET", "/api/auth/me", both)).status == 401


async def test_no_secret_stands_in_our_tables(front: Front) -> None:
    tokens = (await front.sign_in(PLAIN)).json
    await front.refresh(tokens["refresh_token"])
    kept = front.rows(
        "SELECT to_jsonb(s)::text FROM banyan.account_session s UNION ALL"
        " SELECT to_jsonb(r)::text FROM banyan.refresh_token r"
    )
    text = " ".join(row[0] for row in kept)
    assert len(kept) == 3
    assert all(secret not in text for secret in (tokens["access_token"], tokens["refresh_token"], "pbkdf2", PASSWORD))


async def test_a_name_in_citext_is_compared_without_case_wherever_the_extension_lies(front: Front) -> None:
    front.rows("CREATE SCHEMA ext; CREATE EXTENSION citext SCHEMA ext; GRANT USAGE ON SCHEMA ext TO banyan_owner")
    front.rows("ALTER TABLE user_acct ALTER login TYPE ext.citext")
    front.rows(f"UPDATE user_acct SET login = '{PLAIN.title()}' WHERE login::text = '{PLAIN}' RETURNING 1")
    granted = await front.sign_in(PLAIN)
    assert granted.status == 200, granted.json


def test_a_name_is_looked_up_as_the_type_of_its_column_so_that_its_index_serves() -> None:
    from api_gateway.project import load_project
    from shared_models.statements import compiled
    from tests.support.api import NORTHGATE

    settings = load_project(NORTHGATE).configuration.accounts["app"]
    statement, values = compiled(by_username(settings, "Bo@Shop.example", {}))
    assert re.search(rb"user_acct.login (=|OPERATOR\(pg_catalog\.=\)) %\(\w+\)s\)? \n", statement)  # no cast
    assert "bo@shop.example" in values.values()


async def test_an_operator_sees_who_is_signed_in_and_ends_it_everywhere(
    front: Front, server: Server, tmp_path: Path
) -> None:
    owner = server.url(front.url.rsplit("/", 1)[1], user="banyan_owner")
    banyan = Banyan(tmp_path, {"BANYAN_OWNER_DATABASE_URL": owner})
    assert banyan("accounts", "list").out == "nobody is signed in.\n"
    first, second, other = [(await front.sign_in(name)).json for name in (PLAIN, PLAIN, "ann@shop.example")]
    known = banyan("accounts", "list", "--json").json
    accounts = [row["account"] for row in known]
    (whose,) = {account for account in accounts if accounts.count(account) == 2}
    assert (len(known), [row["of_legacy"] for row in known]) == (3, [False] * 3)
    assert not [token for token in (first["refresh_token"], first["access_token"]) if token in str(known)]

    answer = banyan("accounts", "sign-out", whose)
    assert (answer.code, answer.out) == (0, "2 ended, of 1 account.\n")
    assert len(banyan("accounts", "list", "--json").json) == 1
    for tokens in (first, second):
        assert (await front.refresh(tokens["refresh_token"])).code == "invalid_grant"
    async with asyncio.timeout(10):
        while (await front.with_token(first["access_token"])).status != 401:
            await asyncio.sleep(0.05)
    assert (await front.with_token(other["access_token"])).status == 200


@pytest.mark.parametrize(
    ("words", "code", "complaint"),
    [
        ([], 2, "say which: an account, --sign-in ID, or --all."),
        (["app:1", "--all"], 2, "say which: an account, --sign-in ID, or --all."),
        (["app:1"], 1, "nobody was signed in there."),
        (["--sign-in", "never"], 1, "nobody was signed in there."),
    ],
)
def test_a_sign_out_that_ends_nothing_says_so(
    server: Server,
    clone: Callable[[str], str],
    accounts_template: str,
    tmp_path: Path,
    words: list[str],
    code: int,
    complaint: str,
) -> None:
    owner = server.url(clone(accounts_template).rsplit("/", 1)[1], user="banyan_owner")
    answer = Banyan(tmp_path, {"BANYAN_OWNER_DATABASE_URL": owner})("accounts", "sign-out", *words)
    assert (answer.code, answer.complaint) == (code, complaint)
