"""Every request of the typed API leaves one line, with an id that its caller was told; never a query or a key."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest

from api_gateway.consumers import Consumer
from api_gateway.logging import configure, flush
from tests.support.api import Api, serving


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    configure("gateway", form="json", level="info", stream=stream)
    yield stream
    configure("gateway", form="json", level="error", stream=io.StringIO())


@pytest.fixture
def api(northgate_url: str) -> Iterator[Api]:
    consumer = Consumer("acme", "Acme", frozenset({"items:read"}), {"prt_cd": "ACME"})
    with serving(northgate_url, [consumer]) as served:
        yield served


def last(lines: io.StringIO) -> dict[str, Any]:
    flush()
    return dict(json.loads(lines.getvalue().splitlines()[-1]))


def test_an_answer_is_told_with_service_consumer_status_and_duration(api: Api, lines: io.StringIO) -> None:
    answer = api.get("items?limit=1&number=NS-10001")
    line = last(lines)
    assert answer.status_code == line["status"] == 200
    assert (line["service"], line["consumer"], line["path"]) == ("gateway", "acme", "/api/v1/items")
    assert line["duration_ms"] > 0
    assert line["request_id"] == answer.headers["x-request-id"]
    assert "NS-10001" not in lines.getvalue()
    assert "code" not in line


@pytest.mark.parametrize(
    ("path", "consumer", "code"),
    [
        ("items?nothing=1", "acme", "invalid_request"),
        ("orders", "acme", "forbidden"),
        ("items", None, "unauthenticated"),
    ],
)
def test_a_refusal_is_told_with_its_code(
    api: Api, lines: io.StringIO, path: str, consumer: str | None, code: str
) -> None:
    answer = api.ask("GET", path, consumer)
    assert answer.json()["code"] == last(lines)["code"] == code


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"x-request-id": "order-4711"}, "order-4711"),
        (
            {"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"},
            "4bf92f3577b34da6a3ce929d0e0e4736",
        ),
    ],
)
def test_the_callers_own_id_is_kept(api: Api, headers: dict[str, str], expected: str) -> None:
    assert api.ask("GET", "items?limit=1", headers=headers).headers["x-request-id"] == expected


def test_an_id_that_is_no_plain_word_is_replaced(api: Api) -> None:
    given = 'x"} {"forged": 1'
    assert api.ask("GET", "items?limit=1", headers={"x-request-id": given}).headers["x-request-id"] != given
