"""Single entries of Envoy's route table: what is matched, where it goes, what is copied. Pure.

Field names are those of `envoy.config.route.v3`; documents are plain dictionaries, as Envoy reads them from JSON.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from api_gateway.edge.exchange import UNLISTED, Copy
from api_gateway.routes import FormToken, Route
from api_gateway.stages import Stage, StageTable

Json = dict[str, Any]

TYPE = "type.googleapis.com/"
OBSERVE = "banyan.observe"  # name of the external processing filter in every listener
ROUTE, WHY, COPY, PASS = "x-banyan-route", "x-banyan-why", "x-banyan-copy", "x-banyan-pass"
INTERNAL_HEADERS = (ROUTE, WHY, COPY, PASS)
OVERRIDE = "banyan-override"  # a tester's signed wish for modern: for gateways, never for legacy
HELD_BACK = 16 * 1024 * 1024  # bytes of a request's body that Envoy keeps in order to send it again

_WITHOUT_BODY = ("GET", "HEAD", "OPTIONS")
_NOT_SENT_YET = "connect-failure,refused-stream,reset-before-request"


class Way(StrEnum):
    """Where a request goes. The values are names of clusters."""

    legacy = "legacy"  # straight to legacy
    listed = "listed"  # a gateway; legacy when it declines, and when no gateway is there
    firm = "firm"  # a gateway; legacy only when it declines
    gateway = "gateway"  # a gateway and nobody else


@dataclass(frozen=True, slots=True)
class Standing:
    """Where some routes, which one matcher cannot tell apart, stand together."""

    names: str
    way: Way
    copied: Copy
    reads: bool
    bodies: bool  # can a request have a body worth speaking of?
    testable: bool = False  # is there anything that a tester could ask for?


def standing(routes: Sequence[Route], stages: StageTable) -> Standing:
    """The careful sum: the gateway is asked when any of them needs it, legacy may answer when any of them allows it."""
    everywhere = frozenset[Stage]().union(*(stages.stages_of(route.name) for route in routes))
    if not any(stages.needs_gateway(route.name) for route in routes):
        way = Way.legacy
    elif everywhere == {Stage.retired}:
        way = Way.gateway
    elif everywhere <= {Stage.live, Stage.retired} and not any(route.live_fallback for route in routes):
        way = Way.firm
    else:
        way = Way.listed
    return Standing(
        names=",".join(route.name for route in routes),
        way=way,
        copied=_copied(routes, stages),
        reads=all(route.is_read for route in routes),
        bodies=any(route.method not in _WITHOUT_BODY for route in routes),
        testable=any(route.mimic is not None for route in routes),
    )


def _copied(routes: Sequence[Route], stages: StageTable) -> Copy:
    if any(stages.needs_copy(route.name) or route.recorded is not None for route in routes):
        return Copy.whole
    if any(route.form or isinstance(route.consumer, FormToken) for route in routes):
        return Copy.form
    return Copy.head


def entries(match: Json, where: Standing, why: str, pass_secret: str) -> list[Json]:
    """The entries for what `match` describes. A body too long to be held back stays with legacy, and is counted."""
    if where.way is Way.legacy:
        asked = entries(_asking(match), replace(where, way=Way.listed), why, pass_secret) if where.testable else []
        return [*asked, _to_legacy(match, where, why)]
    if where.way is Way.gateway:
        return [to_gateway(match, where.names, why=why)]
    decide = _to_decide(match, where, why, pass_secret)
    if not where.bodies:
        return [decide]
    too_long = {"name": "content-length", "range_match": {"start": HELD_BACK + 1, "end": str(1 << 62)}}
    long_match = {**match, "headers": [*match.get("headers", []), too_long]}
    counted = replace(where, way=Way.legacy, copied=Copy.head)
    return [_to_legacy(long_match, counted, why), decide]


def _asking(match: Json) -> Json:
    """The requests among them whose sender is a tester, or says so."""
    return {**match, "headers": [*match.get("headers", []), {"name": OVERRIDE, "present_match": True}]}


def unlisted(match: Json) -> Json:
    """What Banyan has nothing to do with."""
    return {
        "match": match,
        "name": "legacy",
        "route": {"cluster": Way.legacy.value, "timeout": "0s"},
        "request_headers_to_remove": [OVERRIDE],
    }


def looked_at(match: Json, share: float) -> Json:
    """The same for a share of such requests: both heads are copied, for the inventory of what is not listed."""
    fraction = {"numerator": round(share * 1_000_000), "denominator": "MILLION"}
    return {
        **unlisted({**match, "runtime_fraction": {"default_value": fraction}}),
        "typed_per_filter_config": observe(((WHY, UNLISTED),), Copy.head),
    }


def to_gateway(match: Json, name: str, *, why: str | None = None, again: bool = False) -> Json:
    """To a gateway and nobody else. `again`: a request that may have been received may be sent once more."""
    entry = {
        "match": match,
        "name": name,
        "route": {
            "cluster": Way.gateway.value,
            "timeout": "0s",
            "retry_policy": other_gateway(_NOT_SENT_YET + (",reset" if again else "")),
        },
        "response_headers_to_remove": [PASS],
    }
    return entry if why is None else {**entry, "request_headers_to_add": _found_out(name, why, Copy.head)}


def other_gateway(retry_on: str = _NOT_SENT_YET) -> Json:
    """Try another gateway, for requests that the first one never received."""
    predicate = "envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"
    return {
        "retry_on": retry_on,
        "num_retries": 2,
        "retry_host_predicate": [
            {"name": "envoy.retry_host_predicates.previous_hosts", "typed_config": {"@type": TYPE + predicate}}
        ],
        "host_selection_retry_max_attempts": 3,
        "retry_back_off": {"base_interval": "0.002s", "max_interval": "0.01s"},
    }


def observe(metadata: Sequence[tuple[str, str]], copied: Copy) -> Json:
    """Switches the copying on for one entry; `metadata` reaches the observer with each exchange."""
    bodies = {
        "request_body_mode": "NONE" if copied is Copy.head else "STREAMED",
        "response_body_mode": "STREAMED" if copied is Copy.whole else "NONE",
    }
    per_route = {
        "@type": TYPE + "envoy.extensions.filters.http.ext_proc.v3.ExtProcPerRoute",
        "overrides": {
            "processing_mode": {**HEADS_ONLY, **bodies},
            "grpc_initial_metadata": [
                {"key": key, "value": value} for key, value in (*metadata, (COPY, copied.value)) if value
            ],
        },
    }
    return {OBSERVE: {"@type": TYPE + "envoy.config.route.v3.FilterConfig", "config": per_route}}


HEADS_ONLY = {
    "request_header_mode": "SEND",
    "response_header_mode": "SEND",
    "request_body_mode": "NONE",
    "response_body_mode": "NONE",
    "request_trailer_mode": "SKIP",
    "response_trailer_mode": "SKIP",
}


def _to_legacy(match: Json, where: Standing, why: str) -> Json:
    return {
        **unlisted(match),
        "name": where.names,
        "typed_per_filter_config": observe(((ROUTE, where.names), (WHY, why)), where.copied),
    }


def _to_decide(match: Json, where: Standing, why: str, pass_secret: str) -> Json:
    """To a gateway that may decline. The next priority of the cluster is a listener of Envoy's that asks legacy."""
    retry_on = "retriable-headers"
    if where.way is Way.listed:
        retry_on += f",{_NOT_SENT_YET}" + (",reset" if where.reads else "")
    predicate = "envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig"
    return {
        "match": match,
        "name": where.names,
        "route": {
            "cluster": where.way.value,
            "timeout": "0s",
            "retry_policy": {
                "retry_on": retry_on,
                "retriable_headers": [{"name": PASS, "string_match": {"exact": pass_secret}}],
                "num_retries": 2,
                "retry_priority": {
                    "name": "envoy.retry_priorities.previous_priorities",
                    "typed_config": {"@type": TYPE + predicate, "update_frequency": 1},
                },
                "retry_back_off": {"base_interval": "0.001s", "max_interval": "0.001s"},
            },
        },
        "request_body_buffer_limit": HELD_BACK,
        "request_headers_to_add": _found_out(where.names, why, where.copied),
        "response_headers_to_remove": [PASS],
    }


def _found_out(names: str, why: str, copied: Copy) -> list[Json]:
    """What the edge tells a gateway, and through it the listener that asks legacy. Never leaves for legacy."""
    told = ((ROUTE, names), (WHY, why), (COPY, copied.value))
    return [
        {
            "header": {"key": name, "value": value},
            "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
            "keep_empty_value": name == ROUTE,
        }
        for name, value in told
        if value or name == ROUTE
    ]
