"""The edge's route table, from the listed routes and their stages: an RDS document whose cost does not grow with them.

Pure. A virtual host with a matcher tree (`envoy.config.route.v3.VirtualHost.matcher`): first the path is looked at for
odd characters, then a prefix map finds the few entries that can concern it; what is not listed meets one map look-up.

What a gateway is told (never by a client: the edge removes these names from what comes in):

    x-banyan-route   x-banyan-why   meaning
    name             absent         exactly this route
    a,b              form           one of these by a form field, or none
    a,b              query          one of these by a query parameter that is spelled oddly, or none
    name             header         this one if its header means what it seems to, or none
    a,b              spelling       an odd spelling of their path; method and discriminators are not looked at
    (empty)          climbs         the path holds `..`: any route, or none

`matching.find_route` tells which. "None" is to be declined. The observer is told the same, as gRPC metadata.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from api_gateway.edge import spellings
from api_gateway.edge.entries import TYPE, Json, Way, entries, looked_at, standing, to_gateway, unlisted
from api_gateway.edge.matching import specificity
from api_gateway.errors import UsageError
from api_gateway.routes import Route
from api_gateway.stages import StageTable

TABLE_NAME = "banyan"
_BAD_HOST = r".*[,@/\\].*"
_NEVER_FOR_LEGACY = (
    "x-envoy-external-address",
    "x-envoy-internal",
    "x-envoy-expected-rq-timeout-ms",
    "x-forwarded-proto",
)


@dataclass(frozen=True, slots=True)
class _Section:
    """The entries of one listed path, or of one prefix that is the gateway's own."""

    prefix: str
    plain: list[Json]
    odd: list[Json]
    way: Way
    is_odd: bool


def route_table(
    routes: Iterable[Route],
    stages: StageTable,
    *,
    prefixes: Sequence[str],
    pass_secret: str,
    keep_proto: bool = False,
    unlisted_share: float = 0.0,
) -> Json:
    """The document for these routes at these stages. Its `version_info` changes with its content and nothing else.

    prefixes     paths that belong to the gateway: `/api` stands for `/api` and `/api/…`.
    pass_secret  what marks a declined request; keep the document as secret as it is.
    keep_proto   leave `X-Forwarded-Proto` in place: a proxy in front of the edge is trusted.
    unlisted_share  of the requests that are not listed, whose heads the observer sees.

    Raises UsageError for a prefix that would take all paths.
    """
    listed = sorted(routes, key=specificity)
    own = [_own(prefix) for prefix in prefixes]
    paths = [
        _path(template, list(same), stages, pass_secret)
        for template, same in groupby(sorted(listed, key=lambda route: route.path), key=lambda route: route.path)
    ]
    sections = sorted([*paths, *own], key=lambda section: (-len(section.prefix), section.prefix))
    climbs = _climbing(listed, stages, pass_secret)
    rest = _rest(unlisted_share)
    return _document([_bad_host(), _odd(sections, climbs, rest)], _tree(sections, rest), keep_proto=keep_proto)


def everything_to_legacy(*, keep_proto: bool = False) -> Json:
    """The table that needs nothing of ours: no gateway, no stages, no routes."""
    return _document([_bad_host()], _actions(_rest()), keep_proto=keep_proto)


def request_headers_to_remove(*, keep_proto: bool) -> list[str]:
    """What Envoy adds to a request on its own, and legacy is not to see."""
    return [name for name in _NEVER_FOR_LEGACY if not (keep_proto and name == "x-forwarded-proto")]


# ------------------------------------------------------------------ one path


def _path(template: str, routes: list[Route], stages: StageTable, pass_secret: str) -> _Section:
    """`routes` share the path. Plain spellings are told apart as far as the head allows; the gateway reads odd ones."""
    base: Json = {"path": template} if "{" not in template else _matching(spellings.plain(template))
    routes = sorted(routes, key=lambda route: (route.methods, specificity(route)))
    plain: list[Json] = []
    for methods, slot in groupby(routes, key=lambda route: route.methods):
        plain += _slot(base, methods, list(slot), stages, pass_secret)
    together = standing(routes, stages)
    with_tail = _matching(spellings.plain_with_tail(template))
    return _Section(
        prefix=spellings.literal(template),
        plain=plain + entries(with_tail, together, "spelling", pass_secret),
        odd=entries(_matching(spellings.tolerant(template)), together, "spelling", pass_secret),
        way=together.way,
        is_odd=spellings.is_odd(template),
    )


def _slot(base: Json, methods: Sequence[str], routes: list[Route], stages: StageTable, pass_secret: str) -> list[Json]:
    """`routes` share path and methods. A form field is in the body: Envoy cannot tell those routes apart."""

    def listed(match: Json, candidates: list[Route], why: str) -> list[Json]:
        return entries(match, standing(candidates, stages), why, pass_secret)

    any_of_them = _with_headers(base, [_method(methods)])
    by_form = [route for route in routes if route.form]
    by_head = [route for route in routes if not route.form]
    if any(stages.needs_gateway(route.name) for route in by_form):
        return listed(any_of_them, routes, "form")

    out: list[Json] = []
    names = frozenset(name for route in by_head for name in route.query)
    if names:
        odd = {"name": ":path", "string_match": {"safe_regex": {"regex": spellings.odd_query(names)}}}
        out += listed(_with_headers(any_of_them, [odd]), by_head, "query")
    for route in by_head:
        out += listed(_with_discriminators(any_of_them, route, exact=True), [route], "")
    for route in by_head:
        if route.header:
            out += listed(_with_discriminators(any_of_them, route, exact=False), [route], "header")
    if by_form:
        out += listed(any_of_them, by_form, "form")
    return out


def _with_discriminators(match: Json, route: Route, *, exact: bool) -> Json:
    """`exact=False`: a header that holds the value somewhere, in any case (quoted, with a parameter, sent twice)."""
    how = "exact" if exact else "contains"
    heads = [
        {"name": name, "string_match": {how: value, **({} if exact else {"ignore_case": True})}}
        for name, value in sorted(route.header.items())
    ]
    query = [{"name": name, "string_match": {"exact": value}} for name, value in sorted(route.query.items())]
    with_heads = _with_headers(match, heads)
    return {**with_heads, "query_parameters": query} if query else with_heads


def _method(methods: Sequence[str]) -> Json:
    how: Json = {"exact": methods[0]} if len(methods) == 1 else {"safe_regex": {"regex": "|".join(methods)}}
    return {"name": ":method", "string_match": how}


def _with_headers(match: Json, headers: list[Json]) -> Json:
    return {**match, "headers": [*match.get("headers", []), *headers]}


def _matching(regex: str) -> Json:
    return {"safe_regex": {"regex": regex}}


# ------------------------------------------------------------------ the whole


def _own(prefix: str) -> _Section:
    """A prefix of the gateway's. A read of the typed API may be sent once more when its gateway died."""
    path = prefix.rstrip("/")
    if not path.startswith("/"):
        raise UsageError(f"the API's prefix {prefix!r} must begin with / and leave other paths to the legacy app.")
    match: Json = {"path_separated_prefix": path}
    reads = _with_headers(match, [_method(("GET", "HEAD"))])
    both = [to_gateway(reads, "api", again=True), to_gateway(match, "api")]
    return _Section(prefix=path, plain=both, odd=both, way=Way.gateway, is_odd=False)


def _climbing(routes: list[Route], stages: StageTable, pass_secret: str) -> list[Json]:
    """A path with `..` may end anywhere: the gateway looks, when any route needs it."""
    match = _matching(spellings.CLIMBS)
    together = standing(routes, stages)
    if together.way is Way.legacy:
        return [unlisted(match)]
    return entries(match, replace(together, names="", reads=False), "climbs", pass_secret)


def _odd(sections: list[_Section], climbs: list[Json], rest: list[Json]) -> Json:
    """Listed paths that are odd themselves, then climbing ones, then odd spellings; where a gateway is needed first."""
    themselves = [entry for section in sections if section.is_odd for entry in section.plain]
    careful = sorted(sections, key=lambda section: section.way is Way.legacy)
    spelled = [entry for section in careful for entry in section.odd]
    return _when(":path", spellings.ODD_PATH, _actions([*themselves, *climbs, *spelled, *rest]))


def _tree(sections: list[_Section], rest: list[Json]) -> Json:
    """A map from what paths begin with. The longest key wins alone, so its list holds all that can match under it."""
    if not sections:
        return _actions(rest)
    lists = {
        key: _actions([*(e for s in sections if key.startswith(s.prefix) for e in s.plain), *rest])
        for key in sorted({section.prefix for section in sections})
    }
    tree = {"input": _header_input(":path"), "prefix_match_map": {"map": lists}}
    return {"matcher": {"matcher_tree": tree, "on_no_match": _actions(rest)}}


def _rest(share: float = 0.0) -> list[Json]:
    """What is not listed. (CONNECT and `OPTIONS *` never come this far: Envoy refuses them.)"""
    every: Json = {"prefix": "/"}
    return [*([looked_at(every, share)] if share > 0 else []), unlisted(every)]


def _bad_host() -> Json:
    """An authority that legacy stacks read differently: a list, user info, a path."""
    refused = {"match": {"prefix": "/"}, "name": "bad-host", "direct_response": {"status": 400}}
    return _when(":authority", _BAD_HOST, _actions([refused]))


def _when(header: str, regex: str, then: Json) -> Json:
    single = {
        "input": _header_input(header),
        "value_match": {"safe_regex": {"google_re2": {}, "regex": regex}},
    }
    return {"predicate": {"single_predicate": single}, "on_match": then}


def _header_input(name: str) -> Json:
    kind = "envoy.type.matcher.v3.HttpRequestHeaderMatchInput"
    return {"name": name, "typed_config": {"@type": TYPE + kind, "header_name": name}}


def _actions(routes: list[Json]) -> Json:
    kind = "envoy.config.route.v3.RouteList"
    return {"action": {"name": "routes", "typed_config": {"@type": TYPE + kind, "routes": routes}}}


def _document(matchers: list[Json], otherwise: Json, *, keep_proto: bool) -> Json:
    host = {
        "name": "all",
        "domains": ["*"],
        "matcher": {"matcher_list": {"matchers": matchers}, "on_no_match": otherwise},
    }
    configuration = {
        "@type": TYPE + "envoy.config.route.v3.RouteConfiguration",
        "name": TABLE_NAME,
        "virtual_hosts": [host],
        "request_headers_to_remove": request_headers_to_remove(keep_proto=keep_proto),
        "response_headers_to_remove": ["x-envoy-upstream-service-time"],
    }
    digest = hashlib.sha256(json.dumps(configuration, sort_keys=True).encode()).hexdigest()
    return {"version_info": digest[:32], "resources": [configuration]}
