"""From rows of PostgreSQL's text to the bytes of an answer. Nothing is parsed and nothing is built twice."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.types import Send

from api_gateway.api.cursors import Cursors, Position
from api_gateway.api.etag import is_known, tag_of
from api_gateway.api.request import Reading
from api_gateway.api.select import COUNTED
from api_gateway.api.shapes import GetShape
from shared_models.database import Cells

Head = list[tuple[bytes, bytes]]

_COMMON: Head = [
    (b"content-type", b"application/json"),
    (b"cache-control", b"private, no-cache"),
    (b"vary", b"Authorization, Cookie, X-API-Key, Accept, Prefer"),
]


def document(row: Cells, reading: Reading, if_none_match: str | None) -> tuple[int, Head, bytes]:
    """One row, or 304 when the caller has it."""
    assert isinstance(reading.shape, GetShape)  # noqa: S101 - one row was asked for
    body, tag = tagged(row, reading.shape)
    head = [*_COMMON, (b"etag", tag)]
    if if_none_match is not None and is_known(if_none_match.encode("latin-1"), tag):
        return 304, [pair for pair in head if pair[0] != b"content-type"], b""
    return 200, head, body


def tagged(row: Cells, shape: GetShape) -> tuple[bytes, bytes]:
    """The document of one row and its tag, from the cells that a GetShape's statement gives."""
    shown, *rest = [cell or b"{}" for cell in row]
    included = rest.pop() if shape.include else None
    tag = tag_of(rest[0] if shape.fields else shown, included)
    return (shown if included is None else shown[:-1] + b"," + included[1:]), tag


def page(
    rows: list[Cells], count: int | None, reading: Reading, path: str, cursors: Cursors
) -> tuple[int, Head, bytes]:
    """`{"data":[…],"next_cursor":…}`; the next page is in the Link header too (RFC 8288)."""
    shown = rows[: reading.limit]
    token = cursors.write(_position(shown, reading), reading.context) if len(rows) > reading.limit else None
    cursor = b'"' + token.encode() + b'"' if token is not None else b"null"
    documents = b",".join([row[0] or b"null" for row in shown])
    body = b'{"data":[' + documents + b'],"next_cursor":' + cursor + _total(count, reading) + b"}"
    return 200, [*_COMMON, *_link(reading, path, token)], body


def groups(rows: list[Cells]) -> tuple[int, Head, bytes]:
    """`{"data":[…]}`"""
    return 200, _COMMON, b'{"data":[' + b",".join([row[0] or b"null" for row in rows]) + b"]}"


def _total(count: int | None, reading: Reading) -> bytes:
    if count is None or reading.counting is None:
        return b""
    exact = reading.counting.exact or count <= COUNTED
    return b',"total":%d,"total_exact":%s' % (count if exact else COUNTED, b"true" if exact else b"false")


def _position(shown: list[Cells], reading: Reading) -> Position:
    last = shown[-1][1:]
    values = tuple(None if cell is None else cell.decode() for cell in last)
    if reading.resource.key:
        return Position(values)
    equal = 0
    while equal < len(shown) and shown[-1 - equal][1:] == last:
        equal += 1
    before = tuple(reading.values.get(f"k{n}") for n in range(len(values)))
    skipped = int(reading.values.get("skip") or 0) if equal == len(shown) and before == values else 0
    return Position(values, equal + skipped)


def _link(reading: Reading, path: str, token: str | None) -> Iterable[tuple[bytes, bytes]]:
    if token is None:
        return ()
    query = f"{reading.again}&cursor={token}" if reading.again else f"cursor={token}"
    return ((b"link", f'<{path}?{query}>; rel="next"'.encode()),)


async def send_answer(send: Send, status: int, head: Head, body: bytes) -> None:
    sized = head if status == 304 else [*head, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": sized})
    await send({"type": "http.response.body", "body": body})
