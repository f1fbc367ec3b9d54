"""Where requests go at each stage, what a gateway is told, and what happens when it declines or is not there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from api_gateway.routes import FormToken, QueryToken, Route
from tests.support.edge import DECLINE, Edge, edge
from tests.support.upstream import Received, get, post, read_body, request, send

pytestmark = pytest.mark.asyncio(loop_scope="module")

ORDERS = Route("orders.list", "GET", "/partner/orders.xml", QueryToken("token"))
INTAKE = Route("orders.intake", "POST", "/partner/order_in", FormToken("token"))
INVOICE = Route("invoice.text", "GET", "/partner/invoice/{no}.txt")
PRICES = Route("prices", "GET", "/index.php", query={"action": "price"})
EXPORT = Route("export", "POST", "/index.php", form={"action": "export"})
IMPORT = Route("import", "POST", "/index.php", form={"action": "import"})
SOAP = Route("soap", "POST", "/soap", header={"SOAPAction": "urn:quote"})
ROUTES = [ORDERS, INTAKE, INVOICE, PRICES, EXPORT, IMPORT, SOAP]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Edge]:
    async with edge(tmp_path_factory.mktemp("edge")) as started:
        yield started


@pytest_asyncio.fixture(loop_scope="module")
async def at(running: Edge) -> Edge:
    await running.reset()
    return running


def told(got: Received) -> dict[str, str]:
    return {k.decode().lower(): v.decode() for k, v in got.headers if k.lower().startswith(b"x-banyan-")}


def as_sent(got: Received) -> tuple[bytes, list[tuple[bytes, bytes]], bytes]:
    """What legacy received, without what the edge says about the peer."""
    return got.target, [pair for pair in got.headers if pair[0].lower() != b"x-forwarded-for"], got.body


# ------------------------------------------------------------------ who answers


@pytest.mark.parametrize("stage", ["legacy", "shadow"])
async def test_at_legacy_and_shadow_requests_never_meet_a_gateway(at: Edge, stage: str) -> None:
    await at.move(ROUTES, {"orders.list": stage})
    assert (await get(at.port, "/partner/orders.xml?token=t")).body == b"ok"
    assert not at.gateway.received
    assert told(at.legacy.last) == {}


@pytest.mark.parametrize("stage", ["canary", "live", "retired"])
async def test_beyond_shadow_the_gateway_is_asked_and_told_the_route(at: Edge, stage: str) -> None:
    await at.move(ROUTES, {"orders.list": stage})
    assert (await get(at.port, "/partner/orders.xml?token=t")).body == b"modern"
    assert told(at.gateway.last)["x-banyan-route"] == "orders.list"
    assert "x-banyan-why" not in told(at.gateway.last)
    assert not at.legacy.received


async def test_one_consumer_beyond_shadow_is_enough(at: Edge) -> None:
    await at.move(ROUTES, {"orders.list@acme": "canary"})
    await get(at.port, "/partner/orders.xml?token=t")
    assert len(at.gateway.received) == 1


async def test_a_head_request_belongs_to_the_route_of_its_get(at: Edge) -> None:
    await at.move(ROUTES, {"orders.list": "live"})
    await send(at.port, request("HEAD", "/partner/orders.xml"))
    assert told(at.gateway.last)["x-banyan-route"] == "orders.list"


@pytest.mark.parametrize(
    "target", ["/partner/orders.xml2", "/partner/orders", "/partner", "/", "/partner/orders.xml/x"]
)
async def test_what_only_begins_like_a_listed_path_is_not_listed(at: Edge, target: str) -> None:
    await at.move(ROUTES, {"orders.list": "live"})
    assert (await get(at.port, target)).body == b"ok"
    assert not at.gateway.received


async def test_another_method_of_a_listed_path_is_not_listed(at: Edge) -> None:
    await at.move(ROUTES, {"orders.list": "live"})
    assert (await post(at.port, "/partner/orders.xml", b"x")).body == b"ok"


async def test_a_placeholder_stands_for_a_part_of_one_segment(at: Edge) -> None:
    await at.move(ROUTES, {"invoice.text": "live"})
    assert (await get(at.port, "/partner/invoice/4711.txt")).body == b"modern"
    assert (await get(at.port, "/partner/invoice/4711.pdf")).body == b"ok"
    assert (await get(at.port, "/partner/invoice/2024/4711.txt")).body == b"ok"


async def test_the_typed_api_belongs_to_the_gateway_and_nothing_that_begins_alike(at: Edge) -> None:
    await at.move(ROUTES, {})
    assert (await get(at.port, "/api/v1/orders?limit=1")).body == b"modern"
    assert told(at.gateway.last) == {}
    assert (await get(at.port, "/api")).body == b"modern"
    assert (await get(at.port, "/apiary")).body == b"ok"


@pytest.mark.parametrize(
    "target", ["/banyan/health", "//banyan/health", "/api/../banyan/health", "/x/../banyan/health"]
)
async def test_the_gateways_health_path_cannot_be_reached_through_the_edge(at: Edge, target: str) -> None:
    at.gateway.answer = DECLINE
    await at.move(ROUTES, {"orders.list": "live"})
    assert (await get(at.port, target)).body == b"ok"
    assert at.legacy.last.target == target.encode()
    assert all(got.target != b"/banyan/health" for got in at.gateway.received)


# ------------------------------------------------------------------ discriminators


async def test_routes_told_apart_by_a_query_parameter_are_matched_by_the_edge(at: Edge) -> None:
    await at.move(ROUTES, {"prices": "live"})
    assert (await get(at.port, "/index.php?item=1&action=price")).body == b"modern"
    assert (await get(at.port, "/index.php?action=ping")).body == b"ok"
    assert (await get(at.port, "/index.php")).body == b"ok"


@pytest.mark.parametrize(
    "query",
    [
        "%61ction=price",
        "action=pric%65",
        "action=ping&action=price",
        "action=price&action=ping",
        "action[]=price",
        "x=1;action=price",
        "acti%6fn=price",
        "+action=price",
    ],
)
async def test_an_odd_spelling_of_a_discriminating_parameter_is_decided_by_the_gateway(at: Edge, query: str) -> None:
    await at.move(ROUTES, {"prices": "live"})
    await get(at.port, f"/index.php?{query}")
    assert told(at.gateway.last) | {"x-banyan-copy": ""} == {
        "x-banyan-route": "prices",
        "x-banyan-why": "query",
        "x-banyan-copy": "",
    }


async def test_when_one_route_by_form_field_needs_the_gateway_every_post_of_the_path_goes_there(at: Edge) -> None:
    await at.move(ROUTES, {"export": "canary"})
    await post(at.port, "/index.php", b"action=import", Content_Type="application/x-www-form-urlencoded")
    assert told(at.gateway.last)["x-banyan-route"] == "export,import"
    assert told(at.gateway.last)["x-banyan-why"] == "form"
    assert at.gateway.last.body == b"action=import"
    assert (await get(at.port, "/index.php?action=price")).body == b"ok"


async def test_routes_told_apart_by_a_header_are_matched_by_the_edge_and_odd_values_by_the_gateway(at: Edge) -> None:
    await at.move(ROUTES, {"soap": "live"})
    await post(at.port, "/soap", b"<x/>", SOAPAction="urn:quote")
    assert "x-banyan-why" not in told(at.gateway.last)
    await post(at.port, "/soap", b"<x/>", SOAPAction='"URN:quote"')
    assert told(at.gateway.last)["x-banyan-why"] == "header"
    assert (await post(at.port, "/soap", b"<x/>", SOAPAction="urn:other")).body == b"ok"


# ------------------------------------------------------------------ odd spellings

ODD = [
    "/partner/orders%2exml",
    "/p%61rtner/orders.xml",
    "/partner/%256frders.xml",
    "//partner/orders.xml",
    "/partner//orders.xml",
    "/./partner/orders.xml",
    "/partner/./orders.xml",
    "/partner/%2e/orders.xml",
    "/partner%2Forders.xml",
    "/partner\\orders.xml",
    "/partner%5corders.xml",
    "/partner;x=1/orders.xml",
    "/partner/orders.xml;jsessionid=1",
    "/partner/orders.xml/",
    "/partner/orders.xml.",
    "/partner/orders.xml%20",
    "/partner/orders.xml%00.html",
    "/partner/orders.xml%3fa",
]
CLIMBING = [
    "/x/../partner/orders.xml",
    "/partner/x/%2e%2e/orders.xml",
    "/partner/..;/partner/orders.xml",
    "/a\\..\\partner\\orders.xml",
]


@pytest.mark.parametrize("target", ODD)
async def test_an_odd_spelling_of_a_listed_path_does_not_escape_the_decision(at: Edge, target: str) -> None:
    await at.move(ROUTES, {"orders.list": "live"})
    assert (await get(at.port, target)).body == b"modern"
    assert at.gateway.last.target == target.encode()
    assert told(at.gateway.last)["x-banyan-route"] == "orders.list"
    assert told(at.gateway.last)["x-banyan-why"] == "spelling"


@pytest.mark.parametrize("target", CLIMBING)
async def test_a_climbing_path_is_decided_by_the_gateway(at: Edge, target: str) -> None:
    await at.move(ROUTES, {"orders.list": "live"})
    assert (await get(at.port, target)).body == b"modern"
    assert told(at.gateway.last)["x-banyan-route"] == ""
    assert told(at.gateway.last)["x-banyan-why"] == "climbs"


async def test_absolute_form_is_matched_by_its_path(at: Edge) -> None:
    await at.move(ROUTES, {"orders.list": "live"})
    answer = await send(at.port, request("GET", "http://legacy.test/partner/orders.xml"))
    assert answer.body == b"modern"


@pytest.mark.parametrize("target", [*ODD, *CLIMBING])
async def test_while_nobody_is_beyond_shadow_odd_spellings_reach_legacy_unchanged(at: Edge, target: str) -> None:
    await at.move(ROUTES, {"orders.list": "shadow"})
    assert (await get(at.port, target)).body == b"ok"
    assert at.legacy.last.target == target.encode()
    assert not at.gateway.received


# ------------------------------------------------------------------ declining


async def test_a_declined_request_reaches_legacy_as_it_was_sent(at: Edge) -> None:
    await at.move(ROUTES, {})
    raw = request("POST", "/partner/order_in?a=%zz", {"X-CamelCase": "caf\xe9", "Cookie": "s=1"}, b"token=t&x=%00")
    await send(at.port, raw)
    direct = as_sent(at.legacy.last)
    at.gateway.answer = DECLINE
    await at.move(ROUTES, {"orders.intake": "canary"})
    at.legacy.answer = b"HTTP/1.1 299 Sehr gut\r\nX-CamelCase: 1\r\nContent-Length: 6\r\n\r\nlegacy"
    answer = await send(at.port, raw)
    assert (answer.status, answer.reason, answer.body) == (299, b"Sehr gut", b"legacy")
    assert answer.value("x-banyan-pass") is None
    assert len(at.gateway.received) == len(at.legacy.received) == 1
    assert as_sent(at.legacy.last) == direct


async def test_only_the_secret_declines(at: Edge) -> None:
    at.gateway.answer = b"HTTP/1.1 503 Service Unavailable\r\nX-Banyan-Pass: guessed\r\nContent-Length: 4\r\n\r\nbusy"
    await at.move(ROUTES, {"orders.list": "canary"})
    answer = await get(at.port, "/partner/orders.xml")
    assert (answer.status, answer.body) == (503, b"busy")
    assert answer.value("x-banyan-pass") is None
    assert not at.legacy.received


async def test_a_live_route_can_still_decline(at: Edge) -> None:
    at.gateway.answer = DECLINE
    await at.move(ROUTES, {"orders.list": "live"})
    assert (await get(at.port, "/partner/orders.xml")).body == b"ok"


async def test_a_retired_route_never_reaches_legacy(at: Edge) -> None:
    at.gateway.answer = DECLINE
    await at.move(ROUTES, {"orders.list": "retired"})
    assert (await get(at.port, "/partner/orders.xml")).status == 503
    await at.gateway.stop()
    assert (await get(at.port, "/partner/orders.xml")).status == 503
    assert not at.legacy.received


async def test_a_body_of_many_megabytes_survives_being_declined(at: Edge) -> None:
    at.gateway.answer = DECLINE
    await at.move(ROUTES, {"orders.intake": "canary"})
    body = bytes(range(256)) * (40 * 1024)  # 10 MiB
    await post(at.port, "/partner/order_in", body)
    assert len(at.gateway.received) == 1
    assert at.legacy.last.body == body


async def test_a_body_that_cannot_be_held_back_stays_with_legacy(at: Edge) -> None:
    await at.move(ROUTES, {"orders.intake": "live"})
    body = b"x" * (16 * 1024 * 1024 + 1)
    assert (await post(at.port, "/partner/order_in", body)).body == b"ok"
    assert not at.gateway.received
    assert at.legacy.last.body == body


async def test_a_client_cannot_choose_its_route(at: Edge) -> None:
    await at.move(ROUTES, {"orders.list": "canary"})
    await get(
        at.port, "/partner/orders.xml", **{"X-Banyan-Why": "climbs", "X_Banyan_Route": "x", "X-Banyan-Route": "y"}
    )
    assert told(at.gateway.last) == {"x-banyan-route": "orders.list", "x-banyan-copy": "head"}
    assert b"_" not in b"".join(name for name, _ in at.gateway.last.headers)
    await get(at.port, "/elsewhere", **{"X-Banyan-Route": "orders.list", "X-Banyan-Pass": "guess"})
    assert told(at.legacy.last) == {}


# ------------------------------------------------------------------ a gateway that is not there


@pytest.mark.parametrize("stages", [{"orders.list": "canary"}, {"orders.list@acme": "live"}, {"orders.list": "live"}])
async def test_without_a_gateway_a_route_answers_as_its_stages_allow(at: Edge, stages: dict[str, str]) -> None:
    await at.move(ROUTES, stages)
    await at.gateway.stop()
    answer = await get(at.port, "/partner/orders.xml")
    assert answer.status == (503 if stages == {"orders.list": "live"} else 200)


async def test_without_a_gateway_a_live_route_falls_back_where_it_says_so(at: Edge) -> None:
    routes = [Route("orders.list", "GET", "/partner/orders.xml", live_fallback=True)]
    await at.move(routes, {"orders.list": "live"})
    await at.gateway.stop()
    assert (await get(at.port, "/partner/orders.xml")).body == b"ok"


async def test_a_read_whose_gateway_dies_in_the_middle_is_answered_by_legacy(at: Edge) -> None:
    at.gateway.decide = _die
    await at.move(ROUTES, {"orders.list": "canary"})
    assert (await get(at.port, "/partner/orders.xml")).body == b"ok"


async def test_a_write_whose_gateway_dies_in_the_middle_is_never_sent_again(at: Edge) -> None:
    at.gateway.decide = _die
    await at.move(ROUTES, {"orders.intake": "canary"})
    assert (await post(at.port, "/partner/order_in", b"token=t")).status == 503
    assert len(at.gateway.received) == 1
    assert not at.legacy.received


async def test_a_gateway_that_dies_under_load_costs_no_read_at_canary(at: Edge) -> None:
    await at.move(ROUTES, {"orders.list": "canary"})

    async def client() -> list[int]:
        return [(await get(at.port, "/partner/orders.xml")).status for _ in range(60)]

    clients = [asyncio.create_task(client()) for _ in range(4)]
    while len(at.gateway.received) < 40:
        await asyncio.sleep(0.005)
    await at.gateway.stop()
    statuses = [status for answers in await asyncio.gather(*clients) for status in answers]
    assert statuses == [200] * 240
    assert at.legacy.received


async def _die(got: Received, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Read the whole request, then end like a killed process."""
    got.body = await read_body(got.head, reader)
    writer.transport.abort()
