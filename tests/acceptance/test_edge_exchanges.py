"""What the observer receives of each exchange, and that it can do the traffic no harm."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
import pytest_asyncio

from api_gateway.edge.exchange import UNLISTED
from api_gateway.edge.exchange_wire import Copy, Exchange, ExchangeServer, serve_exchanges
from api_gateway.routes import FormToken, QueryToken, Route
from tests.support.edge import DECLINE, Edge, edge
from tests.support.upstream import get, post, request, send

pytestmark = pytest.mark.asyncio(loop_scope="module")

ORDERS = Route("orders.list", "GET", "/partner/orders.xml", QueryToken("token"))
INTAKE = Route("orders.intake", "POST", "/partner/order_in", FormToken("token"))
PRICES = Route("prices", "GET", "/index.php", query={"action": "price"})
ROUTES = [ORDERS, INTAKE, PRICES]


@dataclass(slots=True)
class Observed:
    edge: Edge
    server: ExchangeServer
    exchanges: asyncio.Queue[Exchange] = field(default_factory=asyncio.Queue)

    async def next(self) -> Exchange:
        return await asyncio.wait_for(self.exchanges.get(), 5)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Observed]:
    exchanges: asyncio.Queue[Exchange] = asyncio.Queue()
    server = await serve_exchanges(0, exchanges.put)
    async with edge(tmp_path_factory.mktemp("edge"), observer_port=server.port) as started:
        yield Observed(started, server, exchanges)
    await server.stop()


@pytest_asyncio.fixture(loop_scope="module")
async def observed(running: Observed) -> Observed:
    await running.edge.reset()
    return running


async def test_at_shadow_the_whole_exchange_is_copied_as_both_sides_sent_it(observed: Observed) -> None:
    await observed.edge.move(ROUTES, {"orders.list": "shadow"})
    observed.edge.legacy.answer = (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n5\r\n<a/>\xe9\r\n0\r\n\r\n"
    )
    await get(observed.edge.port, "/partner/orders.xml?token=%zz", X_Odd="caf\xe9")
    got = await observed.next()
    assert (got.route_name, got.why, got.copied, got.declined) == ("orders.list", "", Copy.whole, False)
    assert (got.method, got.target) == ("GET", "/partner/orders.xml?token=%zz")
    assert dict(got.request_headers)[b"x-odd"] == b"caf\xe9"
    assert dict(got.request_headers)[b"host"] == b"legacy.test"
    assert (got.status, got.response_body) == (200, b"<a/>\xe9")
    assert [value for name, value in got.response_headers if name == b"set-cookie"] == [b"a=1", b"b=2"]
    assert got.complete
    assert not got.truncated
    assert got.source_address == "127.0.0.1"
    assert got.started <= got.finished


async def test_at_shadow_a_request_body_is_copied_too(observed: Observed) -> None:
    await observed.edge.move(ROUTES, {"orders.intake": "shadow"})
    await post(observed.edge.port, "/partner/order_in", b"token=t&item=1")
    got = await observed.next()
    assert (got.request_body, got.response_body, got.complete) == (b"token=t&item=1", b"ok", True)


async def test_at_legacy_the_heads_are_copied_and_no_body(observed: Observed) -> None:
    await observed.edge.move(ROUTES, {})
    await get(observed.edge.port, "/partner/orders.xml?token=t")
    got = await observed.next()
    assert (got.route_name, got.copied, got.status, got.complete) == ("orders.list", Copy.head, 200, True)
    assert got.response_body == b""


async def test_at_legacy_the_request_body_is_copied_where_it_names_the_consumer(observed: Observed) -> None:
    await observed.edge.move(ROUTES, {})
    await post(observed.edge.port, "/partner/order_in", b"token=t&item=1")
    got = await observed.next()
    assert (got.copied, got.request_body, got.response_body) == (Copy.form, b"token=t&item=1", b"")
    assert got.complete


async def test_a_declined_request_is_copied_once_with_its_route_and_the_true_peer(observed: Observed) -> None:
    observed.edge.gateway.answer = DECLINE
    await observed.edge.move(ROUTES, {"orders.list@acme": "canary", "orders.list@bolt": "shadow"})
    await get(observed.edge.port, "/partner/orders.xml?token=t", X_Forwarded_For="192.0.2.7")
    got = await observed.next()
    assert (got.route_name, got.why, got.copied, got.declined) == ("orders.list", "", Copy.whole, True)
    assert (got.status, got.response_body, got.complete) == (200, b"ok", True)
    assert got.source_address not in ("", "192.0.2.7")
    assert not any(name.startswith(b"x-banyan-") for name, _ in got.request_headers)
    assert observed.exchanges.empty()


async def test_an_answer_of_modern_is_not_copied(observed: Observed) -> None:
    await observed.edge.move(ROUTES, {"orders.list": "canary"})
    await get(observed.edge.port, "/partner/orders.xml")
    await observed.edge.move(ROUTES, {})
    await get(observed.edge.port, "/index.php?action=price")
    assert (await observed.next()).route_name == "prices"


async def test_unlisted_traffic_is_not_copied(observed: Observed) -> None:
    await observed.edge.move(ROUTES, {"orders.list": "shadow"})
    await get(observed.edge.port, "/panel/")
    await get(observed.edge.port, "/partner/orders.xml")
    assert (await observed.next()).target == "/partner/orders.xml"


async def test_of_unlisted_traffic_the_heads_are_copied_where_a_share_is_asked_for(observed: Observed) -> None:
    await observed.edge.move(ROUTES, {"orders.list": "shadow"}, unlisted_share=1.0)
    await post(observed.edge.port, "/panel/save?x=1", b"name=secret")
    got = await observed.next()
    assert (got.route_name, got.why, got.copied) == ("", UNLISTED, Copy.head)
    assert (got.method, got.target, got.status) == ("POST", "/panel/save?x=1", 200)
    assert (got.request_body, got.response_body) == (b"", b"")
    await get(observed.edge.port, "//panel/%2e/")
    assert (await observed.next()).target == "//panel/%2e/"
    await get(observed.edge.port, "/partner/orders.xml")
    assert (await observed.next()).route_name == "orders.list"


async def test_an_odd_spelling_is_copied_with_what_is_odd_about_it(observed: Observed) -> None:
    await observed.edge.move(ROUTES, {"orders.list": "shadow", "prices": "shadow"})
    await get(observed.edge.port, "/partner//orders.xml")
    got = await observed.next()
    assert (got.route_name, got.why) == ("orders.list", "spelling")
    await get(observed.edge.port, "/index.php?%61ction=price")
    got = await observed.next()
    assert (got.route_name, got.why) == ("prices", "query")


async def test_a_head_request_and_an_answer_without_a_body_are_complete(observed: Observed) -> None:
    await observed.edge.move(ROUTES, {"orders.list": "shadow"})
    observed.edge.legacy.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n"
    await send(observed.edge.port, request("HEAD", "/partner/orders.xml"))
    got = await observed.next()
    assert (got.method, got.complete, got.response_body) == ("HEAD", True, b"")


async def test_an_answer_over_the_limit_is_truncated_and_inconclusive_but_passes_whole(observed: Observed) -> None:
    await observed.edge.move(ROUTES, {"orders.list": "shadow"})
    body = b"x" * (3 * 1024 * 1024)
    observed.edge.legacy.answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    assert (await get(observed.edge.port, "/partner/orders.xml")).body == body
    got = await observed.next()
    assert (got.truncated, got.complete, len(got.response_body)) == (True, False, 2 * 1024 * 1024)


async def test_an_answer_that_breaks_off_is_incomplete(observed: Observed) -> None:
    await observed.edge.move(ROUTES, {"orders.list": "shadow"})
    observed.edge.legacy.answer = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 9\r\n\r\nhalf"

    async def cut(got, reader, writer) -> None:
        writer.write(observed.edge.legacy.answer)
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.transport.abort()

    observed.edge.legacy.script = cut
    with pytest.raises(asyncio.IncompleteReadError):
        await get(observed.edge.port, "/partner/orders.xml")
    got = await observed.next()
    assert (got.complete, got.response_body) == (False, b"half")


async def test_exchanges_beyond_the_limit_are_skipped_whole_and_counted(observed: Observed) -> None:
    await observed.edge.move(ROUTES, {"orders.list": "shadow"})
    limit, before = observed.server.limit, observed.server.skipped
    observed.server.limit = 0
    try:
        assert (await get(observed.edge.port, "/partner/orders.xml")).body == b"ok"
        while observed.server.skipped == before:
            await asyncio.sleep(0.01)
    finally:
        observed.server.limit = limit
    assert observed.exchanges.empty()


async def test_without_an_observer_every_stage_answers(tmp_path_factory: pytest.TempPathFactory) -> None:
    async with edge(tmp_path_factory.mktemp("edge")) as alone:
        await alone.move(ROUTES, {"orders.list": "shadow"})
        answers = [await get(alone.port, "/partner/orders.xml") for _ in range(20)]
        assert {answer.body for answer in answers} == {b"ok"}


async def test_an_observer_that_hangs_delays_no_answer(tmp_path_factory: pytest.TempPathFactory) -> None:
    async def never(exchange: Exchange) -> None:
        await asyncio.Event().wait()

    hanging = await serve_exchanges(0, never, limit=2)
    async with edge(tmp_path_factory.mktemp("edge"), observer_port=hanging.port) as beside:
        await beside.move(ROUTES, {"orders.list": "shadow"})
        answers = [await get(beside.port, "/partner/orders.xml") for _ in range(20)]
        assert {answer.body for answer in answers} == {b"ok"}
        while hanging.in_flight < 2 or hanging.skipped < 18:
            await asyncio.sleep(0.01)
    await hanging.stop(0)


async def test_unlisted_traffic_never_keeps_a_route_from_being_observed(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    async def never(exchange: Exchange) -> None:
        await asyncio.Event().wait()

    hanging = await serve_exchanges(0, never, limit=8)
    async with edge(tmp_path_factory.mktemp("edge"), observer_port=hanging.port) as beside:
        await beside.move(ROUTES, {"orders.list": "shadow"}, unlisted_share=1.0)
        for _ in range(20):
            await get(beside.port, "/panel/")
        while hanging.in_flight < 2:
            await asyncio.sleep(0.01)
        await get(beside.port, "/partner/orders.xml")
        while hanging.in_flight < 3:
            await asyncio.sleep(0.01)
        assert (hanging.in_flight, hanging.skipped) == (3, 0)
    await hanging.stop(0)


READER = """
import asyncio
from api_gateway.edge.exchange_wire import serve_exchanges

async def main():
    server = await serve_exchanges(0, lambda exchange: asyncio.sleep(0))
    print(server.port, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""
LARGE = b"x" * (1 << 19)


async def test_a_reader_that_is_stopped_or_killed_changes_no_answer_and_costs_no_memory(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Everything that is copied: heads of what is not listed, whole exchanges of what is, large bodies both ways."""
    reader = subprocess.Popen([sys.executable, "-c", READER], stdout=subprocess.PIPE, text=True)
    try:
        assert reader.stdout is not None
        port = int(await asyncio.to_thread(reader.stdout.readline))
        async with edge(tmp_path_factory.mktemp("edge"), observer_port=port) as beside:
            beside.legacy.answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(LARGE) + LARGE
            await beside.move(ROUTES, {"orders.list": "shadow", "orders.intake": "shadow"}, unlisted_share=1.0)
            running = await everything(beside)
            before = int(beside.envoy.admin.stat("server.memory_allocated"))
            reader.send_signal(signal.SIGSTOP)
            assert await everything(beside) == running
            assert int(beside.envoy.admin.stat("server.memory_allocated")) - before < 64 << 20
            reader.kill()
            assert await everything(beside) == running
    finally:
        reader.kill()
        reader.communicate()


async def everything(beside: Edge) -> list[tuple[bytes, bytes, bytes, bool]]:
    """What legacy received, and whether the client got what it answered: of 30 requests, ten at a time."""
    beside.legacy.received.clear()
    turns = asyncio.Semaphore(10)

    async def ask(number: int) -> bool:
        async with turns:
            if number % 3 == 0:
                answer = await post(beside.port, f"/partner/order_in?n={number:02}", LARGE)
            else:
                path = "/partner/orders.xml" if number % 3 == 1 else "/panel/"
                answer = await get(beside.port, f"{path}?token=t&n={number:02}")
            return answer.status == 200 and answer.body == LARGE

    answered = await asyncio.gather(*(ask(number) for number in range(30)))
    received = sorted((got.method, got.target, got.body) for got in beside.legacy.received)
    return [(*got, ok) for got, ok in zip(received, answered, strict=True)]
