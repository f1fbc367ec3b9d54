"""The junction of the resources: one route for all of them, which finds the resource, the method and who answers.

Handlers plug in as a Method each (`calls`): reading, writing, exports know nothing of each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import get_args

from starlette.datastructures import URLPath
from starlette.routing import BaseRoute, Match, NoMatchFound
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api_gateway.api import problems
from api_gateway.api.answer import send_answer
from api_gateway.api.calls import Call, Method, Place, Whole, wholes
from api_gateway.api.query import decoded_text
from api_gateway.errors import Problem
from shared_models.faults import DatabaseFault
from shared_models.resources import Resources


class Straight:
    """Middleware, the innermost: what a resource answers goes there past FastAPI's own layers, which cost more."""

    def __init__(self, app: ASGIApp, routes: Iterable[ResourceRoute]) -> None:
        self._app, self._routes = app, tuple(routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        for route in self._routes:
            if route.answers(scope):
                await route.handle(scope, receive, send)
                return
        await self._app(scope, receive, send)


class ResourceRoute(BaseRoute):
    """`prefix` is `/api/v1/`. `others`: methods that operations answer at a path below the prefix (`orders`: POST)."""

    def __init__(
        self, prefix: str, resources: Resources, methods: Iterable[Method], others: Callable[[str], tuple[str, ...]]
    ) -> None:
        self.prefix, self._raw_prefix = prefix, prefix.encode()
        self._resources, self._methods, self._others = resources, tuple(methods), others
        self._wholes = {f"{path}:{word}": (r, word) for path, r in resources.by_path.items() for word in wholes(r)}
        self._unavailable = {f"{path}{below}" for path in resources.unavailable for below in ("", *_BELOW)}
        self._served = frozenset(resources.by_path) | frozenset(self._wholes) | self._unavailable
        self._plain = {path.encode(): resource for path, resource in resources.by_path.items()}
        self._handlers: dict[tuple[str, Place], list[Method]] = {}
        for method in self._methods:
            self._handlers.setdefault((method.name, method.place), []).append(method)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Everything under a resource's path, except what an operation answers."""
        return (Match.FULL if self.answers(scope) else Match.NONE), {}

    def answers(self, scope: Scope) -> bool:
        """Whether it is this route's, and nobody else's."""
        if scope["type"] != "http" or not scope["path"].startswith(self.prefix):
            return False
        path: str = scope["path"]
        below = path[len(self.prefix) :]
        if below.partition("/")[0] not in self._served:
            return False
        others = self._others(below)
        # `orders/4711/cancellation` is no row's
        return scope["method"] not in others and not (others and below.count("/") > 1)

    def url_path_for(self, name: str, /, **path_params: object) -> URLPath:
        raise NoMatchFound(name, path_params)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        to = _without_body(send) if scope["method"] == "HEAD" else send
        try:
            await self._answer(scope, receive, to)
        except Problem as problem:
            problems.note(problem, scope)
            await problems.rendered(problem, scope)(scope, receive, to)
        except DatabaseFault as fault:
            told = problems.of_fault(fault)
            problems.note(told, scope)
            await problems.rendered(told, scope)(scope, receive, to)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        call = self._call(scope, receive)
        method = "GET" if call.method == "HEAD" else call.method
        for declared in self._handlers.get((method, call.place), ()):
            if declared.verb in call.resource.verbs:
                if declared.verb in call.resource.stopped:
                    raise problems.out_of_service()
                await declared.handler(call, send)
                return
        allowed = self._allowed(call)
        if allowed == ("OPTIONS",):
            raise problems.not_found()
        if method != "OPTIONS":
            raise problems.method_not_allowed(allowed)
        await send_answer(send, 204, [(b"allow", ", ".join(allowed).encode())], b"")

    def _call(self, scope: Scope, receive: Receive) -> Call:
        """Raises Problem: 404, or 503 for a resource that is out of service."""
        raw: bytes = scope.get("raw_path") or scope["path"].encode()
        name, slash, key = raw[len(self._raw_prefix) :].partition(b"/")
        plain = self._plain.get(name)  # as nearly everybody writes it
        if plain is not None and (key or not slash):
            return Call(plain, self.prefix + name.decode(), key if slash else None, scope, receive)
        path = decoded_text(name) or ""
        if path in self._unavailable:
            raise problems.out_of_service()
        resource = self._resources.by_path.get(path)
        if resource is None and not slash and (found := self._wholes.get(path)) is not None:
            return Call(found[0], f"{self.prefix}{found[0].path}", None, scope, receive, found[1])
        if resource is None or (slash and not key):
            raise problems.not_found()
        return Call(resource, self.prefix + path, key if slash else None, scope, receive)

    def _allowed(self, call: Call) -> tuple[str, ...]:
        verbs = call.resource.verbs
        served = [method.name for method in self._methods if method.place == call.place and method.verb in verbs]
        reading = ("GET", "HEAD") if "GET" in served else ()
        below = call.path[len(self.prefix) :] + ("" if call.key is None else "/" + call.key.decode("latin-1"))
        below += "" if call.whole is None else f":{call.whole}"
        others = [*(name for name in served if name != "GET"), *self._others(below)]
        return tuple(dict.fromkeys((*reading, *others, "OPTIONS")))


_BELOW = tuple(f":{word}" for word in get_args(Whole))


def _without_body(send: Send) -> Send:
    """HEAD is GET with the same headers and no body (RFC 9110, section 9.3.2)."""

    async def only_head(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return only_head
