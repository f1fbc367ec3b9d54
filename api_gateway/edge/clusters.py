"""Envoy's clusters: where requests can go, in which order, and how a gateway is found to be dead. Pure."""

from __future__ import annotations

from pathlib import Path

from api_gateway.edge.entries import TYPE, Json, Way
from api_gateway.edge.listeners import BUFFER, DECLINED, GATEWAYS, as_sent, socket
from api_gateway.edge.shape import Shape, Upstream

HEALTH_PATH = "/banyan/health"
_HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


def legacy(shape: Shape) -> Json:
    upstream = shape.legacy
    cluster = _cluster(Way.legacy.value, [[_endpoint(upstream.host, upstream.port)]])
    if not upstream.is_address:
        # a name that cannot be resolved yet must not keep the edge from starting
        cluster |= {"type": "STRICT_DNS", "wait_for_warm_on_init": False, "dns_lookup_family": "V4_PREFERRED"}
    if upstream.tls:
        cluster["transport_socket"] = _tls(upstream, shape.ca_file)
    return cluster


def _tls(upstream: Upstream, ca_file: Path | None) -> Json:
    """The certificate must be valid for the legacy URL's host."""
    name = {"san_type": "IP_ADDRESS" if upstream.is_address else "DNS", "matcher": {"exact": upstream.host}}
    trusted = {"trusted_ca": {"filename": str(ca_file)}, "match_typed_subject_alt_names": [name]}
    context = {
        "@type": TYPE + "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
        "common_tls_context": {"validation_context": trusted},
        **({} if upstream.is_address else {"sni": upstream.host}),
    }
    return {"name": "tls", "typed_config": context}


def gateway(shape: Shape) -> Json:
    return _cluster(Way.gateway.value, [_gateway_endpoints(shape)]) | _checked()


def listed(shape: Shape) -> Json:
    return _cluster(Way.listed.value, [_gateway_endpoints(shape), [_internal(DECLINED)]]) | _checked() | _two_sockets()


def firm() -> Json:
    return _cluster(Way.firm.value, [[_internal(GATEWAYS)], [_internal(DECLINED)]]) | _two_sockets()


def observer(shape: Shape) -> Json:
    http2 = {"@type": TYPE + _HTTP_OPTIONS, "explicit_http_config": {"http2_protocol_options": {}}}
    cluster = _cluster("observer", [[_endpoint("127.0.0.1", shape.observer_port)]])
    # an observer that is slow costs copies, never memory or answers
    limits = {"max_requests": 256, "max_pending_requests": 256, "max_connections": 4}
    return cluster | {
        "connect_timeout": "0.25s",
        "circuit_breakers": {"thresholds": [limits]},
        "per_connection_buffer_limit_bytes": 1 << 20,
        "typed_extension_protocol_options": {_HTTP_OPTIONS: http2},
    }


def _cluster(name: str, priorities: list[list[Json]]) -> Json:
    many = {"max_connections": 100000, "max_pending_requests": 100000, "max_requests": 100000, "max_retries": 1000}
    http = {
        "@type": TYPE + _HTTP_OPTIONS,
        "explicit_http_config": {"http_protocol_options": as_sent()},
        "common_http_protocol_options": {
            "idle_timeout": "1s",  # below any server's keep-alive: else a POST meets a connection that is just closing
            "max_headers_count": 1000,
            "max_response_headers_kb": 256,
        },
    }
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "2s",
        "circuit_breakers": {"thresholds": [many]},
        "per_connection_buffer_limit_bytes": BUFFER,
        "typed_extension_protocol_options": {_HTTP_OPTIONS: http},
        "load_assignment": {
            "cluster_name": name,
            # without it a third of the traffic would go to legacy as soon as one of two gateways is down
            "policy": {"overprovisioning_factor": 10000},
            "endpoints": [
                {"priority": priority, "lb_endpoints": endpoints} for priority, endpoints in enumerate(priorities)
            ],
        },
    }


def _checked() -> Json:
    """Health checks of the gateways, four a second; a dead one is left at once, and no dead one is ever tried."""
    often = ("", "no_traffic_", "unhealthy_", "unhealthy_edge_", "no_traffic_healthy_", "healthy_edge_")
    check = {
        **{f"{when}interval": "0.25s" for when in often},
        "timeout": "0.25s",
        "unhealthy_threshold": 2,
        "healthy_threshold": 1,
        "reuse_connection": True,
        "http_health_check": {"path": HEALTH_PATH},
    }
    return {
        "health_checks": [check],
        "close_connections_on_host_health_failure": True,
        "common_lb_config": {"healthy_panic_threshold": {"value": 0}, "update_merge_window": "0s"},
    }


def _gateway_endpoints(shape: Shape) -> list[Json]:
    return [_endpoint("127.0.0.1", port) for port in shape.gateways]


def _endpoint(host: str, port: int) -> Json:
    return {"endpoint": {"address": socket(host, port)}}


def _internal(listener: str) -> Json:
    address = {"envoy_internal_address": {"server_listener_name": listener, "endpoint_id": "0"}}
    return {
        "endpoint": {"address": address, "health_check_config": {"disable_active_health_check": True}},
        "metadata": {"filter_metadata": {"envoy.transport_socket_match": {"internal": True}}},
    }


def _two_sockets() -> Json:
    """One cluster with hosts on the network and hosts inside Envoy."""
    raw = {
        "name": "raw",
        "typed_config": {"@type": TYPE + "envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer"},
    }
    kind = TYPE + "envoy.extensions.transport_sockets.internal_upstream.v3.InternalUpstreamTransport"
    inside = {
        "name": "envoy.transport_sockets.internal_upstream",
        "typed_config": {"@type": kind, "transport_socket": raw},
    }
    return {
        "transport_socket_matches": [
            {"name": "internal", "match": {"internal": True}, "transport_socket": inside},
            {"name": "network", "match": {}, "transport_socket": raw},
        ]
    }
