"""Every resource of the contract as one raw ASGI application and one route: request → select → database → answer."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.datastructures import URLPath
from starlette.routing import BaseRoute, Match, NoMatchFound
from starlette.types import Receive, Scope, Send

from api_gateway.api import answer
from api_gateway.api.authentication import principal_of, require_scope
from api_gateway.api.cursors import Cursors
from api_gateway.api.problems import (
    bad_request,
    method_not_allowed,
    not_acceptable,
    not_found,
    note,
    of_fault,
    out_of_service,
    rendered,
)
from api_gateway.api.request import Reading, decoded_text, get_request, list_request
from api_gateway.api.select import Statements
from api_gateway.consumers import Principal
from api_gateway.errors import Problem
from shared_models.database import Cells
from shared_models.faults import BadValue, DatabaseFault
from shared_models.resources import BoundResource, Resources

_READING = ("GET", "HEAD")


class ResourceRoute(BaseRoute):
    """`prefix` is `/api/v1/`. `others`: methods that operations answer, by path below the prefix (`orders`: POST)."""

    def __init__(
        self,
        prefix: str,
        resources: Resources,
        statements: Statements,
        cursors: Cursors,
        others: Mapping[str, tuple[str, ...]],
    ) -> None:
        self._prefix, self._raw_prefix = prefix, prefix.encode()
        self._resources, self._statements, self._cursors = resources, statements, cursors
        self._others = others
        self._served = frozenset(resources.by_path) | frozenset(resources.unavailable)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Everything under a resource's path, except what an operation answers."""
        path: str = scope["path"]
        if scope["type"] != "http" or not path.startswith(self._prefix):
            return Match.NONE, {}
        below = path[len(self._prefix) :]
        if below.partition("/")[0] not in self._served or scope["method"] in self._others.get(below, ()):
            return Match.NONE, {}
        return Match.FULL, {}

    def url_path_for(self, name: str, /, **path_params: object) -> URLPath:
        raise NoMatchFound(name, path_params)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._answer(scope, send)
        except Problem as problem:
            note(problem, scope)
            await rendered(problem)(scope, receive, send)
        except BadValue:
            await rendered(bad_request([]))(scope, receive, send)
        except DatabaseFault as fault:
            await rendered(of_fault(fault))(scope, receive, send)

    async def _answer(self, scope: Scope, send: Send) -> None:
        raw = scope.get("raw_path") or scope["path"].encode()
        name, slash, key = raw[len(self._raw_prefix) :].partition(b"/")
        path = decoded_text(name) or ""
        if path in self._resources.unavailable:
            raise out_of_service()
        resource = self._resources.by_path.get(path)
        if resource is None or (slash and not key):
            raise not_found()
        verb = "get" if slash else "list"
        method = scope["method"]
        if method not in _READING or verb not in resource.verbs:
            await self._no_reading(scope, send, resource, verb, path + ("/" + key.decode("latin-1") if slash else ""))
            return
        principal = principal_of(scope)
        require_scope(principal, resource.scope)
        if_none_match = _check_headers(scope)
        if slash:
            reading = get_request(resource, key, scope["query_string"], principal, self._resources)
            rows = await self._rows(scope, reading, principal)
            if not rows:
                raise not_found()
            status, head, body = answer.document(rows[0], if_none_match)
        else:
            reading = list_request(resource, scope["query_string"], principal, self._resources, self._cursors)
            rows = await self._rows(scope, reading, principal)
            status, head, body = answer.page(rows, reading, self._prefix + path, self._cursors)
        await answer.send_answer(send, status, head, body, with_body=method == "GET")

    async def _rows(self, scope: Scope, reading: Reading, principal: Principal) -> list[Cells]:
        statement = self._statements.of(reading.shape)
        for name, place in statement.places.items():
            reading.values[name] = place.text(principal)
        rows: list[Cells] = await scope["state"]["read_database"].fetch(statement.prepared, reading.values)
        return rows

    async def _no_reading(self, scope: Scope, send: Send, resource: BoundResource, verb: str, below: str) -> None:
        reading = _READING if verb in resource.verbs else ()
        allowed = (*reading, *self._others.get(below, ()), "OPTIONS")
        if allowed == ("OPTIONS",):
            raise not_found()
        if scope["method"] != "OPTIONS":
            raise method_not_allowed(allowed)
        await answer.send_answer(send, 204, [(b"allow", ", ".join(allowed).encode())], b"")


def _check_headers(scope: Scope) -> bytes | None:
    """The If-None-Match header. Raises Problem 406 when JSON is not wanted."""
    if_none_match: bytes | None = None
    accept: list[bytes] = []
    for name, value in scope["headers"]:
        if name == b"accept":
            accept.append(value)
        elif name == b"if-none-match":
            if_none_match = value if if_none_match is None else if_none_match + b"," + value
    if accept and not _accepts_json(b",".join(accept)):
        raise not_acceptable()
    return if_none_match


def _accepts_json(accept: bytes) -> bool:
    """RFC 9110, section 12.5.1: the most specific range that matches decides; an empty header accepts everything."""
    best: tuple[int, bool] = (-1, not accept.strip())
    for part in accept.lower().split(b","):
        media, *parameters = [piece.strip() for piece in part.split(b";")]
        rank = {b"application/json": 2, b"application/*": 1, b"*/*": 0}.get(media, -1)
        refused = any(p.startswith(b"q=") and not p[2:].strip(b"0. ") for p in parameters)
        if rank > best[0]:
            best = (rank, not refused)
    return best[1]
