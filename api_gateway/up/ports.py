"""Which port each part listens on: the edge's as asked, the console's beside it, the others where there is room."""

from __future__ import annotations

import socket
from dataclasses import dataclass

from api_gateway.errors import EnvironmentFault


@dataclass(frozen=True, slots=True)
class Ports:
    edge: int
    console: int
    gateways: tuple[int, ...]
    observer: int
    legacy: int
    postgres: int


def choose_ports(edge_host: str, edge: int, console: int, gateways: int) -> Ports:
    """Raises EnvironmentFault when the edge's port cannot be had; every other port has a second choice."""
    reason = _refusal(edge_host, edge)
    if reason is not None:
        raise EnvironmentFault(
            f"port {edge} cannot be had: {reason}.", hint="Choose another: make up PORT=9000, or banyan up --port 9000."
        )
    held: list[socket.socket] = []  # held until all are known, so that none is handed out twice
    try:
        first = console if _refusal("127.0.0.1", console) is None and console != edge else _hold(held)
        others = [_hold(held) for _ in range(gateways + 3)]
    finally:
        for probe in held:
            probe.close()
    return Ports(edge, first, tuple(others[:gateways]), *others[gateways:])


def _refusal(host: str, port: int) -> str | None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return "it is taken" if error.errno == 98 else str(error.strerror).lower()
    return None


def _hold(held: list[socket.socket]) -> int:
    probe = socket.socket()
    probe.bind(("127.0.0.1", 0))
    held.append(probe)
    return int(probe.getsockname()[1])
