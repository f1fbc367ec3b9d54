"""The floor of an application: uvicorn and an ASGI callable that answers bytes it has already."""

from __future__ import annotations

import os
from typing import Any

BODY = b"x" * int(os.environ["BYTES"])
STATUS = int(os.environ["STATUS"])
HEAD = [(b"content-type", b"application/json"), (b"content-length", str(len(BODY)).encode())]


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        return
    if scope["method"] == "POST":
        await receive()
    await send({"type": "http.response.start", "status": STATUS, "headers": HEAD})
    await send({"type": "http.response.body", "body": BODY})
