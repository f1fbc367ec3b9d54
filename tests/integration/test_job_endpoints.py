"""A job over the API: a file goes in, its owner asks how far it is, watches, cancels, and reads what was wrong."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, suppress
from typing import Any

import httpx2
import pytest
import websockets
from websockets import Subprotocol
from websockets.sync.client import connect

from api_gateway.postgres import Server
from tests.support.api import Api
from tests.support.jobs import Chores, until

CSV = {"content-type": "text/csv"}
GOOD = b"what,by\n" + b"".join(b"dishes %d,ACME\r\n" % n for n in range(25))


@pytest.fixture
def chores(server: Server, clone: Callable[[str], str], chores_template: str) -> Chores:
    return Chores(server, clone(chores_template))


@pytest.fixture
def api(chores: Chores) -> Iterator[Api]:
    with chores.served() as api:
        yield api


def send(api: Api, body: Any, consumer: str = "ACME", path: str = "lists", **headers: str) -> httpx2.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return api.ask("POST", path, consumer, content=body, headers={**CSV, **named})


def kept(chores: Chores) -> tuple[int, int]:
    """Uploads and parts in the database."""
    ((uploads, parts),) = chores.rows(
        "SELECT (SELECT count(*) FROM banyan.upload), (SELECT count(*) FROM banyan.upload_part)"
    )
    return uploads, parts


async def test_a_file_becomes_a_job_that_its_owner_can_ask_about_until_it_is_done(api: Api, chores: Chores) -> None:
    accepted = send(api, GOOD)
    assert accepted.status_code == 202, accepted.text
    place = accepted.headers["location"]
    document = accepted.json()
    assert place == f"/api/v1/jobs/{document['id']}"
    assert accepted.headers["retry-after"] == "1"
    known = [document[name] for name in ("task", "status", "done", "total")]
    assert known == ["do_list", "waiting", 0, None]

    asked = api.client.get(place, headers={"x-api-key": "ACME"})
    assert asked.json() == document
    same = api.client.get(place, headers={"x-api-key": "ACME", "if-none-match": asked.headers["etag"]})
    assert (same.status_code, same.headers["retry-after"]) == (304, "1")

    async with chores.worker():
        await chores.settled()
    done = api.client.get(place, headers={"x-api-key": "ACME", "if-none-match": asked.headers["etag"]})
    assert done.status_code == 200
    assert "retry-after" not in done.headers
    told = done.json()
    assert (told["status"], told["done"], told["total"], told["faults"]) == ("succeeded", 26, 26, 0)
    assert told["result"] == {"pause": 0.0}
    assert chores.rows("SELECT count(DISTINCT what), count(*) FROM chore") == [(25, 25)]
    assert kept(chores) == (0, 0)
    assert api.client.delete(place, headers={"x-api-key": "ACME"}).json()["code"] == "job_finished"


def test_another_callers_job_is_like_one_that_never_was(api: Api) -> None:
    place = send(api, GOOD).headers["location"].removeprefix("/api/v1/")
    never = "jobs/00000000-0000-4000-8000-000000000000"
    for path in ("", "/faults", "/events"):
        theirs, none = api.get(place + path, "BOLT"), api.get(never + path, "BOLT")
        assert (theirs.status_code, theirs.json()) == (404, none.json())
    assert api.ask("DELETE", place, "BOLT").status_code == 404
    assert api.get("jobs/1", "BOLT").status_code == 404
    assert api.ask("GET", place, None).status_code == 401


BAD = [
    (b"", {}, 422, "empty_upload"),
    (b"what,by\nD\xfcsseldorf,x\n", {}, 422, "not_utf8"),
    (b"what,by\nhalf a character \xc3", {}, 422, "not_utf8"),
    (b"what,by\nn\0l,x\n", {}, 422, "not_utf8"),
    (b"what;by\n", {}, 422, "wrong_columns"),
    (b"what,by\n" + b"x,y\n" * 200_000, {}, 413, "body_too_large"),
    (GOOD, {"content_type": "application/json"}, 415, "unsupported_media_type"),
    (GOOD, {"content_type": "text/csv; charset=ISO-8859-1"}, 415, "unsupported_media_type"),
    (GOOD, {"content_encoding": "gzip"}, 415, "unsupported_encoding"),
]


@pytest.mark.parametrize(("body", "headers", "status", "code"), BAD)
def test_a_file_that_cannot_be_taken_is_refused_and_nothing_of_it_is_kept(
    api: Api, chores: Chores, body: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    answer = send(api, body, **headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert (kept(chores), chores.jobs()) == ((0, 0), [])


def test_two_gigabytes_are_refused_before_anything_is_read_and_unannounced_at_the_limit(
    api: Api, chores: Chores
) -> None:
    given = 0

    def endless() -> Iterator[bytes]:
        nonlocal given
        while given < 2 * 1024**3:
            given += 64 * 1024
            yield b"x,y\n" * (16 * 1024)

    address = str(api.client.base_url).rstrip("/")
    for headers in ({"content-length": str(2 * 1024**3)}, {"transfer-encoding": "chunked"}):
        with httpx2.Client(base_url=address, headers={**CSV, "x-api-key": "ACME"}) as client:
            with suppress(httpx2.WriteError):  # it went on sending, and found the connection closed
                answer = client.post("/api/v1/lists", content=endless(), headers=headers)
                assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert given < 64 * 1024 * 1024
    assert (kept(chores), chores.jobs()) == ((0, 0), [])


async def test_half_a_file_leaves_nothing(api: Api, chores: Chores) -> None:
    address = str(api.client.base_url).rstrip("/")
    _, writer = await asyncio.open_connection("127.0.0.1", int(address.rsplit(":", 1)[1]))
    head = b"POST /api/v1/lists HTTP/1.1\r\nhost: x\r\nx-api-key: ACME\r\ncontent-type: text/csv\r\n"
    writer.write(head + b"content-length: 599999\r\n\r\n" + b"what,by\n" + b"x,y\n" * 100_000)
    await writer.drain()
    await until(lambda: kept(chores)[1] > 0)
    writer.close()
    await until(lambda: kept(chores) == (0, 0))
    assert chores.jobs() == []


async def test_a_file_that_comes_twice_is_worked_off_once(api: Api, chores: Chores) -> None:
    first = send(api, GOOD, idempotency_key="k")
    again = send(api, GOOD, idempotency_key="k")
    assert again.headers["idempotency-replayed"] == "true"
    without_key = send(api, GOOD)
    assert {answer.status_code for answer in (first, again, without_key)} == {202}
    assert {answer.headers["location"] for answer in (first, again, without_key)} == {first.headers["location"]}
    assert send(api, GOOD + b"more,x\n", idempotency_key="k").json()["code"] == "idempotency_key_reused"
    theirs = send(api, GOOD, "BOLT")
    assert theirs.headers["location"] != first.headers["location"]
    assert (chores.jobs(), kept(chores)) == ([("do_list", "todo")] * 2, (2, 2))
    async with chores.worker():
        await chores.settled()
    assert chores.rows("SELECT count(*) FROM chore") == [(50,)]


async def test_files_that_come_at_once_are_worked_off_once(api: Api, chores: Chores) -> None:
    answers = await asyncio.gather(*(asyncio.to_thread(send, api, GOOD) for _ in range(3)))
    assert len({answer.headers["location"] for answer in answers}) == 1
    assert (chores.jobs(), kept(chores)) == ([("do_list", "todo")], (1, 1))


def test_nobody_fills_the_disk_with_files_that_wait(api: Api) -> None:
    for n in range(3):
        assert send(api, GOOD + b"other %d,x\n" % n).status_code == 202
    full = send(api, GOOD)
    assert (full.status_code, full.json()["code"], full.headers["retry-after"]) == (429, "too_many_uploads", "10")
    assert send(api, GOOD, "BOLT").status_code == 202


async def test_a_bad_row_costs_itself_and_stands_in_the_report(api: Api, chores: Chores) -> None:
    rows = [b"a,x", b"only one", b"=cmd|'/c calc'!A1", b"b,x", b'"unclosed,x', b"", b"c,y,z", "ü,x".encode()]
    place = send(api, b"\xef\xbb\xbfwhat,by\n" + b"\n".join(rows)).headers["location"]
    async with chores.worker():
        await chores.settled()
    assert chores.noted() == ["a", "b", "ü"]
    told = api.client.get(place, headers={"x-api-key": "ACME"}).json()
    assert (told["status"], told["faults"], told["done"]) == ("succeeded", 4, 9)
    report = api.client.get(f"{place}/faults", headers={"x-api-key": "ACME"})
    assert report.headers["content-type"] == "text/csv; charset=utf-8"
    head, *found = list(csv.reader(io.StringIO(report.text)))
    assert head == ["row", "field", "code", "detail", "raw"]
    assert [(row[0], row[2], row[4]) for row in found] == [
        ("3", "not_two", "only one"),
        ("4", "not_two", "'=cmd|'/c calc'!A1"),
        ("6", "not_two", '"unclosed,x'),
        ("8", "not_two", "c,y,z"),
    ]


async def test_a_job_is_cancelled_while_it_waits_and_while_it_runs(api: Api, chores: Chores) -> None:
    key = {"x-api-key": "ACME"}
    waiting = send(api, GOOD).headers["location"]
    gone = api.client.delete(waiting, headers=key)
    assert (gone.status_code, gone.json()["status"]) == (200, "cancelled")
    assert gone.json()["finished_at"] is not None
    assert api.client.delete(waiting, headers=key).status_code == 200
    assert kept(chores) == (0, 0)
    async with chores.worker():
        running = send(api, GOOD, path="lists?pause=30").headers["location"]
        await until(lambda: len(chores.noted()) == 9)
        told = api.client.delete(running, headers=key)
        assert (told.status_code, told.json()["stopping"]) == (202, True)
        await chores.settled()
    assert api.client.get(running, headers=key).json()["status"] == "cancelled"
    assert len(chores.noted()) == 9
    assert kept(chores) == (0, 0)


async def events_of(client: httpx2.AsyncClient, place: str, **headers: str) -> AsyncIterator[tuple[str, str, Any]]:
    """id, name and data of each event."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with client.stream("GET", f"{place}/events", headers=named, timeout=60) as answer:
        assert answer.status_code == 200, await answer.aread()
        assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        event: dict[str, str] = {}
        async for line in answer.aiter_lines():
            name, _, value = line.partition(": ")
            if not line and "data" in event:
                yield event.get("id", ""), event["event"], json.loads(event["data"])
            event = {} if not line else {**event, name: value}


async def test_a_job_is_watched_live_and_whoever_was_away_goes_on_where_it_was(api: Api, chores: Chores) -> None:
    address = str(api.client.base_url).rstrip("/")
    async with httpx2.AsyncClient(base_url=address, headers={"x-api-key": "ACME"}) as client, chores.worker():
        place = send(api, GOOD, path="lists?pause=0.7").headers["location"]
        seen = []
        async for tag, name, job in events_of(client, place):
            seen.append((tag, name, job["done"]))
            if job["done"]:
                break  # the connection is cut
        since = events_of(client, place, last_event_id=seen[-1][0])
        rest = [(tag, name, job["done"]) async for tag, name, job in since]
        assert seen[0][1:] == ("progress", 0)
        assert rest[0] != seen[-1]
        assert rest[-1][1:] == ("end", 26)
        done = [done for _, _, done in seen + rest]
        assert done == sorted(done)
        assert len(set(done)) >= 3
        over = await client.get(f"{place}/events", headers={"last-event-id": rest[-1][0]})
        assert over.status_code == 204
        again = [name async for _, name, _ in events_of(client, place)]
        assert again == ["end"]


async def test_a_key_that_is_revoked_ends_the_stream_and_the_job_goes_on(api: Api, chores: Chores) -> None:
    address = str(api.client.base_url).rstrip("/")
    async with httpx2.AsyncClient(base_url=address, headers={"x-api-key": "ACME"}) as client, chores.worker():
        place = send(api, GOOD, path="lists?pause=0.7").headers["location"]
        seen = []
        async for _, name, data in events_of(client, place):
            seen.append((name, data.get("code")))
            if len(seen) == 1:
                chores.revoke("ACME")
        assert seen[-1] == ("problem", "unauthenticated")
        chores.revoke()
        assert await chores.settled() == [("do_list", "succeeded")]
    assert len(chores.noted()) == 25


def test_a_gateway_that_stops_ends_its_streams_and_whoever_watched_comes_again(chores: Chores) -> None:
    with ExitStack() as stack:
        api = stack.enter_context(chores.served())
        place = send(api, GOOD).headers["location"]
        address = str(api.client.base_url).rstrip("/")
        url = address.replace("http://", "ws://") + place + "/live"
        with (
            httpx2.Client(base_url=address, timeout=30) as client,
            client.stream("GET", f"{place}/events", headers={"x-api-key": "ACME"}) as answer,
            connect(url, subprotocols=[Subprotocol("banyan.v1"), Subprotocol("bearer.ACME")]) as socket,
        ):
            lines = answer.iter_lines()
            first = [next(lines) for _ in range(5)]
            assert ("retry: 1000" in first, "event: progress" in first) == (True, True)
            assert json.loads(socket.recv())["event"] == "progress"
            stack.close()  # it has stopped when this returns
            assert not [line for line in lines if line.startswith("event:")]
            with pytest.raises(websockets.ConnectionClosed) as closed:
                socket.recv()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1012
    tag = next(line for line in first if line.startswith("id: ")).removeprefix("id: ")
    with (
        chores.served() as api,
        api.client.stream("GET", f"{place}/events", headers={"x-api-key": "ACME", "last-event-id": tag}) as again,
    ):
        assert again.status_code == 200


async def test_a_frontend_watches_over_a_websocket_with_its_token_and_from_its_own_origin(
    api: Api, chores: Chores
) -> None:
    place = send(api, GOOD, path="lists?pause=0.7").headers["location"]
    address = str(api.client.base_url).rstrip("/")
    url = address.replace("http://", "ws://") + place + "/live"
    for options, status in [
        ({}, 401),
        ({"additional_headers": {"x-api-key": "BOLT"}}, 404),
        ({"subprotocols": ["banyan.v1", "bearer.ACME"], "origin": "https://evil.example"}, 403),
    ]:
        with pytest.raises(websockets.InvalidStatus) as refused:
            await websockets.connect(url, **options)
        assert refused.value.response.status_code == status
        assert json.loads(refused.value.response.body)["status"] == status
    async with chores.worker():
        async with websockets.connect(url, subprotocols=["banyan.v1", "bearer.ACME"], origin=address) as socket:
            assert socket.subprotocol == "banyan.v1"
            messages = [json.loads(message) async for message in socket]
            assert socket.close_code == 1000
    assert messages[0]["event"] == "progress"
    assert (messages[-1]["event"], messages[-1]["job"]["status"]) == ("end", "succeeded")
    assert len({message["id"] for message in messages}) == len(messages) >= 3
