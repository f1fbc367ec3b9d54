"""The version of the API where an address names none: that to which the caller's register entry is pinned.

`/api/orders` of a consumer pinned to v1 is `/api/v1/orders`. For anybody else it stays an address that is not there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from starlette.types import ASGIApp, Receive, Scope, Send

from api_gateway.api.authentication import Keys, key_of
from api_gateway.errors import Problem


class Pinned:
    """ASGI middleware, before anything looks at the path.

    prefix    `/api`
    versions  those that are served: a consumer pinned to another one has none
    own       first steps below the prefix that are no resources: `docs`, `auth`
    """

    def __init__(
        self,
        app: ASGIApp,
        prefix: str,
        versions: Collection[str],
        own: Collection[str],
        keys: Callable[[], Keys],
    ) -> None:
        self._app, self._keys = app, keys
        self._below = f"{prefix}/"
        self._versions = frozenset(versions)
        self._known = {*versions, *own, ""}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket") and scope["path"].startswith(self._below):
            step = scope["path"][len(self._below) :].partition("/")[0]
            if step not in self._known and (version := self._version(scope)) is not None:
                scope = self._with(scope, version)
        await self._app(scope, receive, send)

    def _version(self, scope: Scope) -> str | None:
        try:
            key = key_of(scope["headers"])
        except Problem:  # told by whatever needs to know who calls
            return None
        consumer = self._keys().by_key(key) if key is not None else None
        version = consumer.version if consumer is not None else None
        return version if version in self._versions else None

    def _with(self, scope: Scope, version: str) -> Scope:
        below = len(self._below)
        changed = {**scope, "path": f"{self._below}{version}/{scope['path'][below:]}"}
        if (scope.get("raw_path") or b"").startswith(self._below.encode()):
            changed["raw_path"] = self._below.encode() + version.encode() + b"/" + scope["raw_path"][below:]
        return changed
