"""What nobody expected is answered with the headers that every answer carries: of limits, and of what retires."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api_gateway.api.problems import internal, note, rendered


class Failing:
    """ASGI middleware around what answers. The exception goes on, to whoever writes it down."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        has_begun = False

        async def noticing(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._app(scope, receive, noticing)
        except Exception:
            if scope["type"] == "http" and not has_begun:
                problem = internal()
                note(problem, scope)
                await rendered(problem, scope)(scope, receive, send)
            raise
