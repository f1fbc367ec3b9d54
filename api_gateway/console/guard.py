"""What holds for every answer and every request of the console, whatever page it is."""

from __future__ import annotations

import traceback
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api_gateway.events import RequestFailed
from api_gateway.logging import report

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    # not no-referrer: it would turn the Origin of our own forms into null
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
}
_SAFE = frozenset({"GET", "HEAD"})


class Guard:
    """Sets the headers above, and refuses to change anything on behalf of another site."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(_HEADERS)
                headers.setdefault("Cache-Control", "no-cache" if scope["path"].startswith("/static/") else "no-store")
            await send(message)

        app = self._app if comes_from_here(scope["method"], Headers(scope=scope)) else _refusal
        try:
            await app(scope, receive, send_guarded)
        except Exception as error:  # noqa: BLE001 - it has been answered; its text may hold rows and is not logged
            report(RequestFailed(uuid4().hex, scope["method"], scope["path"], type(error).__name__, _place(error)))


def comes_from_here(method: str, headers: Headers) -> bool:
    """Whether a request was caused by one of our own pages, or changes nothing.

    The legacy app on the same host counts as the same *site*, and cookies know no ports: so the browser's word must be
    `same-origin`, and the Origin must be the very host and port that was asked.
    """
    if method in _SAFE:
        return True
    if headers.get("sec-fetch-site", "same-origin") != "same-origin":
        return False
    origin = urlsplit(headers.get("origin", ""))
    return origin.scheme in ("http", "https") and origin.netloc.lower() == headers.get("host", "").lower() != ""


def _place(error: Exception) -> str:
    """File and line of the innermost frame."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""


_refusal = PlainTextResponse("This request came from another site. Nothing was done.\n", 403)
