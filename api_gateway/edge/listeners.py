"""Envoy's listeners: the one that clients meet, and two inside Envoy that only its own clusters reach. Pure."""

from __future__ import annotations

import re

from api_gateway.edge.entries import (
    COPY,
    HEADS_ONLY,
    INTERNAL_HEADERS,
    OBSERVE,
    TYPE,
    Json,
    Way,
    observe,
    other_gateway,
    unlisted,
)
from api_gateway.edge.exchange import Copy
from api_gateway.edge.shape import Shape
from api_gateway.edge.table import TABLE_NAME, request_headers_to_remove

BUFFER = 65536  # bytes held per connection and direction: memory stays flat with any body
DECLINED, GATEWAYS = "declined", "gateways"  # listeners inside Envoy
_HCM = TYPE + "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"

# What the edge says to legacy or to gateways, a client may not; nor in the spellings that WSGI folds to the same name.
_NEVER_FROM_CLIENTS = (
    r"x[-_]banyan[-_].*",
    r"x[-_]envoy[-_].*",
    r"banyan_override",
    r"content_length",
    r"transfer_encoding",
    r"x(_forwarded[-_]|-forwarded_)for",
)
_XFCC = "x-forwarded-client-cert"  # what Envoy as a proxy in front says of a client's certificate
# Believed by many apps; only a proxy in front that is trusted may say them.
_FORWARDED = (r"x[-_]forwarded[-_](host|port|proto|server|prefix|scheme|ssl)", r"forwarded", r"x[-_]real[-_]ip")


def edge(shape: Shape, inline_table: Json | None) -> Json:
    manager = _connection_manager(shape, "edge")
    folder = {"path": str(shape.table.parent)}
    if inline_table is None:
        manager["rds"] = {
            "route_config_name": TABLE_NAME,
            "config_source": {
                "resource_api_version": "V3",
                "initial_fetch_timeout": "0s",
                "path_config_source": {"path": str(shape.table), "watched_directory": folder},
            },
        }
    else:
        table = inline_table["resources"][0]
        manager["route_config"] = {name: value for name, value in table.items() if name != "@type"}
    certificates = [re.escape(name.lower()).replace(r"\-", "[-_]") for name in (_XFCC, *shape.certificate_headers)]
    names = _NEVER_FROM_CLIENTS if shape.trusted_hops else (*_NEVER_FROM_CLIENTS, *_FORWARDED, *certificates)
    mutation = "envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation"
    matcher = {"safe_regex": {"regex": "|".join(names)}}
    manager |= {
        "use_remote_address": True,  # appends the peer to X-Forwarded-For
        "xff_num_trusted_hops": shape.trusted_hops,
        # nobody's X-Envoy-* headers are believed, from whatever network they come
        "internal_address_config": {"cidr_ranges": [{"address_prefix": "255.255.255.255", "prefix_len": 32}]},
        # before routing: a filter would be too late to keep a client from choosing its route
        "early_header_mutation_extensions": [
            {
                "name": "strip",
                "typed_config": {
                    "@type": TYPE + mutation,
                    "mutations": [{"remove_on_match": {"key_matcher": matcher}}],
                },
            }
        ],
        "access_log": _access_log(shape),
    }
    return {
        "name": "edge",
        "address": socket(shape.host, shape.port),
        "per_connection_buffer_limit_bytes": BUFFER,
        "filter_chains": [_chain(manager)],
    }


def declined(shape: Shape) -> Json:
    """Where declined and fallen-back requests arrive: like legacy directly, without what is ours, and observed."""
    manager = _connection_manager(shape, DECLINED) | {"use_remote_address": False, "skip_xff_append": True}
    manager["delayed_close_timeout"] = "0s"
    entries = []
    for copied in Copy:
        match = {"prefix": "/", "headers": [{"name": COPY, "string_match": {"exact": copied.value}}]}
        entries.append({**unlisted(match), "typed_per_filter_config": observe((), copied)})
    manager["route_config"] = {
        "name": DECLINED,
        "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [*entries, unlisted({"prefix": "/"})]}],
        "request_headers_to_remove": [*INTERNAL_HEADERS, *request_headers_to_remove(keep_proto=shape.keep_proto)],
        "response_headers_to_remove": ["x-envoy-upstream-service-time"],
    }
    return {"name": DECLINED, "internal_listener": {}, "filter_chains": [_chain(manager)]}


def gateways(shape: Shape) -> Json:
    """Gateways as one host that never goes away: when all are dead, the answer is 503 and not legacy's."""
    manager = _connection_manager(shape, GATEWAYS) | {"use_remote_address": False, "skip_xff_append": True}
    manager["delayed_close_timeout"] = "0s"
    manager["http_filters"] = manager["http_filters"][-1:]
    route = {"cluster": Way.gateway.value, "timeout": "0s", "retry_policy": other_gateway()}
    manager["route_config"] = {
        "name": GATEWAYS,
        "virtual_hosts": [
            {"name": "all", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, "name": "modern", "route": route}]}
        ],
        "response_headers_to_remove": ["x-envoy-upstream-service-time"],
    }
    return {"name": GATEWAYS, "internal_listener": {}, "filter_chains": [_chain(manager)]}


def _chain(manager: Json) -> Json:
    return {"filters": [{"name": "http", "typed_config": manager}]}


def _connection_manager(shape: Shape, name: str) -> Json:
    """What every listener has in common: requests and answers pass as they are."""
    return {
        "@type": _HCM,
        "stat_prefix": name,
        "codec_type": "HTTP1",
        "normalize_path": False,
        "merge_slashes": False,
        "path_with_escaped_slashes_action": "KEEP_UNCHANGED",
        "strip_any_host_port": False,
        "server_header_transformation": "PASS_THROUGH",
        # what a trusted proxy in front says of the client's certificate passes; of others it is removed before routing
        "forward_client_cert_details": "ALWAYS_FORWARD_ONLY",
        "generate_request_id": False,
        "preserve_external_request_id": True,
        "proxy_100_continue": True,
        "request_timeout": "0s",
        "request_headers_timeout": "10s",  # a head that drips in
        "stream_idle_timeout": "3600s",  # a slow report, a silent WebSocket
        "drain_timeout": "5s",
        "delayed_close_timeout": "1s",
        "max_request_headers_kb": 96,
        "common_http_protocol_options": {
            "idle_timeout": "75s",
            "max_headers_count": 200,
            "headers_with_underscores_action": "ALLOW",
        },
        "http_protocol_options": {
            **as_sent(),
            "accept_http_10": True,
            "default_host_for_http_10": shape.legacy.authority,
        },
        "upgrade_configs": [{"upgrade_type": "websocket"}],
        "http_filters": [_observing(), _router()],
    }


def as_sent() -> Json:
    """Header names keep their case, reasons their words. A trailer never becomes a header: trailers end here."""
    formatter = "envoy.extensions.http.header_formatters.preserve_case.v3.PreserveCaseFormatterConfig"
    return {
        "header_key_format": {
            "stateful_formatter": {
                "name": "preserve_case",
                "typed_config": {
                    "@type": TYPE + formatter,
                    "forward_reason_phrase": True,
                    "formatter_type_on_envoy_headers": "DEFAULT",
                },
            }
        },
        "enable_trailers": False,
    }


def _observing() -> Json:
    """Copies exchanges to the observer and waits for nobody; off unless a route switches it on."""
    config = {
        "@type": TYPE + "envoy.extensions.filters.http.ext_proc.v3.ExternalProcessor",
        "grpc_service": {"envoy_grpc": {"cluster_name": "observer"}, "timeout": "60s"},
        "failure_mode_allow": True,
        "observability_mode": True,
        "deferred_close_timeout": "1s",
        "processing_mode": HEADS_ONLY,
        "request_attributes": ["source.address"],
        "stat_prefix": "observe",
    }
    return {"name": OBSERVE, "disabled": True, "typed_config": config}


def _router() -> Json:
    kind = TYPE + "envoy.extensions.filters.http.router.v3.Router"
    return {
        "name": "envoy.filters.http.router",
        "typed_config": {"@type": kind, "suppress_envoy_headers": True, "start_child_span": False},
    }


def _access_log(shape: Shape) -> list[Json]:
    """Without queries: partners' tokens are in them."""
    if shape.access_log is None:
        return []
    fields = {
        "at": "%START_TIME%",
        "method": "%REQ(:METHOD)%",
        "path": "%PATH(NQ)%",
        "route": "%ROUTE_NAME%",
        "status": "%RESPONSE_CODE%",
        "flags": "%RESPONSE_FLAGS%",
        "milliseconds": "%DURATION%",
        "cluster": "%UPSTREAM_CLUSTER%",
        "peer": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
        "request_id": "%REQ(X-REQUEST-ID)%",
    }
    kind = TYPE + "envoy.extensions.access_loggers.file.v3.FileAccessLog"
    config = {"@type": kind, "path": str(shape.access_log), "log_format": {"json_format": fields}}
    return [{"name": "file", "typed_config": config}]


def socket(host: str, port: int) -> Json:
    return {"socket_address": {"address": host, "port_value": port}}
