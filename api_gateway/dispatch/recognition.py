"""Which listed route a request means and who calls it: for the gateway before it decides, for the observer. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote, unquote_to_bytes

from api_gateway.consumers import Identification, Register, identify, names_consumer_in_body
from api_gateway.consumers.identify import form_values
from api_gateway.edge.matching import find_route
from api_gateway.edge.spellings import fold, values
from api_gateway.project import Project
from api_gateway.routes import Route

Headers = tuple[tuple[bytes, bytes], ...]


def listed(project: Project, names: str) -> tuple[Route, ...]:
    """The routes that the edge named (`a,b`), as far as this project knows them; all where it named none."""
    known = tuple(project.routes[name] for name in names.split(",") if name in project.routes)
    return known if names else tuple(project.routes.values())


def needs_body(candidates: Iterable[Route]) -> bool:
    """Whether the route or its caller may be named in the body. Otherwise the head tells all."""
    return any(names_consumer_in_body(route) or route.form for route in candidates)


def recognize(
    candidates: tuple[Route, ...], why: str, method: str, target: str, headers: Headers, body: bytes | None
) -> Route | None:
    """The one route that is meant. `why` is what the edge could not settle, empty when it settled everything.

    An odd spelling is matched by what legacy might understand: see `edge.spellings.fold`. None: not ours to answer.
    """
    if not why:
        return candidates[0] if len(candidates) == 1 else None
    head = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers}
    wanted = {name for route in candidates for name in route.form}
    form = [(name, value) for name in sorted(wanted) for value in _form(headers, body or b"", name)]
    return find_route(candidates, method, target, head, form)


def caller(register: Register, route: Route, target: str, headers: Headers, body: bytes | None) -> Identification:
    path, _, query = target.partition("?")
    raw_path, raw_query = path.encode("latin-1"), query.encode("latin-1")
    return identify(register, route, headers=headers, path=raw_path, query=raw_query, body=body)


def sticky(headers: Headers, trusted_hops: int = 0) -> bytes:
    """What stays the same between the calls of somebody whom nobody names, without a cookie of ours: where they call
    from, and with what. Basic credentials are better than either.

    trusted_hops  proxies in front of the edge whose X-Forwarded-For is believed; what is before them anybody can write.
    """
    named: dict[bytes, list[bytes]] = {}
    for name, value in headers:
        named.setdefault(name.lower(), []).append(value)
    basic = [value for value in named.get(b"authorization", ()) if value[:6].lower() == b"basic "]
    if basic:
        return basic[0]
    hops = b",".join(named.get(b"x-forwarded-for", ())).replace(b" ", b"").split(b",")
    address = hops[-1 - trusted_hops] if len(hops) > trusted_hops else hops[0]
    return b"\0".join((address, *named.get(b"user-agent", ()))) if address else b""


def is_plain(route: Route, target: str) -> bool:
    """Whether every legacy stack reads this path as the route's own: escapes undone once, nothing folded."""
    path = unquote_to_bytes(target.partition("?")[0].encode("latin-1")).decode("latin-1")
    return values(route.path, path.rstrip("/") if route.path.endswith("/") else path) is not None


def canonical_path(route: Route, target: str, why: str) -> str:
    """The path under which the mimic is asked: as it came, or where that is odd, as the route's template has it."""
    path = target.partition("?")[0]
    found = values(route.path, fold(target)) if why else None
    if found is None:
        return path
    canonical = route.path
    for name, value in found.items():
        canonical = canonical.replace("{" + name + "}", quote(value.encode("latin-1"), safe=""))
    return canonical


def _form(headers: Headers, body: bytes, name: str) -> list[str]:
    pairs = [(key.lower(), value) for key, value in headers]
    return [value.decode("utf-8", "replace") for value in form_values(pairs, body, name.encode())]
