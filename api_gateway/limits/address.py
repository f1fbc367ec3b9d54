"""Which client stands behind a request: the address that the edge saw, not what the client says of itself."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address


def client_address(forwarded_for: bytes | None, peer: str, trusted_hops: int) -> str:
    """The address to count by. Of IPv6 the /64: one subscriber has all of it.

    forwarded_for  X-Forwarded-For, to which the edge has appended the address of whoever connected to it
    trusted_hops   proxies in front of the edge: so many addresses before the edge's own are believed
    """
    hops = [part.strip() for part in (forwarded_for or b"").decode("latin-1").split(",") if part.strip()]
    found = hops[-min(len(hops), 1 + trusted_hops)] if hops else peer
    try:
        address = ip_address(found.partition("%")[0].strip("[]"))
    except ValueError:
        return peer
    if isinstance(address, IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped) if mapped is not None else address.exploded[:19]
    return str(address)
