"""Request shapes and outcome classes: what kind of call and answer it was, without its values."""

from __future__ import annotations

import pytest

from api_gateway.evidence.masking import masked_target, secrets_of
from api_gateway.evidence.observation import Failure, Observation
from api_gateway.evidence.shapes import outcome_class, request_shape, value_class
from api_gateway.routes import HeaderToken, PathToken, QueryToken, Route

ORDERS = Route("orders.list", "GET", "/partner/orders.xml", QueryToken("token"))
PRICES = Route("prices", "GET", "/index.php", HeaderToken("X-Partner-Token"), query={"action": "price"})


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", "empty"), ("0", "zero"), ("4711", "integer"), ("-1", "negative"), ("12.50", "decimal"),
        ("12,5", "decimal"), ("2024-02-29", "date"), ("2024-02-29T10:00:00Z", "time"), ("Y", "flag"), ("open", "word"),
        ("NS-10023", "code"), ("two words", "text"), ("Köln", "other text"), ("x" * 201, "long"),
        ("9" * 30, "code"), ("6b1f2c1e-0000-4000-8000-000000000000", "uuid"),
    ],
)  # fmt: skip
def test_a_value_has_one_class(value: str, expected: str) -> None:
    assert value_class(value) == expected


def test_a_shape_tells_which_parameters_were_there_and_of_what_class() -> None:
    assert request_shape(ORDERS, "token=s3cr3t&since=2024-01-01&page=2") == "GET page=integer since=date token=code"


def test_values_and_their_order_make_no_new_shape() -> None:
    shapes = {request_shape(ORDERS, query) for query in ("token=a1&page=2", "page=77&token=b2")}
    assert len(shapes) == 1


def test_discriminators_are_not_part_of_the_shape() -> None:
    assert (
        request_shape(PRICES, "action=price&item=NS-1", headers=["X-Partner-Token"]) == "GET item=code x-partner-token:"
    )


def test_a_parameter_sent_twice_is_a_shape_of_its_own() -> None:
    assert request_shape(ORDERS, "page=1&page=2") == "GET page=repeated"


def test_a_flood_of_parameters_is_cut() -> None:
    assert request_shape(ORDERS, "&".join(f"p{i}=1" for i in range(500))).endswith("…")


@pytest.mark.parametrize(
    ("media", "body", "expected"),
    [
        ("text/xml; charset=latin-1", "<?xml version='1.0'?>\n<orders count='0'>", "200 text/xml <orders>"),
        ("text/xml", "<error code='1'>", "200 text/xml <error>"),
        ("application/json", '{"status": "ERROR", "msg": "x"}', "200 application/json {status,msg}"),
        ("text/plain", "OK|4711", "200 text/plain OK"),
        ("text/plain", "ERR|AUTH|bad token", "200 text/plain ERR|AUTH"),
        ("image/png", "PNG", "200 image/png"),
    ],
)  # fmt: skip
def test_outcomes_that_share_a_status_are_told_apart_by_their_look(media: str, body: str, expected: str) -> None:
    answer = Observation.answer(200, [(b"Content-Type", media.encode())], body.encode())
    assert outcome_class(answer) == expected


def test_an_outcome_without_answer_is_its_failure() -> None:
    assert outcome_class(Observation.failed(Failure.incomplete)) == "incomplete"


class TestMasking:
    def test_the_callers_token_is_masked_however_it_is_spelled(self) -> None:
        target = masked_target(ORDERS, "/partner/orders.xml?%74oken=s3cr3t&page=2&password=x")
        assert target == "/partner/orders.xml?token=•••&page=2&password=•••"

    def test_a_path_token_is_masked(self) -> None:
        route = Route("feed", "GET", "/feed/{key}/items.csv", PathToken("key"))
        assert masked_target(route, "/feed/s3cr3t/items.csv") == "/feed/•••/items.csv"
        assert secrets_of(route, "/feed/s3cr3t/items.csv", []) == {"s3cr3t"}

    def test_secrets_are_found_where_the_route_names_its_caller(self) -> None:
        assert secrets_of(ORDERS, "/partner/orders.xml?token=a%20b", []) == {"a b"}
        assert secrets_of(PRICES, "/index.php", [(b"X-Partner-Token", b"tok")]) == {"tok"}
        assert secrets_of(ORDERS, "/", [(b"authorization", b"Bearer key1")]) == {"key1"}
