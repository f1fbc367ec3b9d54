"""A mimic called with a buffered answer: whatever it does becomes an observation."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import HTTPException, Request, Response
from starlette.responses import StreamingResponse

from api_gateway.evidence.mimic import MimicRequest, call_mimic, mimic_app
from api_gateway.evidence.observation import Failure, Observation
from api_gateway.routes import Route

Mimic = Callable[..., Awaitable[Any]]


async def call(mimic: Callable[..., Any], request: MimicRequest | None = None, **given: Any) -> Observation:
    route = Route("r", "GET", "/partner/{no}.txt", mimic=mimic)
    asked = request or MimicRequest("GET", "/partner/1.txt")
    return await call_mimic(mimic_app(route), asked, **{"deadline": 2.0, **given})


async def test_an_answer_is_observed_whole() -> None:
    async def mimic(no: str) -> Response:
        return Response(f"NO {no}", 404, {"X-A": "ä"}, "text/plain")

    answer = await call(mimic)
    assert (answer.status, answer.body, answer.header("x-a")) == (404, b"NO 1", "ä")
    assert answer.failure is None


async def test_query_headers_and_body_arrive_as_sent() -> None:
    async def mimic(request: Request, q: str) -> Response:
        return Response(f"{q}|{request.headers['x-t']}|{(await request.body()).decode()}|{request.url.path}")

    asked = MimicRequest("GET", "/partner/a%20b.txt", b"q=caf%C3%A9", ((b"x-t", b"1"),), b"body")
    assert (await call(mimic, asked)).body.decode() == "café|1|body|/partner/a b.txt"


async def test_raw_bytes_in_the_query_are_read_as_utf_8() -> None:
    async def mimic(q: str) -> Response:
        return Response(q)

    assert (await call(mimic, MimicRequest("GET", "/partner/1.txt", "q=é".encode()))).body.decode() == "é"


async def test_headers_of_the_edge_and_of_the_connection_do_not_reach_it() -> None:
    async def mimic(request: Request) -> Response:
        return Response(" ".join(request.headers))

    headers = ((b"x-banyan-route", b"r"), (b"transfer-encoding", b"chunked"), (b"content-length", b"7"), (b"a", b"b"))
    assert (await call(mimic, MimicRequest("GET", "/partner/1.txt", headers=headers))).body == b"a"


async def test_an_http_exception_is_an_answer() -> None:
    async def mimic() -> Response:
        raise HTTPException(403)

    assert (await call(mimic)).status == 403


async def test_an_exception_is_told_by_class_and_place_and_never_by_its_text() -> None:
    async def mimic() -> Response:
        raise ValueError("row 4711 of ACME")

    answer = await call(mimic, folder=Path(__file__).parent)
    assert answer.failure is Failure.raised
    assert answer.detail.startswith(f"ValueError at {Path(__file__).name}:")


@pytest.mark.parametrize("fault", [SystemExit, KeyboardInterrupt])
async def test_a_mimic_that_exits_ends_nothing_but_itself(fault: type[BaseException]) -> None:
    async def mimic() -> Response:
        raise fault

    assert (await call(mimic)).failure is Failure.exited


async def test_a_synchronous_mimic_that_exits_ends_nothing_but_itself() -> None:
    def mimic() -> Response:
        raise SystemExit(3)

    assert (await call(mimic)).failure is Failure.exited


async def test_a_mimic_that_hangs_is_left_at_its_deadline() -> None:
    async def mimic() -> Response:
        await asyncio.Event().wait()
        return Response()

    assert (await call(mimic, deadline=0.05)).failure is Failure.timed_out


async def test_a_mimic_that_refuses_to_be_cancelled_is_left_too() -> None:
    async def mimic() -> Response:
        for _ in range(3):
            try:
                await asyncio.sleep(0.2)
            except asyncio.CancelledError:
                continue
        return Response()

    assert (await call(mimic, deadline=0.05)).failure is Failure.hung


async def test_an_answer_without_end_is_cut_at_the_limit() -> None:
    async def mimic() -> Response:
        def pieces() -> Iterator[bytes]:
            while True:
                yield b"x" * 65536

        return StreamingResponse(pieces())

    answer = await call(mimic, limit=1_000_000)
    assert (answer.failure, answer.body) == (Failure.too_large, b"")


async def test_a_stream_that_breaks_in_the_middle_is_no_answer() -> None:
    async def mimic() -> Response:
        def pieces() -> Iterator[bytes]:
            yield b"half"
            raise OSError

        return StreamingResponse(pieces())

    assert (await call(mimic)).failure is Failure.raised
