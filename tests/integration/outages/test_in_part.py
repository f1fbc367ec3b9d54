"""No more goes out than must: a link, a verb; and what only the roles of principals may, is judged by these."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from api_gateway import consumers
from tests.support.outages import eventually, is_out, outages
from tests.support.shop import Counter, Shop, opened

BREAK, REPAIR = "ALTER TABLE customer RENAME nm TO name", "ALTER TABLE customer RENAME name TO nm"
LINES = [{"number": 1, "item_number": 1, "quantity": 2}]


def order(number: int, **more: object) -> dict[str, object]:
    return {"number": number, "customer_number": 1, "status": 10, **more}


async def test_only_the_link_to_a_broken_resource_is_refused(counter: Counter, shop: Shop) -> None:
    shop.execute(BREAK)

    async def out() -> bool:
        return ("resource", "orders include=customer") in outages(shop)

    await eventually(out)
    through = [
        "orders?include=customer",
        "orders/1?include=lines,customer",
        "orders?fields=number,customer.name",
        "orders?customer.name=x",
        "orders?or=(number=1,customer.number=2)",
        "orders?include=customer&limit=0",
    ]
    for path in through:
        assert is_out(await counter.api(path)), path
    for path in ("orders", "orders/1", "orders?include=lines.item", "orders?customer_number=1", "orders?lines.limit=1"):
        assert (await counter.api(path)).status == 200, path
    assert (await counter.api("orders?include=nothing")).status == 400
    made = await counter.api("orders", "POST", order(60, lines=LINES))
    assert made.status == 201
    assert (await counter.api("orders/60", "PATCH", {"status": 20})).status == 200
    assert outages(shop)["resource", "orders include=customer"] == outages(shop)["resource", "customers"]
    assert not {("resource", "orders"), ("operation", "place_order")} & outages(shop).keys()
    shop.execute(REPAIR)

    async def back() -> bool:
        return all([(await counter.api(path)).status == 200 for path in through[:-1]])

    await eventually(back)
    assert (await counter.api(through[-1])).status == 400


async def test_a_link_that_leads_nowhere_two_steps_away_is_refused_there_only(counter: Counter, shop: Shop) -> None:
    shop.execute("DROP TABLE item CASCADE")

    async def out() -> bool:
        return is_out(await counter.api("orders?include=lines.item"))

    await eventually(out)
    answer = await counter.api("orders/1?include=lines,customer")
    assert [line["number"] for line in json.loads(answer.body)["lines"]] == [1]
    assert (await counter.api("orders", "POST", order(61, lines=LINES))).status == 201


async def test_children_that_are_gone_take_out_the_writes_that_bring_them(counter: Counter, shop: Shop) -> None:
    shop.execute("ALTER TABLE ord_line RENAME qty TO amount")

    async def out() -> bool:
        return is_out(await counter.api("orders?include=lines"))

    await eventually(out)
    assert is_out(await counter.api("orders", "POST", order(62, lines=LINES)))
    assert (await counter.api("orders", "POST", order(62))).status == 201
    assert (await counter.api("orders/62")).status == 200


async def test_a_new_column_that_must_be_given_takes_out_create_and_nothing_else(counter: Counter, shop: Shop) -> None:
    shop.execute("ALTER TABLE customer ADD region text NOT NULL DEFAULT 'x'")
    assert (await counter.api("customers", "POST", {"number": 70, "name": "x"})).status == 201
    shop.execute("ALTER TABLE customer ALTER region DROP DEFAULT")
    assert is_out(await counter.api("customers", "POST", {"number": 71, "name": "x"}))

    async def written() -> bool:
        return ("resource", "customers create") in outages(shop)

    await eventually(written)
    assert "public.customer.region: a new row needs this column" in outages(shop)["resource", "customers create"]
    assert is_out(await counter.api("customers", "POST", {"number": 71, "name": "x"}))
    assert (await counter.api("customers/70")).status == 200
    assert (await counter.api("customers/70", "PATCH", {"name": "y"})).status == 200
    assert (await counter.api("customers/70", "DELETE")).status == 204
    assert (await counter.rename("z")).status == 204
    assert outages(shop).keys() == {("resource", "customers create")}
    shop.execute("ALTER TABLE customer ALTER region SET DEFAULT 'y'")

    async def back() -> bool:
        return (await counter.api("customers", "POST", {"number": 72, "name": "x"})).status == 201

    await eventually(back)


@pytest.mark.parametrize(
    ("revoked", "verbs"),
    [("INSERT (nm)", {"create"}), ("UPDATE (nm)", {"update"}), ("DELETE", {"delete"}), ("SELECT (nm)", set())],
)
async def test_a_right_that_is_revoked_takes_out_the_verbs_that_need_it(
    counter: Counter, shop: Shop, revoked: str, verbs: set[str]
) -> None:
    shop.execute(f"REVOKE {revoked} ON customer FROM banyan_api")
    places = {("resource", f"customers {verb}") for verb in verbs} or {("resource", "customers")}

    async def written() -> bool:
        return places <= outages(shop).keys()

    await eventually(written)
    answers = {
        "list": (await counter.api("customers")).status,
        "create": (await counter.api("customers", "POST", {"number": 80, "name": "x"})).status,
        "update": (await counter.api("customers/2", "PATCH", {"name": "y"})).status,
        "delete": (await counter.api("customers/9", "DELETE")).status,
    }
    assert {verb for verb, status in answers.items() if status == 503} == (verbs or set(answers))


@pytest.fixture
def roles(shop: Shop) -> Iterator[tuple[str, str]]:
    """Two roles of the host that may do all of it; banyan_api itself may not read a row."""
    names = (f"Tenant {uuid.uuid4().hex[:8]}", f"tenant_{uuid.uuid4().hex[:8]}")
    for name in names:
        shop.execute(
            f'CREATE ROLE "{name}"; GRANT "{name}" TO banyan_api WITH INHERIT FALSE, SET TRUE;'
            f'GRANT SELECT, INSERT, UPDATE, DELETE ON customer, ord_hdr, ord_line, item, best_seller TO "{name}"'
        )
    register = "UPDATE banyan.consumer SET values = jsonb_build_object('role', %s::text) WHERE code = 'acme'"
    toml = shop.folder / "banyan.toml"
    toml.write_text(toml.read_text() + '[database.session]\nrole = "{principal.value.role}"\n')
    with psycopg.connect(shop.owner_url, autocommit=True) as owner:
        owner.execute(register, [names[0]])
        consumers.add_consumer(owner, "bolt", "Bolt", values={"role": names[1]})
    yield names
    for name in names:
        shop.execute(f'DROP OWNED BY "{name}"; DROP ROLE "{name}"')


async def test_rights_are_those_of_the_roles_that_principals_act_as(
    shop: Shop, roles: tuple[str, str], tmp_path: Path, often: None
) -> None:
    one, other = roles
    async with opened(shop, tmp_path) as counter:
        shop.execute("REVOKE SELECT (nm) ON customer FROM banyan_api")
        assert (await counter.api("customers")).status == 200
        assert outages(shop) == {}
        shop.execute(f'REVOKE SELECT ON customer FROM "{one}"')
        assert is_out(await counter.api("customers"))  # this principal's role alone: the resource is there for others
        assert outages(shop) == {}
        shop.execute(f'REVOKE SELECT ON customer FROM "{other}"')

        async def written() -> bool:
            return ("resource", "customers") in outages(shop)

        await eventually(written)
        assert is_out(await counter.api("customers"))
        assert is_out(await counter.api("orders?include=customer"))
        assert (await counter.api("orders")).status == 200
        shop.execute(f'GRANT SELECT ON customer TO "{one}"')

        async def back() -> bool:
            return (await counter.api("customers")).status == 200

        await eventually(back)
