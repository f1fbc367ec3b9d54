"""A generated request: on the wire as the legacy protocol has it, kept without a secret, the same for one seed."""

from __future__ import annotations

import base64

import pytest

from api_gateway.consumers import Consumer, Credential, Register, secret_hash
from api_gateway.routes import BasicAuth, FormToken, HeaderToken, PathToken, QueryToken, Route
from api_gateway.verify.callers import callers_of, kind_of
from api_gateway.verify.calls import Call, sent
from api_gateway.verify.generate import generate, parameters_of
from api_gateway.verify.values import Values


@pytest.mark.parametrize(
    ("route", "call", "target", "headers", "body"),
    [
        (
            Route("r", "GET", "/orders", consumer=QueryToken("token"), query={"a": "1"}),
            Call("r", "GET", query=(("page", "2 3"),)),
            "/orders?a=1&page=2%203&token=s3",
            {},
            b"",
        ),
        (
            Route("r", "POST", "/orders", consumer=FormToken("token"), form={"action": "new"}),
            Call("r", "POST", form=(("no", "7&8"),)),
            "/orders",
            {b"content-type": b"application/x-www-form-urlencoded"},
            b"action=new&no=7%268&token=s3",
        ),
        (
            Route("r", "GET", "/o/{no}.txt", consumer=HeaderToken("X-Token")),
            Call("r", "GET", path=(("no", "a/b"),)),
            "/o/a%2Fb.txt",
            {b"x-token": b"s3"},
            b"",
        ),
        (
            Route("r", "GET", "/o", consumer=BasicAuth()),
            Call("r", "GET"),
            "/o",
            {b"authorization": b"Basic " + base64.b64encode(b"s3")},
            b"",
        ),
        (Route("r", "GET", "/{who}/o", consumer=PathToken("who")), Call("r", "GET"), "/s3/o", {}, b""),
    ],
)
def test_the_callers_secret_goes_where_the_legacy_protocol_has_it(
    route: Route, call: Call, target: str, headers: dict[bytes, bytes], body: bytes
) -> None:
    request = sent(call, route, "s3")
    assert (request.target, dict(request.headers), request.body) == (target, headers, body)


def test_a_kept_call_names_its_caller_and_comes_back_as_it_was() -> None:
    call = Call("r", "POST", query=(("a", ""),), form=(("no", "☃"),), caller="acme")
    assert Call.from_json(call.as_json()) == call
    assert "acme" in str(call)


@pytest.mark.parametrize("document", [{}, {"route": "r"}, {"route": "r", "method": "GET", "query": [1]}])
def test_what_is_no_call_is_refused(document: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="not a call"):
        Call.from_json(document)


def test_a_consumer_can_call_a_route_whose_kind_of_credential_is_known() -> None:
    register = Register.of(1, [Consumer("acme", "Acme")], [Credential("acme", "query", secret_hash("tok"))])
    assert register.by_credential("query", "tok") is not None
    by_query = Route("r", "GET", "/o", consumer=QueryToken("t"))
    by_form = Route("s", "POST", "/o", consumer=FormToken("t"))
    secrets = {("acme", "query"): "tok"}
    assert (kind_of(by_query), callers_of(by_query, secrets), callers_of(by_form, secrets)) == ("query", ["acme"], [])


async def _mimic(no: int, status: str = "", token: str = "") -> str:
    return f"{no}{status}{token}"


class TestGenerated:
    ROUTE = Route("r", "GET", "/o/{no}", consumer=QueryToken("token"), mimic=_mimic)

    def test_parameters_come_from_the_signature_without_what_names_the_caller(self) -> None:
        parameters = parameters_of(self.ROUTE, seed=1)
        assert (parameters.path, parameters.query, parameters.form) == (("no",), ("status",), ())
        assert any(value.lstrip("-").isdigit() for value in parameters.fuzz["no"])

    def test_one_seed_asks_the_same_again_and_another_something_else(self) -> None:
        parameters = parameters_of(self.ROUTE, seed=1)

        def asked(seed: int) -> list[Call]:
            values = Values(seed)
            return [generate(self.ROUTE, parameters, values, ["acme"]) for _ in range(30)]

        assert asked(1) == asked(1) != asked(2)

    def test_a_parameter_is_filled_with_what_was_seen_under_a_name_like_its_own(self) -> None:
        values = Values(1)
        values.remember('{"ord_no": "4711"}', [])
        drawn = [values.draw("no", {}, []) for _ in range(200)]
        assert drawn.count("4711") > 10
