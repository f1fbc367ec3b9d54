"""A stale form of the real legacy app undoes what the API wrote: it is seen, with key, columns and both images."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import pytest

from api_gateway.api.contract import load_contract
from api_gateway.events import Event, WriteReverted
from api_gateway.evidence import reverted
from api_gateway.postgres import Server
from api_gateway.project import load_project
from tests.support.api import NORTHGATE, Api, partners, serving
from tests.support.commands import Banyan
from tests.support.legacy import running_legacy

CLERK = {"username": "clerk", "password": "northgate"}
PATCH = {"content-type": "application/merge-patch+json"}


@pytest.fixture(scope="module")
def place(clone: Callable[[str], str], api_template: str) -> str:
    return clone(api_template)


@pytest.fixture(scope="module")
def desk(place: str) -> Iterator[httpx2.Client]:
    """A clerk's browser, logged in at the legacy app."""
    with running_legacy(place) as address, httpx2.Client(base_url=address, follow_redirects=True, timeout=60) as client:
        client.post("/panel/login/", data={**CLERK, "csrfmiddlewaretoken": token(client.get("/panel/login/").text)})
        assert "ngsid" in client.cookies
        yield client


@pytest.fixture(scope="module")
def api(server: Server, place: str) -> Iterator[Api]:
    with serving(of(server, place, "banyan_api"), partners(load_contract(load_project(NORTHGATE)))) as served:
        yield served


@pytest.fixture(autouse=True)
def _fresh(place: str) -> None:
    with psycopg.connect(place) as connection:
        connection.execute("TRUNCATE banyan.journal, banyan.reverted")


def of(server: Server, url: str, role: str) -> str:
    return server.url(url.rsplit("/", 1)[1], user=role)


def token(page: str) -> str:
    found = re.search('name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert found
    return found[1]


def customers(api: Api, count: int) -> list[int]:
    return [row["number"] for row in api.get(f"customers?active=true&limit={count}").json()["data"]]


def form_of(place: str, number: int) -> dict[str, str]:
    """The customer file's form as a browser that has just opened it would send it."""
    names = ("nm", "addr1", "addr2", "zip", "city", "ctry", "email", "tel", "terms_cd", "cr_lim", "act_fl")
    with psycopg.connect(place) as connection:
        row = connection.execute(
            f"SELECT {', '.join(names)} FROM customer WHERE cust_no = %s".encode(), [number]
        ).fetchone()
    assert row
    return {name: "" if value is None else str(value).rstrip(" ") for name, value in zip(names, row, strict=True)}


def save(desk: httpx2.Client, number: int, form: dict[str, str], **changes: str) -> None:
    page = desk.get(f"/panel/customers/{number}/").text
    sent = {"form": "master", "csrfmiddlewaretoken": token(page), **form, **changes}
    assert "Saved." in desk.post(f"/panel/customers/{number}/", data=sent).text


def patch(api: Api, number: int, **changes: str) -> None:
    answer = api.ask("PATCH", f"customers/{number}", json=changes, headers=PATCH)
    assert answer.status_code == 200, answer.text


def seen(server: Server, place: str) -> list[dict[str, Any]]:
    async def look() -> list[dict[str, Any]]:
        async with (
            await reverted._connected(of(server, place, "banyan_owner")) as owner,
            await reverted._connected(of(server, place, "banyan_read")) as reader,
        ):
            return await reverted.look(owner, reader)

    return asyncio.run(look())


def test_a_stale_form_that_undoes_a_write_is_seen_once_with_key_columns_and_both_images(
    server: Server, place: str, api: Api, desk: httpx2.Client, tmp_path: Path
) -> None:
    (number,) = customers(api, 1)
    opened = form_of(place, number)
    patch(api, number, phone="555-0100", city="Scranton")
    assert seen(server, place) == []
    save(desk, number, opened, addr2="Dock 4")
    (found,) = seen(server, place)
    assert found["columns"] == ["city", "tel"]
    assert found["before"] == {"city": opened["city"], "tel": opened["tel"]}
    assert found["after"] == {"city": "Scranton", "tel": "555-0100"}
    assert seen(server, place) == []
    banyan = Banyan(tmp_path, {"BANYAN_OWNER_DATABASE_URL": of(server, place, "banyan_owner")})
    (shown,) = banyan("evidence", "reverted", "--json").json
    assert (shown["table"], shown["key"], shown["columns"]) == ("customer", {"cust_no": str(number)}, ["city", "tel"])
    assert (shown["principal"], shown["operation"]) == ("consumer:acme", "PATCH customers")
    assert "Scranton" in banyan("evidence", "reverted").out


def test_what_a_clerk_changes_to_something_else_and_what_the_api_puts_back_itself_is_not_reverted(
    server: Server, place: str, api: Api, desk: httpx2.Client
) -> None:
    first, second, third = customers(api, 3)
    opened = {number: form_of(place, number) for number in (first, second, third)}
    patch(api, first, phone="555-0101")
    save(desk, first, form_of(place, first), tel="555-0199")
    patch(api, second, phone="555-0102")
    patch(api, second, phone=opened[second]["tel"])
    patch(api, third, phone="555-0103", city="Bethlehem")
    patch(api, third, city="Easton")
    save(desk, third, {**opened[third], "city": "Bethlehem"})
    found = {(row["key"]["cust_no"], *row["columns"]) for row in seen(server, place)}
    assert found == {(str(third), "tel"), (str(third), "city")}  # the newest write of each column is what counts


def test_a_write_of_yesterday_is_history(server: Server, place: str, api: Api, desk: httpx2.Client) -> None:
    (number,) = customers(api, 1)
    opened = form_of(place, number)
    patch(api, number, phone="555-0104")
    save(desk, number, opened)
    with psycopg.connect(place) as connection:
        connection.execute("UPDATE banyan.journal SET at = at - interval '25 hours'")
    assert seen(server, place) == []


def test_a_deleted_row_that_is_there_again_is_reverted(server: Server, place: str, api: Api) -> None:
    (number,) = customers(api, 1)
    note = api.ask("POST", "customer-notes", json={"customer_number": number, "text": "Ring twice."})
    assert note.status_code == 201, note.text
    with psycopg.connect(place) as connection:
        (row,) = connection.execute(
            "SELECT to_jsonb(n)::text FROM cust_note n ORDER BY note_no DESC LIMIT 1"
        ).fetchone()
        assert api.ask("DELETE", note.headers["location"].removeprefix("/api/v1/")).status_code == 204
        assert seen(server, place) == []
        connection.execute("INSERT INTO cust_note SELECT * FROM jsonb_populate_record(NULL::cust_note, %s)", [row])
    (found,) = seen(server, place)
    assert (found["table"], found["after"], found["before"]["txt"]) == ("cust_note", None, "Ring twice.")


async def test_the_worker_raises_an_event(
    server: Server, place: str, api: Api, desk: httpx2.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[Event] = []
    monkeypatch.setattr(reverted, "report", events.append)
    monkeypatch.setattr(reverted, "EVERY", 0.05)

    def undone() -> int:
        (number,) = customers(api, 1)
        opened = form_of(place, number)
        patch(api, number, phone="555-0105")
        save(desk, number, opened)
        return number

    await asyncio.to_thread(undone)
    watch = asyncio.create_task(
        reverted.watch_forever(of(server, place, "banyan_owner"), of(server, place, "banyan_read"))
    )
    async with asyncio.timeout(30):
        while not events:
            await asyncio.sleep(0.02)
    watch.cancel()
    with suppress(asyncio.CancelledError):
        await watch
    (event,) = events
    assert isinstance(event, WriteReverted)
    assert (event.table, event.columns, event.principal) == ("public.customer", "tel", "consumer:acme")
