"""What a platform team may not list: each fault is one line that names the route and the place."""

from __future__ import annotations

import pytest

from api_gateway.errors import UsageError
from api_gateway.routes import Ignore, Intended, Route, check_routes

LIST = Route("orders.list", "GET", "/orders")


@pytest.mark.parametrize(
    ("routes", "complaint"),
    [
        ([Route("Orders", "GET", "/o")], "route name 'Orders' must be"),
        ([LIST, Route("orders.list", "GET", "/other")], "two routes are named 'orders.list'"),
        ([LIST, Route("orders.all", "GET", "/orders")], "orders.all and orders.list match the same requests"),
        ([Route("o", "GET", "orders")], "path 'orders' must start with /"),
        ([Route("o", "get", "/orders")], "method 'get' must be one upper-case word"),
        ([Route("o", "GET", "/o", ignore=(Ignore("$.a", " "),))], "the ignore rule of '$.a' needs a reason"),
        ([Route("o", "GET", "/o", ignore=(Ignore("$.a", "r", expires="soon"),))], "expires='soon' must be a day"),
        ([Route("o", "GET", "/o", ignore=(Ignore("$.a", "r", pattern="("),))], "'(' is no regular expression"),
        ([Route("o", "GET", "/o", intended=(Intended("$.a", "bug", ""),))], "needs a reason and who signs it"),
    ],
)
def test_a_faulty_list_is_refused_by_name(routes: list[Route], complaint: str) -> None:
    with pytest.raises(UsageError) as refused:
        check_routes(routes)
    assert complaint in str(refused.value)


def test_routes_come_by_name() -> None:
    assert list(check_routes([LIST])) == ["orders.list"]
