"""Envoy's bootstrap: listeners, clusters and filters that never change while the edge runs. Pure.

    edge ──► legacy                      not listed, or nobody beyond shadow
      │ ───► listed ─┬─ gateways (P0)    a gateway answers, or declines, or is not there;
      │              └─ declined (P1) ──► legacy    then this listener inside Envoy removes what is ours, and observes
      │ ───► firm ───┬─ gateways (P0, a listener inside Envoy, always there) ──► gateway
      │              └─ declined (P1)    only by being declined
      └────► gateway                     the typed API, retired routes

What all this changes for legacy is listed in `docs/reference/edge-changes.md`.
"""

from __future__ import annotations

import hashlib
import json

from api_gateway.edge import clusters, listeners
from api_gateway.edge.entries import TYPE, Json
from api_gateway.edge.shape import Shape


def bootstrap(shape: Shape, *, inline_table: Json | None = None) -> Json:
    """The whole document. Its node id is a digest of the rest: two edges with the same id are the same.

    `inline_table`: a route table's document in place of its file, so that Envoy validates it.
    """
    internal = "envoy.extensions.bootstrap.internal_listener.v3.InternalListener"
    document: Json = {
        "admin": {"address": {"pipe": {"path": str(shape.admin_socket), "mode": 0o600}}},
        "bootstrap_extensions": [
            {"name": "envoy.bootstrap.internal_listener", "typed_config": {"@type": TYPE + internal}}
        ],
        "layered_runtime": {"layers": [{"name": "static", "static_layer": _RUNTIME}]},
        "static_resources": {
            "listeners": [
                listeners.edge(shape, inline_table),
                listeners.declined(shape),
                listeners.gateways(shape),
            ],
            "clusters": [
                clusters.legacy(shape),
                clusters.listed(shape),
                clusters.firm(),
                clusters.gateway(shape),
                clusters.observer(shape),
            ],
        },
    }
    digest = hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
    return {"node": {"id": f"banyan-{digest[:32]}", "cluster": "banyan"}, **document}


_RUNTIME = {
    "re2.max_program_size.error_level": 20000,  # a tolerant spelling of a long path is a large program
    "re2.max_program_size.warn_level": 20000,
    "overload.global_downstream_max_connections": 50000,
}
