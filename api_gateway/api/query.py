"""A query string as decoded pairs, and the bounds of everything that a request may ask for."""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

from api_gateway.api.problems import bad_request, query_too_long
from api_gateway.errors import FieldError

DEFAULT_LIMIT, MAX_LIMIT = 50, 200
MAX_QUERY_BYTES = 16384
MAX_PARAMETERS = 300
MAX_IN = 128
MAX_SORTS = 8
MAX_CONDITIONS = 64
MAX_NESTING = 4
MAX_PATTERN = 200

_PERCENT = re.compile(rb"%(?![0-9A-Fa-f]{2})")

Pairs = list[tuple[str, str]]


def query_pairs(query: bytes) -> Pairs:
    """The decoded parameters in order. Raises Problem for what is too long, no UTF-8, or holds a NUL."""
    if len(query) > MAX_QUERY_BYTES:
        raise query_too_long(MAX_QUERY_BYTES)
    parts = [part for part in query.split(b"&") if part]
    if len(parts) > MAX_PARAMETERS:
        raise bad_request([FieldError("too_many", f"At most {MAX_PARAMETERS} parameters.")])
    return [(_decoded(name), _decoded(value)) for name, _, value in (part.partition(b"=") for part in parts)]


def _decoded(raw: bytes) -> str:
    text = decoded_text(raw.replace(b"+", b" "))
    if text is None:
        raise bad_request([FieldError("encoding", "A parameter is not UTF-8, percent-encoded, without NUL.")])
    return text


def decoded_text(raw: bytes) -> str | None:
    """Percent-encoded UTF-8 without NUL, else None."""
    if _PERCENT.search(raw):
        return None
    try:
        text = unquote_to_bytes(raw).decode("utf-8")
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text
