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
MAX_EXPORTED = 10**15 - 1
MAX_SORTS = 8
MAX_GROUPED = 8
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
        beyond = _shown(parts[MAX_PARAMETERS].partition(b"=")[0])
        raise bad_request([FieldError("too_many", f"At most {MAX_PARAMETERS} parameters.", parameter=beyond)])
    raw = [(name, value) for name, _, value in (part.partition(b"=") for part in parts)]
    pairs = [(_decoded(name), _decoded(value)) for name, value in raw]
    known = [(name, value) for name, value in pairs if name is not None and value is not None]
    if len(known) < len(pairs):
        wrong = dict.fromkeys(_shown(raw[n][0]) for n, pair in enumerate(pairs) if None in pair)
        detail = "It is not UTF-8, percent-encoded, without NUL."
        raise bad_request([FieldError("encoding", detail, parameter=name) for name in wrong])
    return known


def _decoded(raw: bytes) -> str | None:
    return decoded_text(raw.replace(b"+", b" "))


def _shown(name: bytes) -> str:
    """A parameter's name as it can be told, whatever it is."""
    return unquote_to_bytes(name).decode("utf-8", "replace")


def decoded_text(raw: bytes) -> str | None:
    """Percent-encoded UTF-8 without NUL, else None."""
    if raw.isalnum():  # of ASCII: what it says is what it is
        return raw.decode()
    if _PERCENT.search(raw):
        return None
    try:
        text = unquote_to_bytes(raw).decode("utf-8")
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text
