"""What is known to be wrong with a body before any handler sees it: too large, another media type, no JSON, no text."""

from __future__ import annotations

import json
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api_gateway.api.problems import bad_request, invalid_body, of_status, rendered, unsupported_media_type
from api_gateway.errors import FieldError


class BodyLimit:
    """Middleware: a body of more than `limit` bytes is refused with 413, announced or not, before it is all read."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app, self._limit = app, limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if len(announced) > 18 or int(announced) > self._limit:
            await rendered(of_status(413))(scope, receive, send)
            return
        got = 0

        async def counted() -> Message:
            nonlocal got
            message = await receive()
            got += len(message.get("body", b""))
            if got > self._limit:
                raise HTTPException(413)
            return message

        await self._app(scope, counted, send)


async def check_json(request: Request) -> None:
    """Raises Problem: 415 for another media type, 400 for what is no JSON, 422 for text that cannot be stored.

    What was parsed here is not parsed again. An empty body is the handler's business.
    """
    body = await request.body()
    if not body:
        return
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != "application/json" and not (media.startswith("application/") and media.endswith("+json")):
        raise unsupported_media_type("application/json")
    try:
        document = await request.json()
    except RecursionError:
        raise bad_request([FieldError("json_invalid", "It is nested too deep.", pointer="")]) from None
    except json.JSONDecodeError as error:
        raise bad_request(
            [FieldError("json_invalid", f"No JSON at byte {error.pos}: {error.msg}.", pointer="")]
        ) from None
    except ValueError:  # no UTF-8, or a number of thousands of digits
        raise bad_request([FieldError("json_invalid", "It is no JSON that can be read.", pointer="")]) from None
    if b"\\u" in body:
        pointers = list(_unstorable(document, ""))
        if pointers:
            detail = "NUL characters and halves of surrogate pairs cannot be stored."
            raise invalid_body([FieldError("unstorable_text", detail, pointer=pointer) for pointer in pointers[:20]])


def _unstorable(value: Any, pointer: str) -> list[str]:
    if isinstance(value, str):
        return [] if _is_storable(value) else [pointer]
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = []
    for name, part in pairs:
        if isinstance(name, str) and not _is_storable(name):
            return [pointer]
        found += _unstorable(part, f"{pointer}/{str(name).replace('~', '~0').replace('/', '~1')}")
    return found


def _is_storable(text: str) -> bool:
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)
