"""Which route a request means when the edge could only narrow it down."""

from __future__ import annotations

import pytest

from api_gateway.edge.matching import find_route, query_pairs
from api_gateway.routes import Route

ROUTES = [
    Route("order", "GET", "/orders/{no}"),
    Route("order.new", "GET", "/orders/new"),
    Route("price", "GET", "/index.php", query={"action": "price"}),
    Route("index", "GET", "/index.php"),
    Route("export", "POST", "/index.php", form={"action": "export"}),
    Route("soap", "POST", "/soap", header={"SOAPAction": "urn:quote"}),
]


@pytest.mark.parametrize(
    ("method", "target", "name"),
    [
        ("GET", "/orders/5", "order"),
        ("GET", "/orders/new", "order.new"),
        ("HEAD", "//orders/%35/", "order"),
        ("GET", "/x/../orders/5", "order"),
        ("POST", "/orders/5", None),
        ("GET", "/orders/5/lines", None),
        ("GET", "/index.php?action=price", "price"),
        ("GET", "/index.php?%61ction=pric%65", "price"),
        ("GET", "/index.php?action=ping&action=price", "price"),
        ("GET", "/index.php?action=price&action=ping", "price"),
        ("GET", "/index.php?action[]=price", "price"),
        ("GET", "/index.php?a;action=price", "price"),
        ("GET", "/index.php?action=ping", "index"),
        ("GET", "/index.php", "index"),
        ("GET", "/nothing", None),
    ],
)
def test_the_most_specific_route_that_legacy_may_see_is_found(method: str, target: str, name: str | None) -> None:
    found = find_route(ROUTES, method, target, {})
    assert (found.name if found else None) == name


def test_a_form_field_tells_routes_apart() -> None:
    assert find_route(ROUTES, "POST", "/index.php", {}, [("action", "export")]) is ROUTES[4]
    assert find_route(ROUTES, "POST", "/index.php", {}, [("action", "other")]) is None
    assert find_route(ROUTES, "POST", "/index.php", {}) is None


def test_a_header_tells_routes_apart_however_it_is_quoted() -> None:
    assert find_route(ROUTES, "POST", "/soap", {"soapaction": '"URN:quote"'}) is ROUTES[5]
    assert find_route(ROUTES, "POST", "/soap", {"soapaction": "urn:other"}) is None
    assert find_route(ROUTES, "POST", "/soap", {}) is None


def test_the_query_is_read_as_leniently_as_any_stack_reads_it() -> None:
    assert query_pairs("/x?a=1&b%5B%5D=2;c=%C3%A9+x&&d") == [("a", "1"), ("b", "2"), ("c", "\xe9 x"), ("d", "")]
    assert query_pairs("/x") == []
