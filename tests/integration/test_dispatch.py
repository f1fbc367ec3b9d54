"""The junction: who gets an answer from modern, who is told that a route is gone, and what is left to legacy."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest
from fastapi import Request, Response

from api_gateway.consumers import Consumer, Credential, Register, secret_hash
from api_gateway.consumers.register import CredentialKind
from api_gateway.dispatch import Dispatcher
from api_gateway.evidence.mimic import LegacyCaller
from api_gateway.evidence.read import read_calls
from api_gateway.evidence.record import Recorder
from api_gateway.project import Configuration, Project
from api_gateway.routes import BasicAuth, FormToken, HeaderToken, QueryToken, Route
from api_gateway.stages import Stage, StageTable
from shared_models.contract import Deprecated
from shared_models.faults import CommitUnknown, DatabaseAway
from shared_models.migrations import BANYAN, upgrade
from tests.support.asgi import Answer, call

SECRET = "pass-s3cret"


async def hello(caller: LegacyCaller, page: str = "1") -> Response:
    return Response(
        f"hello {caller.code if caller else 'nobody'} {page}", headers={"x-own": "1", "connection": "close"}
    )


async def invoice(no: str) -> Response:
    return Response(f"invoice {no}")


async def broken() -> Response:
    raise KeyError("a row")


async def hanging() -> Response:
    await asyncio.Event().wait()
    return Response()


async def failing() -> Response:
    return Response("oh", 502)


async def away() -> Response:
    raise DatabaseAway


async def lost_commit() -> Response:
    raise CommitUnknown


async def echo(request: Request) -> Response:
    return Response(await request.body())


ENDS = Deprecated(since=date(2026, 1, 1), sunset=date(2027, 1, 1), link="/docs/ending")
ROUTES = [
    Route("hello", "GET", "/hello", QueryToken("token"), mimic=hello, successor="/api/v1/hellos"),
    Route("invoice", "GET", "/invoice/{no}.txt", BasicAuth(), mimic=invoice),
    Route("broken", "GET", "/broken", QueryToken("token"), mimic=broken),
    Route("hanging", "GET", "/hanging", QueryToken("token"), mimic=hanging, timeout=0.05),
    Route("failing", "GET", "/failing", QueryToken("token"), mimic=failing),
    Route("away", "GET", "/away", QueryToken("token"), mimic=away),
    Route("unwritten", "GET", "/unwritten", QueryToken("token")),
    Route("echo", "POST", "/echo", HeaderToken("X-Token"), mimic=echo),
    Route("order", "POST", "/order", FormToken("token"), mimic=echo),
    Route("write.broken", "POST", "/write-broken", QueryToken("token"), mimic=broken),
    Route("write.lost", "POST", "/write-lost", QueryToken("token"), mimic=lost_commit),
    Route("write.late", "POST", "/write-late", QueryToken("token"), mimic=hanging, timeout=0.05),
    Route("write.failing", "POST", "/write-failing", QueryToken("token"), mimic=failing),
    Route("ending", "GET", "/ending", QueryToken("token"), mimic=hello, successor="/api/v1/hellos", deprecated=ENDS),
    Route("action.a", "POST", "/action", form={"action": "a"}, mimic=echo),
]


@dataclass
class Standing:
    """Stages and register, as a watcher holds them."""

    table: StageTable
    register: Register


def register() -> Register:
    def known(kind: CredentialKind, secret: str) -> Credential:
        return Credential("acme", kind, secret_hash(secret))

    secrets: list[tuple[CredentialKind, str]] = [
        ("query", "tok-acme"), ("form", "tok-acme"), ("header", "tok-acme"), ("basic", "ACME:pw"),
    ]  # fmt: skip
    consumers = [Consumer("acme", "Acme"), Consumer("bolt", "Bolt")]
    credentials = [known(kind, secret) for kind, secret in secrets]
    return Register.of(1, consumers, [*credentials, Credential("bolt", "query", secret_hash("tok-bolt"))])


@pytest.fixture(scope="module")
def url(clone: Any) -> str:
    fresh: str = clone("template1")
    upgrade(fresh, BANYAN)
    return fresh.replace("postgres@", "banyan_owner@")


@pytest.fixture
async def junction(url: str) -> AsyncIterator[Junction]:
    with psycopg.connect(url) as connection:
        connection.execute("TRUNCATE banyan.call_count")
    async with Recorder(url, application_name="test") as recorder:
        yield Junction(recorder, url)


class Junction:
    """A dispatcher over ROUTES; `ask` sends what the edge would send."""

    def __init__(self, recorder: Recorder, url: str) -> None:
        project = Project(Path(__file__).parent, Configuration(name="t"), "t", {route.name: route for route in ROUTES})
        self.standing = Standing(StageTable(), register())
        self._recorder, self._url = recorder, url
        self.app = Dispatcher(project, self.standing, recorder, databases={}, pass_secret=SECRET)

    def stand(self, stages: Mapping[str, str]) -> None:
        """`hello` for the route itself, `hello@acme` for one consumer."""
        places = {(n, c or None): Stage(s) for place, s in stages.items() for n, _, c in [place.partition("@")]}
        self.standing.table = StageTable(1, places)

    async def ask(
        self, target: str, route: str, *, method: str = "GET", why: str = "", body: bytes = b"", **given: Any
    ) -> Answer:
        headers = [("x-banyan-route", route), *([("x-banyan-why", why)] if why else []), *given.pop("headers", [])]
        answer = await call(self.app, method, target, headers, body, **given)
        assert answer is not None
        return answer

    async def counted(self) -> list[tuple[str, str | None, str, str, str, int]]:
        assert await self._recorder.flush()
        with psycopg.connect(self._url) as connection:
            return [(c.route, c.consumer, c.stage, c.answerer, c.outcome, c.count) for c in read_calls(connection)]


def is_declined(answer: Answer) -> bool:
    return (answer.status, answer.body, answer.header("x-banyan-pass")) == (503, b"", SECRET)


class TestDecision:
    async def test_a_consumer_at_canary_is_answered_by_modern(self, junction: Junction) -> None:
        junction.stand({"hello@acme": "canary"})
        answer = await junction.ask("/hello?token=tok-acme&page=3", "hello")
        assert (answer.status, answer.body) == (200, b"hello acme 3")
        assert await junction.counted() == [("hello", "acme", "canary", "modern", "2xx", 1)]

    async def test_everybody_else_is_declined_and_not_counted_here(self, junction: Junction) -> None:
        junction.stand({"hello@acme": "canary"})
        for target in ("/hello?token=tok-bolt", "/hello", "/hello?token=wrong"):
            assert is_declined(await junction.ask(target, "hello"))
        assert await junction.counted() == []

    async def test_two_tokens_that_disagree_are_left_to_legacy(self, junction: Junction) -> None:
        junction.stand({"hello": "live"})
        assert is_declined(await junction.ask("/hello?token=tok-acme&token=tok-bolt", "hello"))

    @pytest.mark.parametrize("token", ["tok-ACME", "%20tok-acme", "given-out-yesterday"])
    async def test_a_token_that_legacy_may_know_and_we_do_not_is_left_to_legacy(
        self, junction: Junction, token: str
    ) -> None:
        junction.stand({"hello": "live"})
        assert is_declined(await junction.ask(f"/hello?token={token}", "hello"))
        assert (await junction.ask("/hello?token=tok-acme", "hello")).body == b"hello acme 1"

    async def test_a_form_that_calls_itself_something_else_is_left_to_legacy(self, junction: Junction) -> None:
        junction.stand({"order": "live"})
        given = {"method": "POST", "body": b"token=tok-acme", "headers": [("content-type", "text/plain")]}
        assert is_declined(await junction.ask("/order", "order", **given))

    async def test_a_caller_nobody_knows_follows_the_route(self, junction: Junction) -> None:
        junction.stand({"hello": "live", "hello@bolt": "legacy"})
        assert (await junction.ask("/hello", "hello")).body == b"hello nobody 1"
        assert is_declined(await junction.ask("/hello?token=tok-bolt", "hello"))

    async def test_a_route_this_project_does_not_know_is_declined(self, junction: Junction) -> None:
        assert is_declined(await junction.ask("/nowhere", "removed.yesterday"))

    async def test_a_route_without_mimic_is_declined_and_counted_as_a_failure(self, junction: Junction) -> None:
        junction.stand({"unwritten": "canary"})
        assert is_declined(await junction.ask("/unwritten", "unwritten"))
        assert await junction.counted() == [("unwritten", None, "canary", "modern", "failed", 1)]

    def test_only_requests_with_the_edges_header_are_its_own(self) -> None:
        assert Dispatcher.handles({"type": "http", "headers": [(b"x-banyan-route", b"")]})
        assert not Dispatcher.handles({"type": "http", "headers": [(b"host", b"x")]})
        assert not Dispatcher.handles({"type": "lifespan"})


class TestAnswer:
    async def test_framing_is_rebuilt_and_other_headers_stay(self, junction: Junction) -> None:
        junction.stand({"hello": "live"})
        answer = await junction.ask("/hello", "hello")
        assert (answer.header("x-own"), answer.header("connection")) == ("1", None)
        assert answer.header("content-length") == str(len(answer.body))

    async def test_head_has_the_length_of_get_and_no_body(self, junction: Junction) -> None:
        junction.stand({"hello": "live"})
        answer = await junction.ask("/hello", "hello", method="HEAD")
        assert (answer.status, answer.header("content-length"), answer.body) == (200, "14", b"")

    async def test_a_body_reaches_the_mimic_whole(self, junction: Junction) -> None:
        junction.stand({"echo@acme": "live"})
        headers = [("X-Token", "tok-acme")]
        assert (await junction.ask("/echo", "echo", method="POST", body=b"b" * 99, headers=headers)).body == b"b" * 99

    async def test_a_client_that_leaves_in_the_middle_of_its_body_gets_nothing(self, junction: Junction) -> None:
        junction.stand({"order": "live"})
        headers = [("x-banyan-route", "order")]
        assert await call(junction.app, "POST", "/order", headers, b"token=", leaves=True) is None


class TestCallerInTheBody:
    FORM = ("content-type", "application/x-www-form-urlencoded")

    async def test_a_form_field_names_the_caller(self, junction: Junction) -> None:
        junction.stand({"order@acme": "canary"})
        body = b"item=1&token=tok-acme"
        assert (await junction.ask("/order", "order", method="POST", body=body, headers=[self.FORM])).body == body
        assert is_declined(await junction.ask("/order", "order", method="POST", body=b"token=x", headers=[self.FORM]))

    async def test_a_body_larger_than_the_edge_can_send_again_is_not_read_on(self, junction: Junction) -> None:
        junction.stand({"order": "live"})
        body = b"x" * (16 * 1024 * 1024 + 1)
        assert is_declined(await junction.ask("/order", "order", method="POST", body=body))

    async def test_a_form_field_tells_routes_apart(self, junction: Junction) -> None:
        junction.stand({"action.a": "live"})
        given = {"method": "POST", "why": "form", "headers": [self.FORM]}
        assert (await junction.ask("/action", "action.a", body=b"action=a", **given)).status == 200
        assert is_declined(await junction.ask("/action", "action.a", body=b"action=b", **given))


class TestOddSpellings:
    @pytest.mark.parametrize("target", ["/hell%6f", "//hello", "/./hello", "/hello;v=1", "/x/../hello", "/hello/"])
    async def test_a_spelling_that_legacy_may_read_as_the_route_does_not_escape(
        self, junction: Junction, target: str
    ) -> None:
        junction.stand({"hello": "live"})
        assert (await junction.ask(f"{target}?page=2", "hello", why="spelling")).body == b"hello nobody 2"

    async def test_a_path_that_climbs_may_mean_any_route(self, junction: Junction) -> None:
        junction.stand({"invoice": "live"})
        assert (await junction.ask("/a/../invoice/47%2D1.txt", "", why="climbs")).body == b"invoice 47-1"

    async def test_what_means_no_listed_route_is_declined(self, junction: Junction) -> None:
        junction.stand({"hello": "live"})
        assert is_declined(await junction.ask("/x/../elsewhere", "", why="climbs"))
        assert is_declined(await junction.ask("/hell%6f", "hello", why="spelling", method="DELETE"))


class TestCanary:
    @pytest.mark.parametrize("name", ["broken", "hanging", "failing", "away"])
    async def test_a_read_that_modern_cannot_answer_is_declined_and_counted(
        self, junction: Junction, name: str
    ) -> None:
        junction.stand({f"{name}@acme": "canary"})
        assert is_declined(await junction.ask(f"/{name}?token=tok-acme", name))
        assert await junction.counted() == [(name, "acme", "canary", "modern", "failed", 1)]

    async def test_a_write_that_raised_was_rolled_back_and_is_declined(self, junction: Junction) -> None:
        junction.stand({"write.broken": "canary"})
        assert is_declined(await junction.ask("/write-broken", "write.broken", method="POST"))

    @pytest.mark.parametrize(("name", "status"), [("write.lost", 500), ("write.late", 504), ("write.failing", 502)])
    async def test_a_write_that_may_have_been_committed_is_never_sent_again(
        self, junction: Junction, name: str, status: int
    ) -> None:
        junction.stand({name: "canary"})
        answer = await junction.ask(f"/{name.replace('.', '-')}", name, method="POST")
        assert (answer.status, answer.header("x-banyan-pass")) == (status, None)


class TestLive:
    @pytest.mark.parametrize(
        ("name", "status", "code"),
        [("broken", 500, "internal_error"), ("hanging", 504, "timeout"), ("away", 503, "database_away")],
    )
    async def test_a_failure_is_a_problem_document_and_no_fallback(
        self, junction: Junction, name: str, status: int, code: str
    ) -> None:
        junction.stand({name: "live"})
        answer = await junction.ask(f"/{name}", name)
        assert (answer.status, answer.header("content-type")) == (status, "application/problem+json")
        assert json.loads(answer.body)["code"] == code
        assert b"a row" not in answer.body


class TestEnding:
    """A route that says when it ends, in whatever the gateway answers; what legacy answers is not touched."""

    @pytest.mark.parametrize(("stage", "status"), [("canary", 200), ("live", 200), ("retired", 410)])
    async def test_every_answer_says_when_it_ends(self, junction: Junction, stage: str, status: int) -> None:
        junction.stand({"ending": stage})
        answer = await junction.ask("/ending?token=tok-acme", "ending")
        assert answer.status == status
        assert answer.header("deprecation") == "@1767225600"
        assert answer.header("sunset") == "Fri, 01 Jan 2027 00:00:00 GMT"
        (links,) = [value for name, value in answer.headers if name == "link"]
        assert links.split(", ") == [
            '</docs/ending>; rel="deprecation"; type="text/html"',
            '</docs/ending>; rel="sunset"; type="text/html"',
            '</api/v1/hellos>; rel="successor-version"',
        ]

    async def test_what_is_left_to_legacy_says_nothing(self, junction: Junction) -> None:
        junction.stand({"ending": "legacy"})
        answer = await junction.ask("/ending?token=tok-acme", "ending")
        assert is_declined(answer)
        assert answer.header("deprecation") is None


class TestRetired:
    async def test_it_is_gone_and_names_its_successor(self, junction: Junction) -> None:
        junction.stand({"hello": "retired"})
        answer = await junction.ask("/hello?token=tok-acme", "hello")
        assert answer.status == 410
        assert answer.header("link") == '</api/v1/hellos>; rel="successor-version"'
        assert json.loads(answer.body)["type"] == "/api/problems/gone"
        assert await junction.counted() == [("hello", "acme", "retired", "gone", "4xx", 1)]

    async def test_an_exempt_consumer_stays_where_it_is(self, junction: Junction) -> None:
        junction.stand({"hello": "retired", "hello@acme": "legacy"})
        assert is_declined(await junction.ask("/hello?token=tok-acme", "hello"))

    async def test_an_ambiguous_caller_cannot_wake_it(self, junction: Junction) -> None:
        junction.stand({"hello": "retired"})
        assert (await junction.ask("/hello?token=tok-acme&token=tok-bolt", "hello")).status == 410
