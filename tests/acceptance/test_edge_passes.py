"""What legacy apps live from works through the edge as without it: downloads, uploads, WebSockets, slow pages."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from api_gateway.routes import Route
from tests.support.edge import DECLINE, Edge, edge
from tests.support.upstream import Received, get, post, read_body, read_head, request

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROUTE = Route("listed", "GET", "/listed/{rest}")
MEGABYTE = 1024 * 1024


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Edge]:
    async with edge(tmp_path_factory.mktemp("edge")) as started:
        yield started


@pytest_asyncio.fixture(loop_scope="module")
async def at(running: Edge) -> Edge:
    await running.reset()
    await running.move([ROUTE], {"listed": "canary"})
    running.gateway.answer = DECLINE
    return running


# Unlisted traffic, and a listed route whose requests are declined: legacy's answers must pass alike.
both_ways = pytest.mark.parametrize("path", ["/unlisted/x", "/listed/x"])


def resident_megabytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") // MEGABYTE


@both_ways
async def test_a_download_of_300_mb_streams_with_flat_memory_and_its_checksum(at: Edge, path: str) -> None:
    piece = bytes(range(256)) * 4096

    async def download(got: Received, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (300 * MEGABYTE))
        for _ in range(300):
            writer.write(piece)
            await writer.drain()

    at.legacy.script = download
    before = resident_megabytes(at.envoy.pid)
    reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
    writer.write(request("GET", path))
    await read_head(reader)
    seen, size, most = hashlib.sha256(), 0, 0
    while size < 300 * MEGABYTE:
        data = await reader.read(MEGABYTE)
        assert data
        seen.update(data)
        size += len(data)
        most = max(most, resident_megabytes(at.envoy.pid))
    writer.close()
    assert seen.digest() == hashlib.sha256(piece * 300).digest()
    assert most - before < 30


async def test_an_upload_of_100_mb_passes_whole_with_flat_memory(at: Edge) -> None:
    body = bytes(range(256)) * (4096 * 100)
    before = resident_megabytes(at.envoy.pid)
    answer = await post(at.port, "/unlisted/upload", body)
    assert answer.body == b"ok"
    assert hashlib.sha256(at.legacy.last.body).digest() == hashlib.sha256(body).digest()
    assert resident_megabytes(at.envoy.pid) - before < 30


@both_ways
async def test_a_page_that_comes_slowly_arrives_piece_by_piece(at: Edge, path: str) -> None:
    seen = asyncio.Event()

    async def slowly(got: Received, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
        await asyncio.wait_for(seen.wait(), 10)  # the second piece is sent only when the first has arrived
        writer.write(b"6\r\nsecond\r\n0\r\n\r\n")

    at.legacy.script = slowly
    reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
    writer.write(request("GET", path))
    await read_head(reader)
    assert await reader.readuntil(b"first\r\n")
    seen.set()
    assert await reader.readuntil(b"second\r\n")
    writer.close()


@both_ways
async def test_a_websocket_carries_bytes_both_ways(at: Edge, path: str) -> None:
    async def echo(got: Received, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
        )
        while data := await reader.read(1024):
            writer.write(data.upper())

    at.legacy.script = echo
    handshake = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
    writer.write(request("GET", path, {**handshake, "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}))
    head = await read_head(reader)
    assert head.startswith(b"HTTP/1.1 101 Switching Protocols\r\n")
    assert b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in head
    for message in (b"\x81\x05hello", b"\x82\x02hi"):
        writer.write(message)
        assert await reader.readexactly(len(message)) == message.upper()
    writer.close()


async def test_a_form_with_its_session_and_csrf_token_arrives_as_the_browser_sent_it(at: Edge) -> None:
    headers = {
        "Cookie": "sessionid=s1; csrftoken=c1",
        "Origin": "http://legacy.test",
        "Referer": "http://legacy.test/panel/",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    body = b"csrfmiddlewaretoken=c1&name=caf%E9&x="
    at.legacy.answer = (
        b"HTTP/1.1 302 Found\r\nLocation: /panel/?saved=1\r\nSet-Cookie: sessionid=s2; HttpOnly\r\n"
        b"Content-Length: 0\r\n\r\n"
    )
    answer = await post(at.port, "/panel/customer/1/", body, **headers)
    assert {name: (at.legacy.last.value(name) or b"").decode() for name in headers} == headers
    assert at.legacy.last.value("host") == b"legacy.test"
    assert at.legacy.last.body == body
    assert (answer.status, answer.value("location")) == (302, b"/panel/?saved=1")
    assert answer.value("set-cookie") == b"sessionid=s2; HttpOnly"


async def test_expect_continue_is_answered_by_legacy(at: Edge) -> None:
    async def asked(got: Received, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        got.body = await read_body(got.head, reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    at.legacy.script = asked
    reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
    writer.write(request("POST", "/unlisted/x", {"Expect": "100-continue", "Content-Length": "4"}))
    assert (await read_head(reader)).startswith(b"HTTP/1.1 100 Continue")
    writer.write(b"body")
    assert (await read_head(reader)).startswith(b"HTTP/1.1 200 OK")
    assert at.legacy.last.body == b"body"
    writer.close()


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "GET"])
async def test_a_request_whose_legacy_connection_dies_is_never_sent_twice(at: Edge, method: str) -> None:
    async def die(got: Received, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        got.body = await read_body(got.head, reader)
        writer.transport.abort()

    at.legacy.script = die
    for path in ("/unlisted/x", "/listed/x"):
        at.legacy.received.clear()
        reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
        writer.write(request(method, path, None, b"x" if method != "GET" else None))
        assert b" 503 " in (await read_head(reader)).split(b"\r\n")[0]
        writer.close()
        assert len(at.legacy.received) == 1


async def test_an_answer_that_breaks_off_is_seen_to_break_off(at: Edge) -> None:
    async def cut(got: Received, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        await writer.drain()
        writer.transport.close()

    at.legacy.script = cut
    with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
        await get(at.port, "/unlisted/x")


async def test_surplus_bytes_of_one_answer_never_reach_the_next_client(at: Edge) -> None:
    at.legacy.answer = (
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nother"
    )
    answers = [await get(at.port, f"/unlisted/{number}") for number in range(5)]
    assert {answer.body for answer in answers} == {b"ok"}


async def test_a_connection_that_legacy_closes_while_idle_costs_no_request(at: Edge) -> None:
    """Servers close idle connections; the edge leaves them first (after a second), so no POST meets a closing one."""
    clusters = at.envoy.admin.ask("/config_dump?resource=static_clusters")
    assert '"idle_timeout": "1s"' in clusters
    for _ in range(3):
        assert (await post(at.port, "/unlisted/x", b"x")).status == 200


async def test_the_access_log_holds_no_query_and_no_header(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    async with edge(tmp_path / "edge", access_log=log) as logging:
        await get(logging.port, "/partner/orders.xml?token=hunter2", Authorization="Basic hunter2", Cookie="s=hunter2")
    line = json.loads(log.read_text())  # written when Envoy ended
    assert (line["method"], line["path"], line["status"]) == ("GET", "/partner/orders.xml", 200)
    assert "hunter2" not in log.read_text()
