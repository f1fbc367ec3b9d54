"""Rate limits around the whole API: `RateLimit` and `RateLimit-Policy` on answers, 429 when a bucket is empty.

The fields are those of draft-ietf-httpapi-ratelimit-headers-10.
"""

from __future__ import annotations

from functools import lru_cache

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api_gateway.api.authentication import principal_of
from api_gateway.api.problems import note, rate_limited, rendered
from api_gateway.errors import Problem
from api_gateway.limits import WINDOW, Limits, Verdict, client_address

Pair = tuple[bytes, bytes]


class Limited:
    """ASGI middleware. Every request counts, refused ones included, except those that are refused here."""

    def __init__(self, app: ASGIApp, limits: Limits, trusted_hops: int) -> None:
        self._app, self._limits, self._trusted_hops = app, limits, trusted_hops

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        kind, verdict = self._judge(scope)
        if verdict is None:
            await self._app(scope, receive, send)
            return
        pairs = limit_fields(kind, verdict)

        async def send_limits(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *pairs]
            await send(message)

        if verdict.wait:
            problem = rate_limited(verdict.wait)
            note(problem, scope)
            await rendered(problem, scope)(scope, receive, send_limits)
        else:
            await self._app(scope, receive, send_limits)

    def _judge(self, scope: Scope) -> tuple[bytes, Verdict | None]:
        try:
            principal = principal_of(scope)
        except Problem:  # told by whatever needs to know who calls; the API's own description does not
            return b"address", self._limits.of_address(self._address(scope))
        return b"consumer", self._limits.of_consumer(principal.code, principal.per_minute)

    def _address(self, scope: Scope) -> str:
        forwarded = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
        peer = scope.get("client") or ("", 0)
        return client_address(b",".join(forwarded), str(peer[0]), self._trusted_hops)


def limit_fields(kind: bytes, verdict: Verdict) -> tuple[Pair, Pair]:
    return (_policy(kind, verdict.quota), (b"ratelimit", b'"%b";r=%d;t=%d' % (kind, verdict.left, verdict.full)))


@lru_cache(maxsize=1000)
def _policy(kind: bytes, quota: int) -> Pair:
    return b"ratelimit-policy", b'"%b";q=%d;w=%d' % (kind, quota, WINDOW)
