"""A browser cannot give a WebSocket a header: it offers its token as a protocol, `bearer.…`, beside `banyan.v1`."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

PROTOCOL = "banyan.v1"
_BEARER = "bearer."


class SocketTokens:
    """ASGI middleware: from here on such a token is what it would be in a request, `Authorization: Bearer …`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            tokens = [name.removeprefix(_BEARER) for name in scope["subprotocols"] if name.startswith(_BEARER)]
            named = [(b"authorization", f"Bearer {token}".encode()) for token in tokens]
            scope = {**scope, "headers": [*scope["headers"], *named]}
        await self._app(scope, receive, send)
