"""The short way of plain requests is seen by nobody: whatever is asked, both ways answer alike."""

from __future__ import annotations

import json
from typing import Any

import pytest

from api_gateway.api.front import Front
from tests.support.api import Api

_OWN = {"server-timing", "ratelimit", "x-request-id"}  # another one in each answer
_ASKED: list[tuple[str, str, dict[str, str]]] = [
    ("GET", "items/{number}", {}),
    ("HEAD", "items/{number}", {}),
    ("GET", "items/{number}?fields=number", {"x-request-id": "mine"}),
    ("GET", "items/{number}", {"if-none-match": "*"}),
    ("GET", "items/{number}", {"accept": "text/html"}),
    ("GET", "items/{number}", {"prefer": "handling=strict"}),
    ("GET", "items/not%20there", {}),
    ("GET", "items/{number}/below", {}),
    ("GET", "items/", {}),
    ("GET", "items/%ff", {}),
    ("GET", "%69tems/{number}", {}),
    ("GET", "items/{number}?nothing=1", {}),
    ("GET", "items?limit=2", {}),
    ("GET", "items?limit=2", {"accept": "text/csv"}),
    ("POST", "orders", {"content-type": "application/json", "content-encoding": "gzip"}),
    ("GET", "items?limit=2", {"cookie": "sessionid=x"}),
    ("OPTIONS", "items", {}),
    ("DELETE", "items/{number}", {}),
    ("POST", "orders", {"content-type": "text/plain"}),
    ("GET", "nowhere", {}),
]


@pytest.fixture(scope="module")
def number(reading: Api) -> str:
    return str(reading.get("items?limit=1").json()["data"][0]["number"])


def _of(api: Api, method: str, path: str, headers: dict[str, str], consumer: str | None) -> tuple[Any, ...]:
    answer = api.ask(method, path, consumer, headers=headers)
    return answer.status_code, {k: v for k, v in answer.headers.items() if k not in _OWN}, answer.content


@pytest.mark.parametrize(("method", "path", "headers"), _ASKED, ids=[" ".join(map(str, one)) for one in _ASKED])
@pytest.mark.parametrize("consumer", ["acme", "nobody", "not a key", None])
def test_both_ways_answer_alike(
    reading: Api,
    number: str,
    method: str,
    path: str,
    headers: dict[str, str],
    consumer: str | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = path.format(number=number)
    front = reading.client.app
    assert isinstance(front, Front)
    short = _of(reading, method, path, headers, consumer)
    monkeypatch.setattr(front, "_ways", None)
    assert _of(reading, method, path, headers, consumer) == short


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_a_key_is_known_however_it_is_brought(reading: Api, number: str, scheme: str) -> None:
    brought = {"authorization": f"{scheme}  acme "}
    assert reading.ask("GET", f"items/{number}", None, headers=brought).status_code == 200


def test_two_keys_are_refused(reading: Api, number: str) -> None:
    both = {"authorization": "Bearer acme", "x-api-key": "bolt"}
    assert reading.ask("GET", f"items/{number}", None, headers=both).status_code == 401


def test_what_nobody_expected_is_told_as_a_problem(reading: Api, number: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("of the test")

    monkeypatch.setattr("api_gateway.api.answer.document", broken)
    answer = reading.get(f"items/{number}")
    assert (answer.status_code, json.loads(answer.content)["code"]) == (500, "internal_error")
    assert answer.headers["x-request-id"]
