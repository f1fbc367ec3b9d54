"""Which frontends of other origins may call the API from a browser (Fetch standard, "CORS protocol").

Only paths of the API: what the legacy app answers is never touched. Around everything, so that a frontend can read why
it was refused, a crash included.
"""

from __future__ import annotations

from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from api_gateway.api.problems import rendered
from api_gateway.errors import Problem
from api_gateway.identities import Cors
from api_gateway.project import Api

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
SENT = (
    "Accept",
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "Prefer",
    "traceparent",
    "tracestate",
    "X-API-Key",
    "X-Request-Id",
)
SHOWN = (
    "Allow",
    "Deprecation",
    "Dry-Run",
    "ETag",
    "Idempotency-Replayed",
    "Link",
    "Location",
    "Preference-Applied",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "Server-Timing",
    "Sunset",
    "WWW-Authenticate",
    "X-Request-Id",
)


class ApiCors(CORSMiddleware):
    """Starlette's own, on paths below the API's prefix, and refusing as everything here refuses."""

    def __init__(self, app: ASGIApp, settings: Cors, api: Api) -> None:
        super().__init__(
            app,
            allow_origins=settings.origins,
            allow_methods=METHODS,
            allow_headers=SENT,
            allow_credentials=settings.credentials,
            expose_headers=SHOWN,
            max_age=settings.max_age,
        )
        self._app, self._below, self._types = app, api.prefix + "/", api.problem_types

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_ours = scope["type"] == "http" and scope["path"].startswith(self._below)
        await (super().__call__(scope, receive, send) if is_ours else self._app(scope, receive, send))

    def preflight_response(self, request_headers: Headers) -> Response:
        answer = super().preflight_response(request_headers)
        if answer.status_code == 200:
            return Response(status_code=204, headers=_without(answer, "content-length", "content-type"))
        is_known = self.is_allowed_origin(request_headers["origin"])
        what = "The method or a header is not for other origins." if is_known else "The origin is not on the list."
        kept = _without(answer, "content-length", "content-type")
        problem = Problem(403, "origin_not_allowed", "A page of this origin may not ask this.", what, headers=kept)
        return rendered(problem, {"state": {"problem_types": self._types}})


def install(app: FastAPI, settings: Cors, api: Api) -> None:
    """Around the whole middleware stack, the answer to a crash included. Nothing where no origin is listed."""
    if not settings.origins:
        return
    inside = app.build_middleware_stack
    app.build_middleware_stack = lambda: ApiCors(inside(), settings, api)  # type: ignore[method-assign]  # Starlette has no other place that is outside its error handler


def _without(answer: Response, *names: str) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name not in names}
