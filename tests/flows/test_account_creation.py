"""Account creation: a partner signs up a customer, who is in the legacy app's tables and can log in at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from api_gateway.postgres import Server
from tests.support.accounts import fronted
from tests.support.both_sides import BothSides, said_by_django

WHOLE = {
    "name": "Ridge Tools é",
    "address": "1 Mill Road",
    "address_2": "Rear",
    "city": "Lancaster",
    "postal_code": "17601",
    "country": "CA",
    "email": "Desk@Ridge-Tools.example",
    "phone": "717 555 0100",
    "password": "correct horse battery",
}
FIELDS = {"address": "addr1", "address_2": "addr2", "postal_code": "zip"}  # what the legacy form calls them


def form_of(new: dict[str, str]) -> dict[str, str]:
    return {FIELDS.get(name, name): value for name, value in new.items()}


@pytest.mark.parametrize(
    "new",
    [WHOLE, {"name": "Name only"}, {"name": "No login", "email": "plain@ridge.example"}],
    ids=["all there is", "a name", "without a login"],
)
def test_a_sign_up_writes_what_the_legacy_endpoint_writes(both: BothSides, new: dict[str, str]) -> None:
    theirs = both.as_partner("/partner/customer_new", **form_of(new)).json()
    ours = both.api.ask("POST", "customers", json=new)
    assert ours.status_code == 201, ours.text
    assert ours.json()["code"] == theirs["cust"]
    both.assert_same()


def test_the_new_customer_is_where_the_answer_says_and_can_be_ordered_for(both: BothSides) -> None:
    answer = both.api.ask("POST", "customers", json={"name": "Orders at once"})
    code = answer.json()["code"]
    found = both.api.client.get(answer.headers["location"], headers={"x-api-key": "acme"})
    assert found.json() == answer.json()
    order = {"customer_code": code, "lines": [{"item_number": "NS-10023", "quantity": 1}]}
    assert both.api.ask("POST", "orders", json=order).status_code == 201
    theirs = both.as_partner("/partner/customer_new", name="Orders at once").json()["cust"]
    assert both.as_partner("/partner/order_in", cust=theirs, item1="NS-10023").text.startswith("OK|")
    both.assert_same()


def test_the_login_works_with_the_legacy_apps_own_code(both: BothSides) -> None:
    both.api.ask("POST", "customers", json={**WHOLE, "email": "Login@Ridge.example"})
    check = (
        "from django.contrib.auth.hashers import check_password, identify_hasher, must_update_salt\n"
        "from sales.models import Customer, UserAcct\n"
        "a = UserAcct.objects.get(login='login@ridge.example', lock_fl='N')\n"
        "h = identify_hasher(a.pw_hash)\n"
        "print(check_password('correct horse battery', a.pw_hash), check_password('wrong', a.pw_hash),"
        " h.must_update(a.pw_hash), Customer.live.get(cust_no=a.cust_no).nm)"
    )
    assert said_by_django(both.url, check) == "True False False Ridge Tools é"


async def test_the_login_is_one_of_the_mobile_app_at_once(both: BothSides, server: Server, tmp_path: Path) -> None:
    new = {**WHOLE, "email": "Phone@Ridge.example"}
    number = both.api.ask("POST", "customers", json=new).json()["number"]
    async with fronted(server, both.url, tmp_path) as app:
        assert (await app.sign_in("phone@ridge.example", "wrong")).code == "invalid_grant"
        signed_in = await app.sign_in("Phone@Ridge.example", new["password"])
        assert signed_in.status == 200
        seen = await app.with_token(signed_in.json["access_token"], "v1/customers")
    assert [(row["number"], row["name"]) for row in seen.json["data"]] == [(number, "Ridge Tools é")]


def test_the_password_is_nowhere_but_in_its_hash(both: BothSides) -> None:
    both.api.ask("POST", "customers", json={**WHOLE, "email": "secret@ridge.example"})
    told = both.rows("SELECT coalesce(before::text, '') || coalesce(after::text, '') FROM banyan.journal")
    assert "user_acct" in {row[0] for row in both.rows('SELECT "table" FROM banyan.journal')}
    assert not [text for (text,) in told if "pbkdf2" in text or "correct horse" in text]


@pytest.mark.parametrize(
    ("change", "status", "code", "pointers"),
    [
        ({"email": "desk@RIDGE-tools.example"}, 409, "customer_known", {"/email"}),
        ({"name": " ", "country": "usa", "email": "nowhere", "phone": "5" * 31}, 422, "invalid_body",
         {"/name", "/country", "/email", "/phone"}),
        ({"email": None}, 422, "invalid_body", {"/email"}),
        ({"email": f"{'x' * 60}@ridge.example"}, 422, "invalid_body", {"/email"}),
        ({"password": "short"}, 422, "invalid_body", {"/password"}),
        ({"credit_limit": "1000000"}, 422, "invalid_body", {"/credit_limit"}),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_and_takes_no_number(
    both: BothSides, change: dict[str, Any], status: int, code: str, pointers: set[str]
) -> None:
    both.api.ask("POST", "customers", json=WHOLE)  # there already, where another test has signed it up
    before = both.rows("SELECT ctr_cd, nxt FROM ctr ORDER BY 1"), both.value("SELECT count(*) FROM customer")
    answer = both.api.ask("POST", "customers", json={**WHOLE, "email": "fresh@ridge.example", **change})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert {error["pointer"] for error in answer.json()["errors"]} == pointers
    assert (both.rows("SELECT ctr_cd, nxt FROM ctr ORDER BY 1"), both.value("SELECT count(*) FROM customer")) == before


def test_a_login_belongs_to_one_customer_whoever_brings_the_second(both: BothSides) -> None:
    both.api.ask("POST", "customers", json=WHOLE)
    answer = both.api.ask("POST", "customers", "bolt", json=WHOLE)
    assert (answer.status_code, answer.json()["code"]) == (409, "login_taken")


def test_of_two_at_the_same_moment_one_gets_the_login(both: BothSides) -> None:
    new = {**WHOLE, "email": "race@ridge.example"}
    with ThreadPoolExecutor(4) as threads:
        asked = [threads.submit(both.api.ask, "POST", "customers", who, json=new) for who in ("acme", "bolt") * 2]
    statuses = sorted(one.result().status_code for one in asked)
    assert statuses == [201, 409, 409, 409]
    assert both.value("SELECT count(*) FROM user_acct WHERE login = 'race@ridge.example'") == 1


def test_a_sign_up_whose_answer_was_lost_is_answered_again_and_done_once(both: BothSides) -> None:
    new = {**WHOLE, "email": "again@ridge.example"}
    first, second = (
        both.api.ask("POST", "customers", json=new, headers={"idempotency-key": "sign-up-1"}) for _ in range(2)
    )
    assert first.status_code == 201
    assert (second.content, second.headers["idempotency-replayed"]) == (first.content, "true")
    assert both.value("SELECT count(*) FROM customer WHERE email = 'again@ridge.example'") == 1


def test_only_partners_with_the_scope_sign_up(both: BothSides) -> None:
    assert both.api.ask("POST", "customers", None, json=WHOLE).status_code == 401
    assert both.api.ask("POST", "customers", "catalogue", json=WHOLE).status_code == 403
    assert both.api.ask("POST", "customers", "nobody", json=WHOLE).json()["code"] == "no_partner"
