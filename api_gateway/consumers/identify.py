"""Who is calling, told from the bytes of a request. Pure, given a Register.

A request may name its caller in the way its route's legacy protocol does, and by an API key besides. Whoever could be
two is nobody we act on: the answer is then *ambiguous*, which always means legacy. So is a name given twice with
different values, even when we know only one of them, because legacy may believe the other; and so is a spelling that
some legacy apps read and others do not (`TOKEN=`, `x_partner_token:`, a form that calls itself text/plain).

Whoever brings a legacy credential that the register does not know is *unknown*: legacy may well accept it, as a name in
lower case, with blanks around it, or given out yesterday. That too is legacy's to answer.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast
from urllib.parse import unquote_to_bytes

from python_multipart import MultipartParser
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import parse_options_header

from api_gateway.consumers.certificates import certificate_parts
from api_gateway.consumers.register import CredentialKind, Register
from api_gateway.routes import BasicAuth, ClientCertificate, FormToken, HeaderToken, PathToken, QueryToken, Route

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

Headers = Iterable[tuple[bytes, bytes]]

LONGEST_SECRET = 4096


@dataclass(frozen=True, slots=True)
class Identification:
    """Who calls. `consumer` is None when nobody was named.

    ambiguous  two credentials disagree, or legacy may read another one than we do
    unknown    the legacy protocol carries a credential, of nobody here
    """

    consumer: str | None = None
    ambiguous: bool = False
    unknown: bool = False


NOBODY = Identification()
AMBIGUOUS = Identification(ambiguous=True)
UNKNOWN = Identification(unknown=True)


class Unreadable(Exception):
    """The place where the caller is named cannot be read as legacy might read it."""


def names_consumer_in_body(route: Route) -> bool:
    """True when the caller cannot be known before the body has been read."""
    return isinstance(route.consumer, FormToken)


def identify(
    register: Register,
    route: Route,
    *,
    headers: Headers,
    path: bytes = b"",
    query: bytes = b"",
    body: bytes | None = None,
) -> Identification:
    """Who is calling `route`.

    path, query   as on the wire, undecoded. `headers` as ASGI has them; names in any case.
    body          whole, or None when it was not read; needed only where `names_consumer_in_body`.
    """
    headers = tuple((name.lower(), value) for name, value in headers)
    named: set[str] = set()
    unknown = False
    try:
        for kind, secrets in _secrets(route, headers, path, query, body):
            if len(set(secrets)) > 1:
                return AMBIGUOUS
            found = [register.by_credential(kind, secret) for secret in secrets if len(secret) <= LONGEST_SECRET]
            # A test key is the typed API's: on a legacy endpoint it names nobody, since nothing there could be undone.
            named |= {consumer.code for consumer in found if consumer is not None and not consumer.is_test}
            # Legacy knows nothing of API keys: one that is wrong tells nothing about whom legacy would see.
            unknown |= kind != "api_key" and any(secrets) and not any(found)
    except Unreadable:
        return AMBIGUOUS
    if len(named) > 1 or (named and unknown):
        return AMBIGUOUS
    return Identification(named.pop()) if named else UNKNOWN if unknown else NOBODY


def _secrets(
    route: Route, headers: Sequence[tuple[bytes, bytes]], path: bytes, query: bytes, body: bytes | None
) -> Iterable[tuple[CredentialKind, list[bytes]]]:
    yield "api_key", api_keys(headers)
    match route.consumer:
        case QueryToken(name):
            yield "query", _urlencoded(query, name.encode())
        case FormToken(name):
            yield "form", form_values(headers, body or b"", name.encode())
        case HeaderToken(name):
            yield "header", _spelled(headers, name.lower().encode())
        case ClientCertificate(header, part):
            stated = _spelled(headers, header.lower().encode())
            yield "certificate", stated if part is None else [certificate_parts(value, part) for value in stated]
        case BasicAuth():
            yield "basic", _authorization(headers, b"basic", _basic)
        case PathToken(name):
            yield "path", [_segment(route.path, name, path)]
        case None:
            return


def api_keys(headers: Sequence[tuple[bytes, bytes]]) -> list[bytes]:
    """Every API key in the head (names in lower case): `Authorization: Bearer …` (RFC 6750) and `X-API-Key: …`."""
    return _authorization(headers, b"bearer", lambda value: value) + _values(headers, b"x-api-key")


def _values(headers: Sequence[tuple[bytes, bytes]], wanted: bytes) -> list[bytes]:
    return [value.strip(b" \t") for name, value in headers if name == wanted]


def _spelled(headers: Sequence[tuple[bytes, bytes]], wanted: bytes) -> list[bytes]:
    """The values of a header. Raises Unreadable for one that some servers fold to the same name: `x_partner_token`."""
    if any(name != wanted and name.replace(b"_", b"-") == wanted.replace(b"_", b"-") for name, _ in headers):
        raise Unreadable
    return _values(headers, wanted)


def _authorization(
    headers: Sequence[tuple[bytes, bytes]], scheme: bytes, read: Callable[[bytes], bytes]
) -> list[bytes]:
    parts = (value.split(None, 1) for value in _values(headers, b"authorization"))
    return [read(part[1].strip()) for part in parts if len(part) == 2 and part[0].lower() == scheme]


def _basic(value: bytes) -> bytes:
    """`user:password`, hashed together: one partner's name with another's password is nobody."""
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error:
        raise Unreadable from None  # there are decoders that read it all the same


def _urlencoded(text: bytes, wanted: bytes) -> list[bytes]:
    """Raises Unreadable for a name that legacy apps read differently: ` token`, `TOKEN`, `token[]`, `a=1;token=`."""
    pairs = [part.partition(b"=") for part in text.split(b"&")]
    found = [(_plain(name), value) for name, _, value in pairs]
    if any(name != wanted and _folded(name) == wanted.lower() for name, _ in found) or _is_hidden(text, wanted):
        raise Unreadable
    return [_plain(value) for name, value in found if name == wanted]


def _folded(name: bytes) -> bytes:
    return name.replace(b"\0", b"").strip().removesuffix(b"[]").lower()


def _is_hidden(text: bytes, wanted: bytes) -> bool:
    """Behind a semicolon, which separates fields for some readers (HTML 4.01, appendix B.2.2)."""
    parts = [part for field in text.split(b"&") for part in field.split(b";")[1:]]
    return any(b"=" in part and _folded(_plain(part.partition(b"=")[0])) == wanted.lower() for part in parts)


def _plain(text: bytes) -> bytes:
    return unquote_to_bytes(text.replace(b"+", b" "))


def form_values(headers: Sequence[tuple[bytes, bytes]], body: bytes, wanted: bytes) -> list[bytes]:
    """The values of a form field. A form that does not say what it is, as old programs send it, is urlencoded.

    Raises Unreadable for a body that calls itself something else, or is packed: legacy may read a form in it.
    """
    stated = _values(headers, b"content-type")
    media_type, parameters = parse_options_header(next(iter(stated), b""))
    if not body:
        return []
    if len(set(stated)) > 1 or any(value.lower() != b"identity" for value in _values(headers, b"content-encoding")):
        raise Unreadable
    if media_type in (b"", b"application/x-www-form-urlencoded"):
        return _urlencoded(body, wanted)
    if media_type == b"multipart/form-data":
        return _multipart(body, parameters.get(b"boundary", b""), wanted)
    raise Unreadable


def _multipart(body: bytes, boundary: bytes, wanted: bytes) -> list[bytes]:
    """The values of a multipart field (RFC 7578). An uploaded file of that name is not one."""
    found: list[bytes] = []
    head = {"name": b"", "value": b"", "disposition": b""}
    value: bytearray | None = None

    def header_field(data: bytes, start: int, end: int) -> None:
        head["name"] += data[start:end]

    def header_value(data: bytes, start: int, end: int) -> None:
        head["value"] += data[start:end]

    def header_end() -> None:
        if head["name"].lower() == b"content-disposition":
            head["disposition"] = head["value"]
        head["name"] = head["value"] = b""

    def headers_finished() -> None:
        nonlocal value
        _, options = parse_options_header(head["disposition"])
        value = bytearray() if options.get(b"name") == wanted and b"filename" not in options else None
        head["disposition"] = b""

    def part_data(data: bytes, start: int, end: int) -> None:
        if value is not None and len(value) <= LONGEST_SECRET:
            value.extend(data[start:end])

    def part_end() -> None:
        if value is not None:
            found.append(bytes(value))

    callbacks = {
        "on_header_field": header_field,
        "on_header_value": header_value,
        "on_header_end": header_end,
        "on_headers_finished": headers_finished,
        "on_part_data": part_data,
        "on_part_end": part_end,
    }
    if not boundary:
        raise Unreadable
    try:
        parser = MultipartParser(boundary, cast("MultipartCallbacks", callbacks))
        parser.write(body)
        parser.finalize()
    except MultipartParseError as error:
        raise Unreadable from error
    return found


def _segment(template: str, name: str, path: bytes) -> bytes:
    """What stands in `path` where the route's template has `{name}`. A path spelled otherwise is unreadable."""
    pieces = re.split(r"(\{[^}]*\})", template)
    pattern = "".join(
        re.escape(piece) if not piece.startswith("{") else "([^/]+)" if piece == f"{{{name}}}" else "[^/]+"
        for piece in pieces
    )
    match = re.fullmatch(pattern.encode(), unquote_to_bytes(path))
    if match is None:
        raise Unreadable
    return match[1]
