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

from api_gateway.edge import clusters, listeners
from api_gateway.edge.entries import TYPE, Json
from api_gateway.edge.shape import Shape


def bootstrap(shape: Shape, *, inline_table: Json | None = None) -> Json:
    """The whole document. `inline_table`: a route table's document in place of its file, so that Envoy validates it."""
    gates = [listeners.edge(shape, inline_table)]
    targets = [clusters.legacy(shape)]
    if shape.gateways:
        gates += [listeners.declined(shape), listeners.gateways(shape)]
        targets += [clusters.listed(shape), clusters.firm(), clusters.gateway(shape)]
    if shape.observer_port is not None:
        targets.append(clusters.observer(shape.observer_port))
    internal = "envoy.extensions.bootstrap.internal_listener.v3.InternalListener"
    return {
        "node": {"id": shape.node, "cluster": "banyan"},
        "admin": {"address": {"pipe": {"path": str(shape.admin_socket), "mode": 0o600}}},
        "bootstrap_extensions": [
            {"name": "envoy.bootstrap.internal_listener", "typed_config": {"@type": TYPE + internal}}
        ],
        "layered_runtime": {
            "layers": [
                {
                    "name": "static",
                    "static_layer": {
                        # a tolerant spelling of a long path is a large program
                        "re2.max_program_size.error_level": 20000,
                        "re2.max_program_size.warn_level": 20000,
                        "overload.global_downstream_max_connections": 50000,
                    },
                }
            ]
        },
        "static_resources": {"listeners": gates, "clusters": targets},
    }
