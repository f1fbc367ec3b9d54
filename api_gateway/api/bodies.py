"""What is known to be wrong with a body before any handler sees it: too large, another media type, no JSON, no text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api_gateway.api.problems import (
    bad_request,
    invalid_body,
    of_status,
    rendered,
    unsupported_encoding,
    unsupported_media_type,
)
from api_gateway.errors import FieldError


class BodyLimit:
    """Middleware: a body of more than `limit` bytes is refused with 413, announced or not, before it is all read.

    uploads  operations that take files: method, path and a limit of their own

    A compressed body is refused with 415: nothing is inflated here, so nothing can burst.
    """

    def __init__(self, app: ASGIApp, limit: int, uploads: Sequence[tuple[str, re.Pattern[str], int]] = ()) -> None:
        self._app, self._limit, self._uploads = app, limit, uploads

    def _limit_of(self, scope: Scope) -> int:
        mine = (
            limit for method, path, limit in self._uploads if method == scope["method"] and path.match(scope["path"])
        )
        return next(mine, self._limit)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if any(name == b"content-encoding" and value.lower() != b"identity" for name, value in scope["headers"]):
            await rendered(unsupported_encoding(), scope)(scope, receive, send)
            return
        limit = self._limit_of(scope)
        announced = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if len(announced) > 18 or int(announced) > limit:
            await rendered(of_status(413), scope)(scope, receive, send)
            return
        got = 0

        async def counted() -> Message:
            nonlocal got
            message = await receive()
            got += len(message.get("body", b""))
            if got > limit:
                raise of_status(413)
            return message

        await self._app(scope, counted, send)


async def read_body(receive: Receive) -> bytes:
    """The whole body. Raises ClientDisconnect when the caller leaves in between."""
    parts = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


def exact_json(body: bytes) -> Any:
    """The document; numbers keep their digits: int, or Decimal where there is a point or an exponent.

    Raises Problem: 400 for what is no JSON (RFC 8259), 422 for text that cannot be stored.
    """
    with _json_faults():
        document = json.loads(
            body, parse_float=Decimal, parse_int=_whole, parse_constant=_no_constant, object_pairs_hook=_each_once
        )
    _refuse_unstorable(body, document)
    return document


def _whole(text: str) -> int | Decimal:
    return Decimal(text) if text == "-0" else int(text)


def _no_constant(name: str) -> Any:
    raise ValueError(name)


class _Repeated(ValueError):
    """One name stands twice in one object: readers differ on which of them counts (RFC 8259, section 4)."""


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _Repeated
    return found


@contextmanager
def _json_faults() -> Iterator[None]:
    """Raises Problem 400 for what is no JSON."""
    try:
        yield
    except RecursionError:
        raise bad_request([FieldError("json_invalid", "It is nested too deep.", pointer="")]) from None
    except json.JSONDecodeError as error:
        raise bad_request(
            [FieldError("json_invalid", f"No JSON at byte {error.pos}: {error.msg}.", pointer="")]
        ) from None
    except _Repeated:
        raise bad_request([FieldError("json_invalid", "A name stands twice in one object.", pointer="")]) from None
    except (ValueError, ArithmeticError):  # no UTF-8, or a number of thousands of digits
        raise bad_request([FieldError("json_invalid", "It is no JSON that can be read.", pointer="")]) from None


def _refuse_unstorable(body: bytes, document: Any) -> None:
    if b"\\u" in body:
        pointers = list(_unstorable(document, ""))
        if pointers:
            detail = "NUL characters and halves of surrogate pairs cannot be stored."
            raise invalid_body([FieldError("unstorable_text", detail, pointer=pointer) for pointer in pointers[:20]])


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
    with _json_faults():
        document = json.loads(body, parse_constant=_no_constant, object_pairs_hook=_each_once)
    request._json = document  # where Starlette's own request.json() keeps it, and FastAPI finds it
    _refuse_unstorable(body, document)


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
