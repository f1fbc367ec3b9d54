"""API keys: an end, fewer scopes, rotated without a gap; and test keys, which change nothing."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from api_gateway import consumers
from api_gateway.consumers import Register, identify
from api_gateway.errors import UsageError
from api_gateway.routes import HeaderToken, Route
from tests.support.accounts import Front, fronted
from tests.support.commands import Banyan

Owner = psycopg.Connection[Any]
SCOPES = ["orders:read", "orders:write", "customers:read", "customers:write"]


@pytest.fixture
def banyan(tmp_path: Path, owner_url: str, owner: Owner) -> Banyan:
    consumers.add_consumer(owner, "acme", "Acme", scopes=SCOPES, values={"prt_cd": "ACME"})
    return Banyan(tmp_path, {"BANYAN_OWNER_DATABASE_URL": owner_url})


def found(owner: Owner, key: str) -> consumers.Consumer | None:
    return consumers.load_register(owner).by_key(key)


def test_a_key_ends_by_the_databases_clock(banyan: Banyan, owner: Owner) -> None:
    key = banyan("consumers", "key", "acme", "--expires-in", "1h").out.strip()
    assert found(owner, key) is not None
    register = consumers.load_register(owner)
    owner.execute("UPDATE banyan.credential SET expires = clock_timestamp() - interval '1 second'")
    assert register.by_key(key) is not None
    assert found(owner, key) is None
    assert banyan("consumers", "list", "--json").json[0]["credentials"][0]["expires"] is not None


def test_a_clock_of_ours_that_is_wrong_lets_no_key_live_longer(banyan: Banyan, owner: Owner) -> None:
    key = consumers.create_key(owner, "acme", expires_in=timedelta(hours=1))
    document = consumers.load_register(owner).as_json()
    later = Register.from_json({**document, "now": time.time() + 3601})
    assert later.by_key(key) is None
    assert Register.from_json({**document, "now": time.time() - 10}).by_key(key) is not None


def test_a_key_may_have_fewer_scopes_than_its_consumer_and_never_more(banyan: Banyan, owner: Owner) -> None:
    key = banyan("consumers", "key", "acme", "--scope", "orders:read").out.strip()
    narrowed = found(owner, key)
    assert narrowed is not None
    assert (narrowed.scopes, narrowed.principal.scopes, narrowed.values) == (
        {"orders:read"},
        {"orders:read"},
        {"prt_cd": "ACME"},
    )
    refused = banyan("consumers", "key", "acme", "--scope", "items:read")
    assert (refused.code, refused.complaint) == (2, "acme does not have items:read, so its key cannot.")
    assert "orders:read" in banyan("consumers", "show", "acme").out


def test_a_key_is_rotated_without_a_gap_and_the_old_one_ends_by_itself(banyan: Banyan, owner: Owner) -> None:
    old = banyan("consumers", "key", "acme", "--scope", "orders:read").out.strip()
    rotated = banyan("consumers", "rotate", "acme", "--overlap", "2h")
    new = rotated.out.strip()
    assert (rotated.code, new != old) == (0, True)
    for key in (old, new):
        consumer = found(owner, key)
        assert consumer is not None
        assert consumer.scopes == {"orders:read"}
    again = banyan("consumers", "rotate", "acme")
    assert again.code == 2
    assert "acme has 2 live keys" in again.complaint
    owner.execute("UPDATE banyan.credential SET expires = expires - interval '2 hours' WHERE expires IS NOT NULL")
    assert (found(owner, old), found(owner, new) is None) == (None, False)
    assert banyan("consumers", "rotate", "acme", "--overlap", "0s").code == 0
    assert found(owner, new) is None


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["rotate", "acme"], "acme has no live key."),
        (["rotate", "nobody"], "there is no consumer nobody."),
        (["rotate", "acme", "--overlap", "soon"], "'soon' is no duration: a number and s, m, h or d, such as 90d."),
        (["key", "acme", "--expires-in", "1y"], "'1y' is no duration: a number and s, m, h or d, such as 90d."),
        (["key", "acme", "--kind", "query", "--test"], "--scope, --expires-in and --test are of API keys."),
    ],
)
def test_what_cannot_be_asked_exits_2_with_one_line(banyan: Banyan, words: list[str], complaint: str) -> None:
    answer = banyan("consumers", *words)
    assert (answer.code, answer.complaint) == (2, complaint)


def test_test_keys_have_a_prefix_and_two_of_their_own(banyan: Banyan, owner: Owner) -> None:
    keys = [banyan("consumers", "key", "acme", *more).out.strip() for more in ([], [], ["--test"], ["--test"])]
    assert [key.startswith("bnyn_test_") for key in keys] == [False, False, True, True]
    assert banyan("consumers", "key", "acme", "--test").code == 2
    with pytest.raises(UsageError):
        consumers.create_key(owner, "acme")


def test_on_a_legacy_endpoint_a_test_key_names_nobody(banyan: Banyan, owner: Owner) -> None:
    live, test = consumers.create_key(owner, "acme"), consumers.create_key(owner, "acme", is_test=True)
    register, route = consumers.load_register(owner), Route("x", "POST", "/x", consumer=HeaderToken("X-Token"))
    assert identify(register, route, headers=[(b"x-api-key", live.encode())]).consumer == "acme"
    assert identify(register, route, headers=[(b"x-api-key", test.encode())]).consumer is None


@pytest.fixture(scope="module")
def example_url(clone: Callable[[str], str], api_template: str) -> str:
    return clone(api_template)


@pytest.fixture
def key(server: Any, example_url: str) -> Iterator[str]:
    """A test key of the example's partner ACME."""
    with psycopg.connect(server.url(example_url.rsplit("/", 1)[1], user="banyan_owner"), autocommit=True) as owner:
        consumers.add_consumer(owner, "acme", "Acme", scopes=SCOPES, values={"prt_cd": "ACME"})
        yield consumers.create_key(owner, "acme", is_test=True)


async def test_what_a_test_key_writes_is_answered_and_not_there(
    server: Any, example_url: str, key: str, tmp_path: Path
) -> None:
    async with fronted(server, example_url, tmp_path) as front:
        ((orders, notes),) = front.rows(COUNTS)
        placed = await ask(front, key, "POST", "orders", ORDER)
        assert placed.status == 201, placed.json
        assert (placed.header("dry-run"), placed.header("location")) == ("true", None)
        assert placed.json["lines"][0]["item_number"] == ORDER["lines"][0]["item_number"]
        ((number, city),) = front.rows(MINE)
        moved = await ask(front, key, "PATCH", f"customers/{number}", {"city": "Elsewhere"})
        assert (moved.status, moved.json["city"], moved.header("dry-run")) == (200, "Elsewhere", "true")
        assert (await ask(front, key, "GET", f"customers/{number}")).json["city"] == city
        assert front.rows(COUNTS) == [(orders, notes)]
        wrong = await ask(front, key, "PATCH", f"customers/{number}", {"country": "nowhere"})
        assert wrong.status == 422


MINE = "SELECT cust_no, city FROM customer WHERE src_cd = 'ACME' AND del_fl = 'N' LIMIT 1"
COUNTS = "SELECT (SELECT count(*) FROM ord_hdr), (SELECT count(*) FROM banyan.journal)"
ORDER: dict[str, Any] = {"customer_code": "", "lines": [{"item_number": "", "quantity": 1}]}


async def ask(front: Front, key: str, method: str, path: str, document: dict[str, Any] | None = None) -> Any:
    if path == "orders":
        ((customer,),) = front.rows(
            "SELECT cust_cd FROM customer WHERE src_cd = 'ACME' AND act_fl = 'Y'"
            " AND del_fl = 'N' AND cr_lim = 0 LIMIT 1"
        )
        ((item,),) = front.rows("SELECT item_no FROM item WHERE act_fl = 'Y' AND dscnt_dt > now() LIMIT 1")
        ORDER.update(customer_code=customer.strip(), lines=[{"item_number": item.strip(), "quantity": 1}])
    head = [("x-api-key", key), ("content-type", "application/json")]
    return await front.ask(method, f"/api/v1/{path}", head, b"" if document is None else json.dumps(document).encode())
