"""What differs between one edge and another: addresses and files. Values only."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from api_gateway.errors import UsageError


@dataclass(frozen=True, slots=True)
class Upstream:
    """The legacy app's address. A name is resolved by Envoy and followed when it moves."""

    host: str
    port: int
    tls: bool = False

    @property
    def is_address(self) -> bool:
        try:
            ipaddress.ip_address(self.host)
        except ValueError:
            return False
        return True

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.tls else 80) else f"{host}:{self.port}"


def read_upstream(url: str) -> Upstream:
    """`http://host:port` or `https://host[:port]`. Raises UsageError for anything else, a path included."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise UsageError(f"legacy URL {url!r}: {error}.") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.password:
        raise UsageError(f"legacy URL {url!r} must be like http://host:port.")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise UsageError(f"legacy URL {url!r} must end after the port: the edge never changes a path.")
    tls = parts.scheme == "https"
    return Upstream(parts.hostname, port or (443 if tls else 80), tls)


@dataclass(frozen=True, slots=True)
class Shape:
    """Everything about an edge that stays while it runs.

    host, port       where clients come in; host is an IP address, port 0 asks for a free one
    table            the route table's file; its folder is watched
    admin_socket     Envoy's administration, as a socket that only this user can open
    gateways         their ports on this machine
    observer_port    where exchanges are copied to, on this machine
    trusted_hops     proxies in front whose X-Forwarded-* are believed
    access_log       one JSON line per request, without queries; None: no log
    ca_file          certificates that an https legacy is checked against
    certificate_headers  in which a proxy in front tells of client certificates; nobody else may say them
    """

    host: str
    port: int
    legacy: Upstream
    table: Path
    admin_socket: Path
    gateways: tuple[int, ...]
    observer_port: int
    trusted_hops: int = 0
    access_log: Path | None = None
    ca_file: Path | None = None
    certificate_headers: tuple[str, ...] = ()

    @property
    def keep_proto(self) -> bool:
        """X-Forwarded-Proto says something only when a trusted proxy in front said it."""
        return self.trusted_hops > 0
