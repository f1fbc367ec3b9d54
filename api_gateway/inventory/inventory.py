"""Collects calls into endpoints, in bounded memory, however many there are and whatever they ask for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple

from api_gateway.consumers import Register
from api_gateway.edge.spellings import fold, values
from api_gateway.inventory.callers import Callers
from api_gateway.inventory.calls import Call, is_static, parameters, path_and_query, tells_apart
from api_gateway.inventory.crowds import crowded
from api_gateway.inventory.segments import kind_of, template_of
from api_gateway.routes import Route

MOST_ENDPOINTS = 10_000  # held at a time; beyond that crowds are merged, then what is rarest
MOST_CALLERS = 64  # named of one endpoint; the rest is counted together
MOST_PARAMETERS = 40
MOST_ACTIONS = 60  # values of one parameter that tell endpoints apart
REMEMBERED = 50_000  # paths whose template is remembered

OTHER_CALLERS = "others"


class Place(NamedTuple):
    """What an endpoint is known by. `routes`: names of the listed routes, where it is one; `action`: `action=price`."""

    method: str
    path: str
    action: tuple[tuple[str, str], ...] = ()
    routes: tuple[str, ...] = ()


@dataclass(slots=True)
class Endpoint:
    """What is known of it. Times are seconds since 1970."""

    calls: int = 0
    first: float = float("inf")
    last: float = float("-inf")
    statuses: dict[int, int] = field(default_factory=dict)
    callers: dict[str, int] = field(default_factory=dict)
    parameters: dict[str, int] = field(default_factory=dict)

    def add(self, status: int, at: float, caller: str, names: Iterable[str], count: int) -> None:
        self.calls += count
        if at < self.first:
            self.first = at
        if at > self.last:
            self.last = at
        self.statuses[status] = self.statuses.get(status, 0) + count
        _count(self.callers, caller, count, MOST_CALLERS, OTHER_CALLERS)
        for name in names:
            _count(self.parameters, name, count, MOST_PARAMETERS, "…")

    def merge(self, other: Endpoint) -> None:
        self.calls += other.calls
        self.first, self.last = min(self.first, other.first), max(self.last, other.last)
        for status, count in other.statuses.items():
            self.statuses[status] = self.statuses.get(status, 0) + count
        for caller, count in other.callers.items():
            _count(self.callers, caller, count, MOST_CALLERS, OTHER_CALLERS)
        for name, count in other.parameters.items():
            _count(self.parameters, name, count, MOST_PARAMETERS, "…")

    @property
    def is_found(self) -> bool:
        """Whether legacy ever answered as one who knows the path."""
        return any(status not in (400, 404, 405, 410, 501) for status in self.statuses)

    def as_json(self, place: Place) -> dict[str, Any]:
        return {
            "method": place.method,
            "path": place.path,
            "query": dict(place.action),
            "routes": list(place.routes),
            "calls": self.calls,
            "statuses": {str(status): count for status, count in sorted(self.statuses.items())},
            "callers": dict(sorted(self.callers.items(), key=lambda pair: -pair[1])),
            "parameters": dict(sorted(self.parameters.items(), key=lambda pair: -pair[1])),
            "first": _moment(self.first),
            "last": _moment(self.last),
        }


class Inventory:
    """`add` each call; then `endpoints`. `routes`: those that are listed; `register`: whose tokens are known."""

    def __init__(self, routes: Iterable[Route] = (), register: Register | None = None) -> None:
        self._routes = tuple(routes)
        self._callers = Callers(register)
        self._found: dict[Place, Endpoint] = {}
        self._remembered: dict[str, tuple[str, tuple[Route, ...]]] = {}
        self._tells = frozenset(name for route in self._routes for name in route.query)
        self.static = 0
        self.elsewhere = 0  # calls of endpoints that were too many to be told one by one

    def add(self, call: Call) -> bool:
        """False when the target is no path: `*`, a host of CONNECT, garbage."""
        split = path_and_query(call.target)
        if split is None:
            return False
        path, query = split
        known = self._remembered.get(path)
        if known is None:
            known = self._look_up(path)
        template, listed = known
        if template == "":
            self.static += call.times
            return True
        pairs = list(parameters(query)) if query else []
        routes = _meant(listed, call.method, pairs) if listed else ()
        if routes:
            place = Place(call.method, routes[0].path, (), tuple(route.name for route in routes))
        else:
            place = Place(
                call.method, template, tuple(pair for pair in pairs if tells_apart(*pair))[:2] if pairs else ()
            )
        endpoint = self._found.get(place)
        if endpoint is None:
            endpoint = self._new(place)
        caller = self._callers.of(call, pairs, routes)
        endpoint.add(call.status, call.at, caller, _names(pairs) if pairs else (), call.times)
        return True

    def put(self, place: Place, endpoint: Endpoint) -> None:
        """What was collected before and kept."""
        self._found.setdefault(place, Endpoint()).merge(endpoint)

    def endpoints(self) -> Iterator[tuple[Place, Endpoint]]:
        """The most called first."""
        self._merge_crowds()
        yield from sorted(self._found.items(), key=lambda pair: (-pair[1].calls, pair[0]))

    def _look_up(self, path: str) -> tuple[str, tuple[Route, ...]]:
        if len(self._remembered) >= REMEMBERED:
            self._remembered.clear()
        folded = fold(path) if self._routes else path
        listed = tuple(route for route in self._routes if values(route.path, folded) is not None)
        known = ("" if not listed and is_static(path) else template_of(path), listed)
        self._remembered[path] = known
        return known

    def _new(self, place: Place) -> Endpoint:
        if len(self._found) >= MOST_ENDPOINTS:
            self._merge_crowds()
            if len(self._found) >= MOST_ENDPOINTS * 3 // 4:
                self._drop_rarest(MOST_ENDPOINTS // 2)
        return self._found.setdefault(place, Endpoint())

    def _merge_crowds(self) -> None:
        unlisted = [place for place in self._found if not place.routes]
        renamed = crowded(place.path for place in unlisted)
        actions: defaultdict[tuple[str, str], set[tuple[tuple[str, str], ...]]] = defaultdict(set)
        for place in unlisted:
            actions[place.method, renamed.get(place.path, place.path)].add(place.action)
        merged: dict[Place, Endpoint] = {}
        for place, endpoint in self._found.items():
            path = place.path if place.routes else renamed.get(place.path, place.path)
            action = place.action if len(actions[place.method, path]) <= MOST_ACTIONS else ()
            known = merged.setdefault(place._replace(path=path, action=action), endpoint)
            if known is not endpoint:
                known.merge(endpoint)
        self._found = merged

    def _drop_rarest(self, keep: int) -> None:
        """What was never found goes first, as scanners ask for it."""
        ranked = sorted(
            self._found.items(), key=lambda pair: (not pair[0].routes, not pair[1].is_found, -pair[1].calls)
        )
        self.elsewhere += sum(endpoint.calls for _, endpoint in ranked[keep:])
        self._found = dict(ranked[:keep])


def _meant(listed: tuple[Route, ...], method: str, pairs: list[tuple[str, str]]) -> tuple[Route, ...]:
    """A form field or a header that tells routes apart is in no log: then it is one of several."""
    return tuple(
        route for route in listed if method in route.methods and all(pair in pairs for pair in route.query.items())
    )


def _names(pairs: list[tuple[str, str]]) -> list[str]:
    return [_name(name) for name, _ in pairs]


@lru_cache(maxsize=4096)
def _name(name: str) -> str:
    """A name that looks like a value is one: `?4711`, `?dGhpcyBpcyBh…`."""
    return name if len(name) <= 40 and kind_of(name) is None else "…"


def _count(counts: dict[str, int], name: str, count: int, most: int, rest: str) -> None:
    if name in counts:
        counts[name] += count
    elif len(counts) < most:
        counts[name] = count
    else:
        counts[rest] = counts.get(rest, 0) + count


def _moment(at: float) -> str | None:
    return datetime.fromtimestamp(at, UTC).isoformat() if abs(at) != float("inf") else None
