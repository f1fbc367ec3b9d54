"""Frontends of other origins: what a browser is told, on the API's paths and nowhere else."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from api_gateway.api.resource_route import ResourceRoute
from api_gateway.postgres import Server
from tests.support.accounts import Front, Reply, changed, fronted
from tests.support.asgi import scope_of

APP, EVIL = "https://app.example", "https://evil.example"


@pytest.fixture(scope="module")
def shared_url(clone: Callable[[str], str], api_template: str) -> str:
    return clone(api_template)


@pytest.fixture
async def front(server: Server, shared_url: str, tmp_path: Path) -> AsyncIterator[Front]:
    change = changed(cors={"origins": [APP], "credentials": True})
    async with fronted(server, shared_url, tmp_path, change) as one:
        yield one


async def preflight(front: Front, origin: str, method: str = "GET", headers: str = "authorization") -> Reply:
    asked = [("access-control-request-method", method), ("access-control-request-headers", headers)]
    return await front.ask("OPTIONS", "/api/v1/orders", [("origin", origin), *asked])


def vary(answer: Reply) -> set[str]:
    values = [value for name, value in answer.answer.headers if name == "vary"]
    return {part.strip().lower() for value in values for part in value.split(",")}


async def test_a_preflight_of_a_listed_origin_is_answered_without_a_credential(front: Front) -> None:
    answer = await preflight(front, APP, "PATCH", "authorization, if-match, idempotency-key, content-type")
    assert answer.status == 204
    assert answer.header("access-control-allow-origin") == APP
    assert answer.header("access-control-allow-credentials") == "true"
    assert "PATCH" in (answer.header("access-control-allow-methods") or "")
    assert answer.header("access-control-max-age") == "600"
    assert "origin" in vary(answer)


@pytest.mark.parametrize(
    ("origin", "method", "headers"),
    [(EVIL, "GET", "accept"), ("null", "GET", "accept"), (f"{APP}.evil.example", "GET", "accept"),
     ("http://app.example", "GET", "accept"), (APP, "TRACE", "accept"), (APP, "GET", "x-forwarded-for")],
)  # fmt: skip
async def test_any_other_preflight_is_refused_as_everything_is(
    front: Front, origin: str, method: str, headers: str
) -> None:
    answer = await preflight(front, origin, method, headers)
    assert (answer.status, answer.code) == (403, "origin_not_allowed")
    if origin != APP:
        assert answer.header("access-control-allow-origin") is None
    assert "origin" in vary(answer)


async def test_answers_and_refusals_can_be_read_by_the_listed_origin_alone(front: Front) -> None:
    mine = await front.ask("GET", "/api/v1/orders", [("origin", APP)])
    assert (mine.status, mine.header("access-control-allow-origin")) == (401, APP)
    assert "RateLimit" in (mine.header("access-control-expose-headers") or "")
    others = await front.ask("GET", "/api/v1/orders", [("origin", EVIL)])
    assert others.header("access-control-allow-origin") is None
    none = await front.ask("GET", "/api/v1/orders")
    assert none.header("access-control-allow-origin") is None
    assert all("origin" in vary(answer) for answer in (mine, others, none))


async def test_a_crash_can_be_read_too(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("a defect")

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    monkeypatch.setattr(ResourceRoute, "_answer", broken)
    with contextlib.suppress(RuntimeError):  # it is the server's to log; the answer has gone out before
        await front.gateway(scope_of("GET", "/api/v1/orders", [("origin", APP)]), receive, send)
    assert sent[0]["status"] == 500
    assert dict(sent[0]["headers"])[b"access-control-allow-origin"] == APP.encode()


async def test_paths_of_the_legacy_app_are_left_alone(front: Front) -> None:
    answer = await front.ask("GET", "/panel/", [("origin", APP)])
    assert answer.header("access-control-allow-origin") is None
    assert "origin" not in vary(answer)


async def test_any_origin_means_without_credentials(server: Server, shared_url: str, tmp_path: Path) -> None:
    async with fronted(server, shared_url, tmp_path, changed(cors={"origins": ["*"]})) as front:
        answer = await front.ask("GET", "/api/v1/orders", [("origin", EVIL)])
        assert answer.header("access-control-allow-origin") == "*"
        assert answer.header("access-control-allow-credentials") is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"origins": ["*"], "credentials": True},
        {"origins": ["https://app.example/"]},
        {"origins": ["app.example"]},
        {"origins": ["https://App.example"]},
        {"origins": ["https://*.example"], "max_age": -1},
    ],
    ids=str,
)
def test_what_cannot_be_meant_is_refused_when_the_project_is_read(wrong: dict[str, object]) -> None:
    from pydantic import ValidationError

    from api_gateway.identities import Cors

    with pytest.raises(ValidationError):
        Cors.model_validate(wrong)
