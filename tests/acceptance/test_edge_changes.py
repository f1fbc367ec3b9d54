"""Each thing that the edge changes, one test per entry of docs/reference/edge-changes.md, and that nothing else is."""

from __future__ import annotations

import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from api_gateway.routes import Route
from tests.support.edge import DECLINE, Edge, edge
from tests.support.upstream import get, post, request, send

pytestmark = pytest.mark.asyncio(loop_scope="module")

LIST = Path(__file__).parents[2] / "docs" / "reference" / "edge-changes.md"
HOST = b"Host: legacy.test\r\n"


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Edge]:
    async with edge(tmp_path_factory.mktemp("edge")) as started:
        yield started


@pytest_asyncio.fixture(loop_scope="module")
async def at(running: Edge) -> Edge:
    await running.reset()
    running.legacy.received.clear()
    return running


async def lines(at: Edge, *headers: bytes) -> list[bytes]:
    """Send a GET with these header lines; the header lines that legacy received, without the edge's own."""
    await send(at.port, b"GET / HTTP/1.1\r\n" + HOST + b"".join(line + b"\r\n" for line in headers) + b"\r\n")
    return [name + b": " + value for name, value in at.legacy.last.headers if name not in (b"Host", b"x-forwarded-for")]


async def test_every_entry_of_the_list_has_its_test_and_every_test_its_entry() -> None:
    listed = re.findall(r"(?m)^- \*\*([a-z-]+)\*\*", LIST.read_text())
    tested = [
        name.removeprefix("test_change_") for name in vars(sys.modules[__name__]) if name.startswith("test_change_")
    ]
    assert [name.replace("-", "_") for name in listed] == tested


async def test_everything_else_passes_unchanged_to_legacy(at: Edge) -> None:
    raw = (
        b"PUT /a%2Fb//c/./d;e=1\\f/%zz/?q=%zz&x=[1]|{}^`\"<>'&&=&?a HTTP/1.1\r\nHost: Legacy.TEST:8080\r\n"
        b'X-CamelCase: 1\r\nx-lower: caf\xe9\r\nX-Empty: \r\nX-Dup: 1\r\nX-Dup: 2\r\nCookie: a=1\r\nCookie: b="2"\r\n'
        b"Authorization: Basic QUJD\r\nX-Request-ID: q\r\ntraceparent: 00-1-1-01\r\nVia: 1.1 proxy\r\nX_Own_Name: 1\r\n"
        b"Expect: 100-continue\r\nAccept: */*\r\nContent-Type: text/x; charset=latin-1\r\n"
        b"Content-Length: 4\r\n\r\n\x00\xff\r\n"
    )
    await send(at.port, raw)
    got = at.legacy.last
    seen = b"\r\n".join(line for line in got.head.split(b"\r\n") if not line.startswith(b"x-forwarded-for: "))
    assert seen + got.body == raw


async def test_everything_else_passes_unchanged_to_the_client(at: Edge) -> None:
    at.legacy.answer = (
        b"HTTP/1.1 299 Sehr gut, caf\xe9\r\nServer: WSGIServer/0.2\r\nDate: yesterday\r\nX-CamelCase: 1\r\n"
        b"Set-Cookie: a=1\r\nSet-Cookie: b=2\r\nX-Dup: 1\r\nX-Dup: 2\r\nX-Latin: caf\xe9\r\nX-Empty: \r\n"
        b'ETag: W/"x"\r\n'
        b"Location: /a//b/../c?d=%zz\r\nContent-Type: text/csv; charset=latin-1\r\n"
        b"Content-Length: 4\r\n\r\n\x00\xff\r\n"
    )
    answer = await get(at.port, "/")
    assert answer.head + answer.body == at.legacy.answer


async def test_behind_a_trusted_proxy_what_the_proxy_says_is_kept(tmp_path: Path) -> None:
    said = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "shop.example", "X-Real-IP": "192.0.2.7"}
    said |= {"X-Forwarded-Client-Cert": 'Hash=ab;Subject="CN=acme,O=Acme"', "X-SSL-Client-S-DN": "CN=acme"}
    async with edge(tmp_path, trusted_hops=1, certificate_headers=("X-SSL-Client-S-DN",)) as behind:
        await get(behind.port, "/", **said)
        assert {name: (behind.legacy.last.value(name) or b"").decode() for name in said} == said
        await behind.move([Route("r", "GET", "/r")], {"r": "canary"})
        behind.gateway.answer = DECLINE
        await get(behind.port, "/r", **said)
        assert {name: (behind.legacy.last.value(name) or b"").decode() for name in said} == said


# ------------------------------------------------------------------ requests


async def test_change_forwarded_for(at: Edge) -> None:
    await get(at.port, "/", X_Forwarded_For="192.0.2.7")
    value = at.legacy.last.value("x-forwarded-for") or b""
    assert re.fullmatch(rb"192\.0\.2\.7,[0-9a-f.:]+", value)


async def test_change_forwarded_by_clients(at: Edge) -> None:
    names = ["X-Forwarded-Host", "X-Forwarded-Port", "X-Forwarded-Proto", "X-Forwarded-Server", "X-Forwarded-Prefix"]
    names += ["X-Forwarded-Scheme", "X-Forwarded-Ssl", "X-Forwarded-Client-Cert", "X-Real-IP", "Forwarded"]
    twins = ["X_Forwarded_Host", "X-Forwarded_Proto", "X_Real_IP", "X_Forwarded_For", "X-Forwarded_For"]
    assert await lines(at, *(f"{name}: evil".encode() for name in names + twins)) == []


async def test_a_client_cannot_say_itself_whose_certificate_it_has(tmp_path: Path) -> None:
    async with edge(tmp_path, certificate_headers=("X-SSL-Client-S-DN",)) as running:
        names = ["X-SSL-Client-S-DN", "X_SSL_Client_S_DN", "x-ssl_client-s-dn", "X-Forwarded-Client-Cert"]
        assert await lines(running, *(f"{name}: CN=acme".encode() for name in names)) == []


async def test_change_internal_headers(at: Edge) -> None:
    names = ["X-Banyan-Route", "X_Banyan_Route", "X-Banyan-Anything", "X-Envoy-Retry-On", "X_Envoy_Max_Retries"]
    assert await lines(at, *(f"{name}: 5xx".encode() for name in names)) == []


async def test_change_override_header(at: Edge) -> None:
    names = [b"Banyan-Override: x", b"banyan_override: x", b"BANYAN-OVERRIDE: x"]
    assert await lines(at, *names) == []
    routes = [Route("r", "GET", "/r", mimic=test_change_override_header)]
    at.gateway.answer = DECLINE
    for stage in ("legacy", "shadow", "canary", "live"):
        await at.move(routes, {"r": stage})
        await get(at.port, "/r", **{"Banyan-Override": "x"})
        assert at.gateway.last.value("banyan-override") == b"x"
        assert at.legacy.last.value("banyan-override") is None
        await get(at.port, "/r")
        assert len(at.gateway.received) == (1 if stage in ("legacy", "shadow") else 2)


async def test_change_framing_twins(at: Edge) -> None:
    assert await lines(at, b"Content_Length: 9", b"Transfer_Encoding: chunked") == []


async def test_change_hop_by_hop(at: Edge) -> None:
    hop = [b"Connection: close, X-Hop", b"X-Hop: 1", b"Keep-Alive: 5", b"Proxy-Connection: close", b"Upgrade: h2c"]
    assert await lines(at, *hop, b"TE: trailers") == [b"TE: trailers"]
    assert await lines(at, b"TE: gzip") == []


async def test_change_host_first(at: Edge) -> None:
    await send(at.port, b"GET / HTTP/1.1\r\nX-A: 1\r\n" + HOST + b"\r\n")
    assert [name for name, _ in at.legacy.last.headers][:2] == [b"Host", b"X-A"]


async def test_change_repeated_request_headers(at: Edge) -> None:
    names = [b"Accept", b"Accept-Encoding", b"Authorization", b"User-Agent", b"Referer", b"If-None-Match"]
    sent = [name + value for name in names for value in (b": a", b": b")]
    assert await lines(at, *sent) == [name + b": a,b" for name in names]


async def test_change_whitespace(at: Edge) -> None:
    assert await lines(at, b"X-A:   1  ", b"X-B: 1\r\n 2", b"X-C: 1\r2") == [b"X-A: 1", b"X-B: 1 2", b"X-C: 12"]
    await send(at.port, b"GET /bare HTTP/1.1\nHost: legacy.test\nX-A: 1\n\n")
    assert at.legacy.last.head.startswith(b"GET /bare HTTP/1.1\r\nHost: legacy.test\r\nX-A: 1\r\n")


async def test_change_http_version(at: Edge) -> None:
    await send(at.port, b"GET / HTTP/1.0\r\nHost: old.test\r\n\r\n")
    assert at.legacy.last.head.startswith(b"GET / HTTP/1.1\r\nHost: old.test\r\n")
    await send(at.port, b"GET / HTTP/1.0\r\n\r\n")
    assert at.legacy.last.value("host") == f"127.0.0.1:{at.legacy.port}".encode()


async def test_change_absolute_form(at: Edge) -> None:
    await send(at.port, b"GET http://other.test/p//q?x HTTP/1.1\r\n" + HOST + b"\r\n")
    assert (at.legacy.last.target, at.legacy.last.value("host")) == (b"/p//q?x", b"other.test")


async def test_change_empty_body(at: Edge) -> None:
    await send(at.port, b"POST / HTTP/1.1\r\n" + HOST + b"\r\n")
    assert at.legacy.last.value("content-length") == b"0"
    await send(at.port, b"DELETE / HTTP/1.1\r\n" + HOST + b"\r\n")
    assert at.legacy.last.value("content-length") is None


async def test_change_chunks(at: Edge) -> None:
    head = b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"
    await send(at.port, head + b"3;note=1\r\nabc\r\n2\r\nde\r\n0\r\nAuthorization: late\r\n\r\n")
    assert at.legacy.last.body == b"abcde"
    assert at.legacy.last.value("authorization") is None


@pytest.mark.parametrize(
    ("status", "raw"),
    [
        (400, b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        (400, b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"),
        (400, b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc"),
        (400, b"GET / HTTP/1.1\r\n\r\n"),
        (400, b"GET / HTTP/1.1\r\n" + HOST + b"Host: other.test\r\n\r\n"),
        (400, b"GET / HTTP/1.1\r\nHost: legacy.test, other.test\r\n\r\n"),
        (400, b"GET / HTTP/1.1\r\nHost: user@legacy.test\r\n\r\n"),
        (400, b"GET / HTTP/1.1\r\nHost: legacy.test/path\r\n\r\n"),
        (400, b"GET / HTTP/1.1\r\n" + HOST + b"X-A: 1\x002\r\n\r\n"),
        (400, b"GET / HTTP/1.1\r\n" + HOST + b"X-A : 1\r\n\r\n"),
        (400, b"FROB / HTTP/1.1\r\n" + HOST + b"\r\n"),
        (400, b"GET /a#b HTTP/1.1\r\n" + HOST + b"\r\n"),
        (400, b"GET /caf\xe9 HTTP/1.1\r\n" + HOST + b"\r\n"),
        (404, b"CONNECT legacy.test:80 HTTP/1.1\r\n" + HOST + b"\r\n"),
        (404, b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n"),
        (501, b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
        (501, b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
    ],
)
async def test_change_refused_requests(at: Edge, status: int, raw: bytes) -> None:
    assert (await send(at.port, raw)).status == status
    assert not at.legacy.received


async def test_change_head_limits(at: Edge) -> None:
    assert (await get(at.port, "/", X_Long="a" * (90 * 1024))).status == 200
    assert (await get(at.port, "/", X_Long="a" * (97 * 1024))).status == 431
    assert (await get(at.port, "/", **{f"X-{number}": "1" for number in range(201)})).status == 431
    timeout = at.envoy.admin.ask("/config_dump?resource=static_listeners")
    assert '"request_headers_timeout": "10s"' in timeout


# ------------------------------------------------------------------ answers


async def test_change_date(at: Edge) -> None:
    assert (await get(at.port, "/")).value("date")


async def test_change_answer_hop_by_hop(at: Edge) -> None:
    at.legacy.answer = (
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nKeep-Alive: timeout=3\r\nUpgrade: x\r\nContent-Length: 2\r\n\r\nok"
    )
    answer = await get(at.port, "/")
    assert [name for name, _ in answer.headers] == [b"Content-Length", b"date"]


async def test_change_repeated_answer_headers(at: Edge) -> None:
    at.legacy.answer = b"HTTP/1.1 200 OK\r\nVary: a\r\nVary: b\r\nContent-Length: 2\r\n\r\nok"
    assert (await get(at.port, "/")).value("vary") == b"a,b"


async def test_change_empty_reason(at: Edge) -> None:
    at.legacy.answer = b"HTTP/1.1 404 \r\nContent-Length: 2\r\n\r\nno"
    assert (await get(at.port, "/")).reason == b"Not Found"


async def test_change_head_framing(at: Edge) -> None:
    at.legacy.answer = b"HTTP/1.1 200 OK\r\nX-A: 1\r\n\r\n"
    assert (await send(at.port, request("HEAD", "/"))).value("transfer-encoding") == b"chunked"
    at.legacy.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 77\r\n\r\n"
    answer = await send(at.port, request("HEAD", "/"))
    assert (answer.value("content-length"), answer.value("transfer-encoding")) == (b"77", None)


async def test_change_answer_version(at: Edge) -> None:
    at.legacy.answer = b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"
    assert (await get(at.port, "/")).head.startswith(b"HTTP/1.1 200 OK\r\n")
    at.legacy.answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
    answer = await send(at.port, b"GET / HTTP/1.0\r\nHost: old.test\r\n\r\n")
    assert (answer.value("transfer-encoding"), answer.body) == (None, b"ok")


async def test_change_answer_trailers(at: Edge) -> None:
    at.legacy.answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Late: 1\r\n\r\n"
    answer = await get(at.port, "/")
    assert answer.body == b"ok"
    assert answer.value("x-late") is None


async def test_change_upstream_time(at: Edge) -> None:
    at.legacy.answer = b"HTTP/1.1 200 OK\r\nX-Envoy-Upstream-Service-Time: 3\r\nContent-Length: 2\r\n\r\nok"
    assert (await get(at.port, "/")).value("x-envoy-upstream-service-time") is None


async def test_change_bad_answers(at: Edge) -> None:
    for answer in (b"garbage\r\n\r\n", b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nok"):
        at.legacy.answer = answer
        assert (await get(at.port, "/")).status == 502
    await at.legacy.stop()
    try:
        assert (await post(at.port, "/", b"x")).status == 503
    finally:
        await at.legacy.start(at.legacy.port)


async def test_change_own_prefix(at: Edge) -> None:
    await at.move([], {})
    assert (await get(at.port, "/api/v1/orders")).body == b"modern"
