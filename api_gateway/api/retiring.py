"""`Deprecation`, `Sunset` and `Link` on every answer of what will go: a version, a resource, an operation.

An ASGI middleware, and only there when something is deprecated at all.
"""

from __future__ import annotations

from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api_gateway.api.calls import wholes
from api_gateway.api.contract import Contract
from api_gateway.api.operations import Operation, operation_of
from shared_models.contract import Deprecated
from shared_models.resources import BoundResource

Pairs = tuple[tuple[bytes, bytes], ...]


class Lifecycles:
    """What of one version is deprecated. `successor`: the version that follows it; `prefix`: `/api`."""

    def __init__(self, version: Contract, successor: Contract | None, prefix: str) -> None:
        self._version, self._successor, self._prefix = version, successor, prefix

    def of_resource(self, resource: BoundResource) -> Deprecated | None:
        return self._of(resource.deprecated, resource.path)

    def of_operation(self, declared: Operation) -> Deprecated | None:
        return self._of(declared.deprecated, declared.path if "{" not in declared.path else None)

    def of_version(self) -> Deprecated | None:
        return self._of(None, None)

    def _of(self, own: Deprecated | None, path: str | None) -> Deprecated | None:
        found = self._version.deprecated if own is None else own.within(self._version.deprecated)
        return found.succeeded_by(self._path(path)) if found is not None else None

    def _path(self, path: str | None) -> str | None:
        """Where the next version has what is asked for here."""
        following = self._successor
        if following is None or path is None:
            return None
        known = {*following.resources.by_path, *(operation_of(handler).path for handler in following.operations)}
        return f"{self._prefix}/{following.version}/{path}" if path in known else None


def lifecycles(contract: Contract, prefix: str) -> dict[str, Lifecycles]:
    """By version. The successor of a version is the next one of `contract.in_order`."""
    order = contract.in_order
    following: list[Contract | None] = [*order[1:], None]
    return {
        version.version: Lifecycles(version, successor, prefix)
        for version, successor in zip(order, following, strict=True)
    }


def retiring_places(contract: Contract, prefix: str) -> dict[str, Pairs]:
    """The headers by the beginning of a path: of versions, and of resources that have others than their version."""
    found: dict[str, Pairs] = {}
    for name, of_version in lifecycles(contract, prefix).items():
        (version,) = (one for one in contract.versions if one.version == name)
        found[f"{prefix}/{name}"] = headers_of(of_version.of_version())
        for path, resource in version.resources.by_path.items():
            for place in (path, *(f"{path}:{word}" for word in wholes(resource))):
                found[f"{prefix}/{name}/{place}"] = headers_of(of_version.of_resource(resource))
        for handler in version.operations:
            declared = operation_of(handler)
            if declared.deprecated is not None:
                found.setdefault(f"{prefix}/{name}/{declared.path}", ())
    return found if any(found.values()) or _any_operation(contract) else {}


def _any_operation(contract: Contract) -> bool:
    return any(operation_of(handler).deprecated is not None for handler in contract.every_operation)


def headers_of(deprecated: Deprecated | None) -> Pairs:
    if deprecated is None:
        return ()
    return tuple((name.encode(), value.encode()) for name, value in deprecated.headers())


class Retiring:
    """`places`: the headers by the beginning of a path, `/api/v1/` or `/api/v1/orders`; the longest counts.

    An operation says its own in `scope["state"]["retiring"]`, since its path may be a pattern.
    """

    def __init__(self, app: ASGIApp, places: Mapping[str, Pairs]) -> None:
        self._app = app
        self._places = {place.rstrip("/"): pairs for place, pairs in places.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        pairs = self._pairs(scope["path"]) if scope["type"] == "http" else ()

        async def telling(message: Message) -> None:
            if message["type"] == "http.response.start":
                said = scope.get("state", {}).get("retiring", pairs)
                message["headers"] = [*message["headers"], *said]
            await send(message)

        await self._app(scope, receive, telling)

    def _pairs(self, path: str) -> Pairs:
        steps = path.split("/")
        for length in range(len(steps), 1, -1):
            found = self._places.get("/".join(steps[:length]))
            if found is not None:
                return found
        return ()
