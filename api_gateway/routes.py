"""What a platform team lists: the legacy requests that are to be migrated, one Route each.

A project's `routes.py` holds `routes: list[Route]`. Nothing here reads a request or a database.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from api_gateway.errors import UsageError
from api_gateway.thresholds import Gate, Rollback
from shared_models.lifecycle import Deprecated

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_NAME = re.compile(r"[a-z][a-z0-9_.-]{0,62}")


@dataclass(frozen=True, slots=True)
class QueryToken:
    """The consumer is named by a query parameter: `?token=…`."""

    name: str


@dataclass(frozen=True, slots=True)
class FormToken:
    """The consumer is named by a field of the form body (urlencoded or multipart)."""

    name: str


@dataclass(frozen=True, slots=True)
class HeaderToken:
    """The consumer is named by a request header: `X-Partner-Token: …`."""

    name: str


@dataclass(frozen=True, slots=True)
class BasicAuth:
    """The consumer is named by HTTP basic authentication (RFC 7617)."""


@dataclass(frozen=True, slots=True)
class PathToken:
    """The consumer is named by a segment of the path: the `{name}` of the route's template."""

    name: str


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """The consumer is named by its client certificate, of which the proxy in front that asked for it tells in a header.

    header  believed only where `edge.trusted_hops` says that there is such a proxy; the edge removes it from anybody
            else's requests
    part    of Envoy's own form, `X-Forwarded-Client-Cert: Hash=…;Subject="…"`: `Hash`, `Subject`, `URI`, `DNS`.
            None: the header's whole value names the consumer, as in `X-SSL-Client-S-DN: CN=acme`
    """

    header: str = "X-Forwarded-Client-Cert"
    part: str | None = "Hash"


Recognition = QueryToken | FormToken | HeaderToken | BasicAuth | PathToken | ClientCertificate


@dataclass(frozen=True, slots=True)
class Ignore:
    """A difference that does not count, and why.

    path     a place as a comparison prints it; `*` is anything within one step, `**` any number of steps.
    pattern  a regular expression: only what it matches does not count, the rest of the value does.
    expires  the rule's last day, ISO 8601.
    """

    path: str
    reason: str
    owner: str = ""
    expires: str | None = None
    pattern: str | None = None


@dataclass(frozen=True, slots=True)
class Intended:
    """A difference wanted on purpose: a legacy bug that modern does not repeat, signed by a person."""

    path: str
    reason: str
    signed_by: str


@dataclass(frozen=True, slots=True)
class Recorded:
    """Requests of a route are kept with legacy's answers, masked, to be put to its mimic again.

    share      of the requests, from above 0 to 1; the first of every kind is kept whatever the share.
    days       after which one is deleted.
    most       recordings of the route, and `megabytes` of their bodies: the oldest go first.
    """

    share: float = 1.0
    days: int = 30
    most: int = 500
    megabytes: int = 16


@dataclass(frozen=True, slots=True)
class Route:
    """A named set of requests of the legacy app: the unit of migration.

    path      a template: `/partner/invoice/{no}.txt`; a `{name}` is one segment (or part of one).
    query     discriminators: `{"action": "price"}` for `index.php?action=price`.
    form      discriminators in the form body; every POST of the path then goes through the gateway once it has moved.
    header    discriminators in the head: `{"SOAPAction": "urn:x"}`.
    consumer  how the legacy protocol names the caller, or None.
    fields    fields of the form body that legacy reads, where the mimic reads the body itself: for `verify`.
    rows      of a body of rows, its columns with their separator: `item_no;min_qty;price`. For `verify`, too.
    reads     declared to change nothing; default: the method is GET.
    mimic     a FastAPI endpoint function that answers in legacy's own shape, or None.
    ignore, intended  differences that do not count, each with its reason.
    numbers   of JSON: by `value` (1.50 is 1.5), or `exact`, as they are written.
    times     of JSON: `exact`, as they are written, or by `instant` (12:00Z is 13:00+01:00).
    masked    names (JSON keys, XML elements, CSV columns, fields) whose values no comparison and no recording shows.
    recorded  keep requests and legacy's answers, masked: for `banyan verify --recordings`. None: nothing is kept.
    successor the typed endpoint that replaces this route for good: `/api/v1/orders`.
    timeout   seconds modern may take before the request is declined.
    live_fallback  while live, may legacy answer when no gateway is there?
    group     routes of the same group move together, all or none: those that make sense only as one.
    rollback  when it goes back by itself, where that is not as banyan.toml has it.
    gate      what a move forward asks for, where that is not as banyan.toml has it.
    deprecated  since when it should not be called any more, and when it ends: said on every answer of the gateway.
    """

    name: str
    method: str
    path: str
    consumer: Recognition | None = None
    query: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] = field(default_factory=dict)
    header: Mapping[str, str] = field(default_factory=dict)
    fields: tuple[str, ...] = ()
    rows: str = ""
    reads: bool | None = None
    mimic: Callable[..., Any] | None = None
    ignore: tuple[Ignore, ...] = ()
    intended: tuple[Intended, ...] = ()
    numbers: Literal["value", "exact"] = "value"
    times: Literal["exact", "instant"] = "exact"
    masked: frozenset[str] = frozenset()
    recorded: Recorded | None = None
    successor: str | None = None
    timeout: float = 2.0
    live_fallback: bool = False
    group: str = ""
    rollback: Rollback | None = None
    gate: Gate | None = None
    deprecated: Deprecated | None = None
    description: str = ""

    @property
    def is_read(self) -> bool:
        return self.method == "GET" if self.reads is None else self.reads

    @property
    def methods(self) -> tuple[str, ...]:
        """GET stands for HEAD too, as in every server."""
        return ("GET", "HEAD") if self.method == "GET" else (self.method,)


def check_routes(routes: Iterable[Route]) -> dict[str, Route]:
    """The routes by name. Raises UsageError for a bad name, path or method, and for two routes that are the same."""
    by_name: dict[str, Route] = {}
    shapes: dict[tuple[object, ...], str] = {}
    for route in routes:
        if not _NAME.fullmatch(route.name):
            raise UsageError(f"routes.py: route name {route.name!r} must be lower-case letters, digits, '.', '_', '-'.")
        if route.name in by_name:
            raise UsageError(f"routes.py: two routes are named {route.name!r}.")
        if not route.path.startswith("/") or "?" in route.path:
            raise UsageError(f"routes.py: {route.name}: path {route.path!r} must start with / and hold no '?'.")
        if not re.fullmatch(r"[A-Z]+", route.method):
            raise UsageError(f"routes.py: {route.name}: method {route.method!r} must be one upper-case word.")
        for rule in route.ignore:
            _check_ignore(route, rule)
        for intention in route.intended:
            if not intention.reason.strip() or not intention.signed_by.strip():
                raise UsageError(
                    f"routes.py: {route.name}: what is intended at {intention.path!r} needs a reason and who signs it."
                )
        _check_recorded(route)
        shape = (
            route.method,
            re.sub(r"\{[^}]*\}", "{}", route.path),
            *(tuple(sorted(part.items())) for part in (route.query, route.form, route.header)),
        )
        if shape in shapes:
            raise UsageError(f"routes.py: {route.name} and {shapes[shape]} match the same requests.")
        by_name[route.name], shapes[shape] = route, route.name
    return by_name


def _check_recorded(route: Route) -> None:
    kept = route.recorded
    if kept is None:
        return
    if not 0 < kept.share <= 1:
        raise UsageError(f"routes.py: {route.name}: recorded: share={kept.share!r} must be above 0 and at most 1.")
    for name, number, most in (
        ("days", kept.days, 400),
        ("most", kept.most, 10_000),
        ("megabytes", kept.megabytes, 256),
    ):
        if not 1 <= number <= most:
            raise UsageError(f"routes.py: {route.name}: recorded: {name}={number!r} must be from 1 to {most}.")


def _check_ignore(route: Route, rule: Ignore) -> None:
    place = f"routes.py: {route.name}: the ignore rule of {rule.path!r}"
    if not rule.reason.strip():
        raise UsageError(f"{place} needs a reason.")
    try:
        date.fromisoformat(rule.expires or "2000-01-01")
    except ValueError:
        raise UsageError(f"{place}: expires={rule.expires!r} must be a day such as 2027-03-31.") from None
    try:
        re.compile(rule.pattern or "")
    except re.error as error:
        raise UsageError(f"{place}: pattern {rule.pattern!r} is no regular expression: {error}.") from None
