"""The route table as a value: what it costs, what it holds, and that all it names exists."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from api_gateway.edge.bootstrap import bootstrap
from api_gateway.edge.entries import standing
from api_gateway.edge.shape import Shape, Upstream, read_upstream
from api_gateway.edge.table import everything_to_legacy, route_table
from api_gateway.errors import UsageError
from api_gateway.routes import BasicAuth, FormToken, QueryToken, Recorded, Route
from api_gateway.stages import Stage, StageTable

ORDERS = Route("orders.list", "GET", "/partner/orders.xml", QueryToken("token"))
INTAKE = Route("orders.intake", "POST", "/partner/order_in", FormToken("token"))
CANCEL = Route("orders.cancel", "POST", "/partner/order_cancel", FormToken("token"), live_fallback=True)
INVOICE = Route("invoice.text", "GET", "/partner/invoice/{no}.txt", BasicAuth())
ROUTES = [ORDERS, INTAKE, CANCEL, INVOICE]
SHAPE = Shape("127.0.0.1", 8000, Upstream("127.0.0.1", 1), Path("/t/table.json"), Path("/t/admin.sock"), (2, 3), 4)


def at(**stages: str) -> StageTable:
    """`orders__list="live"`, `orders__list__acme="canary"`."""
    places = {tuple(name.split("__")): Stage(stage) for name, stage in stages.items()}
    return StageTable(1, {(f"{p[0]}.{p[1]}", p[2] if len(p) > 2 else None): stage for p, stage in places.items()})


def table(routes: list[Route], stages: StageTable) -> dict[str, Any]:
    return route_table(routes, stages, prefixes=["/api"], pass_secret="s")


def found(document: Any, key: str) -> Iterator[Any]:
    """Every value of this key, at any depth."""
    if isinstance(document, dict):
        for name, value in document.items():
            if name == key:
                yield value
            yield from found(value, key)
    elif isinstance(document, list):
        for value in document:
            yield from found(value, key)


@pytest.mark.parametrize(
    ("stages", "way", "copied"),
    [
        ({}, "legacy", "head"),
        ({"orders__list": "shadow"}, "legacy", "whole"),
        ({"orders__list__acme": "shadow"}, "legacy", "whole"),
        ({"orders__list": "canary"}, "listed", "head"),
        ({"orders__list__acme": "canary"}, "listed", "head"),
        ({"orders__list__acme": "canary", "orders__list__bolt": "shadow"}, "listed", "whole"),
        ({"orders__list__acme": "live"}, "listed", "head"),
        ({"orders__list": "live"}, "firm", "head"),
        ({"orders__list": "live", "orders__list__acme": "legacy"}, "listed", "head"),
        ({"orders__list": "live", "orders__list__acme": "retired"}, "firm", "head"),
        ({"orders__list": "retired"}, "gateway", "head"),
        ({"orders__list": "retired", "orders__list__acme": "canary"}, "listed", "head"),
    ],
)
def test_where_a_route_stands_decides_its_way_and_its_copy(stages: dict[str, str], way: str, copied: str) -> None:
    where = standing([ORDERS], at(**stages))
    assert (where.way, where.copied) == (way, copied)


def test_a_live_route_with_fallback_answers_without_gateways() -> None:
    assert standing([CANCEL], at(orders__cancel="live")).way == "listed"
    assert standing([CANCEL], at(orders__cancel="retired")).way == "gateway"


def test_a_consumer_named_in_a_form_field_needs_the_request_body_to_be_counted() -> None:
    assert standing([INTAKE], at()).copied == "form"


def test_a_recorded_route_is_copied_whole_at_every_stage() -> None:
    recorded = replace(ORDERS, recorded=Recorded())
    assert {standing([recorded], at(orders__list=str(stage))).copied for stage in Stage} == {"whole"}


def test_routes_that_cannot_be_told_apart_stand_where_the_most_careful_of_them_stands() -> None:
    where = standing([ORDERS, INTAKE], at(orders__list="live"))
    assert (where.names, where.way, where.copied, where.reads) == ("orders.list,orders.intake", "listed", "form", False)


def test_only_reads_are_sent_again_after_they_may_have_been_received() -> None:
    document = table(ROUTES, at(orders__list="canary", orders__intake="canary", invoice__text="live"))
    conditions = {
        (route["name"], route["route"]["retry_policy"]["retry_on"])
        for routes in found(document, "routes")
        for route in routes
        if "retry_policy" in route.get("route", {}) and route["name"] != "api"
    }
    again = {name for name, retry_on in conditions if "reset" in retry_on.split(",")}
    assert again == {"orders.list"}
    assert all("5xx" not in retry_on and "gateway-error" not in retry_on for _, retry_on in conditions)


def test_every_cluster_that_a_table_names_is_in_the_bootstrap() -> None:
    everything = [Route(f"r.{stage}", "GET", f"/{stage}") for stage in Stage]
    document = table(everything, StageTable(1, {(f"r.{stage}", None): stage for stage in Stage}))
    clusters = {cluster["name"] for cluster in bootstrap(SHAPE)["static_resources"]["clusters"]}
    named = set(found(document, "cluster"))
    assert named == {"legacy", "listed", "firm", "gateway"}
    assert named <= clusters


def test_all_to_legacy_names_nothing_but_legacy() -> None:
    assert set(found(everything_to_legacy(), "cluster")) == {"legacy"}


def test_what_an_unlisted_request_meets_does_not_grow_with_the_routes() -> None:
    many = [Route(f"r{number}", "GET", f"/partner/r{number}.xml") for number in range(500)]
    host = table(many, StageTable())["resources"][0]["virtual_hosts"][0]
    by_path = host["matcher"]["on_no_match"]["matcher"]
    assert len(by_path["matcher_tree"]["prefix_match_map"]["map"]) == 501
    assert len(by_path["on_no_match"]["action"]["typed_config"]["routes"]) == 1
    assert len(host["matcher"]["matcher_list"]["matchers"]) == 2


def test_a_share_of_what_is_not_listed_is_looked_at_wherever_it_comes_from() -> None:
    def fractions(share: float) -> list[Any]:
        document = route_table(ROUTES, at(), prefixes=["/api"], pass_secret="s", unlisted_share=share)
        return [fraction["default_value"] for fraction in found(document, "runtime_fraction")]

    assert fractions(0.0) == []
    looked_at = fractions(0.05)
    assert looked_at == [{"numerator": 50_000, "denominator": "MILLION"}] * len(looked_at)
    lists = [routes for routes in found(table(ROUTES, at()), "routes") if isinstance(routes, list)]
    assert len(looked_at) == sum(1 for routes in lists if routes[-1]["name"] == "legacy")


def test_the_longest_prefix_carries_the_entries_of_the_shorter_ones() -> None:
    routes = [Route("any", "GET", "/x/{id}"), Route("new", "GET", "/x/new")]
    tree = table(routes, StageTable())["resources"][0]["virtual_hosts"][0]["matcher"]["on_no_match"]["matcher"]
    under_new = tree["matcher_tree"]["prefix_match_map"]["map"]["/x/new"]["action"]["typed_config"]["routes"]
    assert [route["name"] for route in under_new if route["name"] != "legacy"] == ["new", "new", "any", "any"]


def test_the_version_changes_with_the_content_and_with_nothing_else() -> None:
    first = table(ROUTES, at(orders__list="canary"))
    assert first == table(list(reversed(ROUTES)), at(orders__list="canary"))
    assert first["version_info"] != table(ROUTES, at(orders__list="live"))["version_info"]
    assert len(first["version_info"]) == 32


def test_the_pass_secret_is_in_the_table_and_not_in_the_bootstrap() -> None:
    document = route_table(ROUTES, at(orders__list="live"), prefixes=["/api"], pass_secret="sesame")
    assert "sesame" in json.dumps(document)
    assert "sesame" not in json.dumps(bootstrap(SHAPE))


@pytest.mark.parametrize("prefix", ["/", "", "api"])
def test_a_prefix_that_would_take_every_path_is_refused(prefix: str) -> None:
    with pytest.raises(UsageError, match="prefix"):
        route_table([], StageTable(), prefixes=[prefix], pass_secret="s")


@pytest.mark.parametrize(
    ("url", "upstream", "authority"),
    [
        ("http://127.0.0.1:8000", Upstream("127.0.0.1", 8000), "127.0.0.1:8000"),
        ("http://legacy.example/", Upstream("legacy.example", 80), "legacy.example"),
        ("https://legacy.example", Upstream("legacy.example", 443, tls=True), "legacy.example"),
        ("https://[::1]:8443", Upstream("::1", 8443, tls=True), "[::1]:8443"),
    ],
)
def test_a_legacy_url_is_read_with_its_default_port(url: str, upstream: Upstream, authority: str) -> None:
    assert read_upstream(url) == upstream
    assert upstream.authority == authority


@pytest.mark.parametrize(
    "url", ["legacy:8000", "ftp://legacy", "http://legacy/app", "http://l:port", "http://u:p@l", "http://"]
)
def test_a_legacy_url_that_cannot_be_meant_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="legacy URL"):
        read_upstream(url)


def test_a_legacy_name_is_resolved_by_envoy_and_an_https_one_is_named_in_the_handshake() -> None:
    legacy = Upstream("legacy.example", 443, tls=True)
    shape = Shape("::", 1, legacy, SHAPE.table, SHAPE.admin_socket, (2,), 4, ca_file=Path("/etc/ca.pem"))
    cluster = bootstrap(shape)["static_resources"]["clusters"][0]
    assert cluster["type"] == "STRICT_DNS"
    assert cluster["transport_socket"]["typed_config"]["sni"] == "legacy.example"


def test_two_edges_that_differ_have_different_nodes() -> None:
    other = Shape("127.0.0.1", 8001, SHAPE.legacy, SHAPE.table, SHAPE.admin_socket, (2, 3), 4)
    assert bootstrap(SHAPE)["node"] == bootstrap(SHAPE)["node"]
    assert bootstrap(SHAPE)["node"] != bootstrap(other)["node"]
