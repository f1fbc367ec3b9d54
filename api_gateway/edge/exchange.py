"""An exchange: a request and its legacy answer, as the edge copied them. Assembled from the pieces Envoy sends.

Pure: no network, no clock of its own. The pieces are those of Envoy's external processing protocol
(`envoy/service/ext_proc/v3`), reduced to what matters here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

Headers = tuple[tuple[bytes, bytes], ...]

UNLISTED = "unlisted"  # why an exchange is copied that belongs to no route

BODY_LIMIT = 2 * 1024 * 1024  # bytes kept of either body; beyond that the exchange is truncated


class Copy(StrEnum):
    """How much of an exchange the edge copies."""

    head = "head"  # both heads: enough to count a call
    form = "form"  # and the request's body: the consumer, or the route, is named in a form field
    whole = "whole"  # and the answer's body: enough to compare


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request that legacy answered, and its answer.

    route_name        the route, or, where `why` is set, the routes it may be, separated by commas ("" for any)
    why               "" for an exact match; `form`, `query`, `spelling`, `climbs`: see `table`; UNLISTED
    copied            how much was asked for; bodies that were not asked for are empty
    declined          True when it came back from a gateway (declined, or no gateway was there)
    target            as the client sent it, latin-1
    *_headers         as in ASGI: lower-case names, latin-1 bytes; `host` included, pseudo headers not
    status            0 when no answer came
    complete          both sides ended as they should and nothing was cut; only then is a comparison conclusive
    truncated         a body was longer than the limit, and is cut there
    source_address    the peer's address, without its port
    started, finished monotonic seconds of this process, when the first and the last piece arrived
    """

    route_name: str
    why: str
    copied: Copy
    declined: bool
    method: str
    target: str
    request_headers: Headers
    request_body: bytes
    status: int
    response_headers: Headers
    response_body: bytes
    complete: bool
    truncated: bool
    source_address: str
    started: float
    finished: float


@dataclass(slots=True)
class _Side:
    """One direction: a head, then a body up to the limit."""

    headers: Headers = ()
    pseudo: dict[bytes, bytes] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)
    has_head: bool = False
    ended: bool = False
    truncated: bool = False

    def head(self, headers: Headers, *, end: bool) -> None:
        self.pseudo = {name: value for name, value in headers if name.startswith(b":")}
        host = ((b"host", self.pseudo[b":authority"]),) if b":authority" in self.pseudo else ()
        self.headers = host + tuple(pair for pair in headers if not pair[0].startswith(b":"))
        self.has_head, self.ended = True, end

    def piece(self, data: bytes, *, end: bool, limit: int) -> None:
        room = limit - len(self.body)
        self.body += data[:room]
        self.truncated = self.truncated or len(data) > room
        self.ended = end


@dataclass(slots=True)
class Assembly:
    """An exchange in the making. Feed the pieces in the order they came; ask `is_finished` after each."""

    route_name: str
    why: str
    copied: Copy
    started: float
    limit: int = BODY_LIMIT
    source_address: str = ""
    declined: bool = False
    request: _Side = field(default_factory=_Side)
    response: _Side = field(default_factory=_Side)

    def request_head(self, headers: Headers, *, end: bool) -> None:
        """A request that comes back from a gateway carries what the edge's first listener found out in its head."""
        self.request.head(headers, end=end)
        for name, value in headers:
            if name == b"x-banyan-route":
                self.route_name, self.declined = value.decode("latin-1"), True
            elif name == b"x-banyan-why":
                self.why = value.decode("latin-1")
            elif name == b"x-forwarded-for" and self.declined:
                self.source_address = value.decode("latin-1").rpartition(",")[2].strip()
        self.request.headers = tuple(pair for pair in self.request.headers if not pair[0].startswith(b"x-banyan-"))

    def request_piece(self, data: bytes, *, end: bool) -> None:
        self.request.piece(data, end=end, limit=self.limit)

    def response_head(self, headers: Headers, *, end: bool) -> None:
        self.response.head(headers, end=end)

    def response_piece(self, data: bytes, *, end: bool) -> None:
        self.response.piece(data, end=end, limit=self.limit)

    @property
    def is_finished(self) -> bool:
        """Nothing more will come, or nothing more is wanted: an answer longer than the limit need not be read on."""
        if self.copied is Copy.head:
            return self.request.has_head and self.response.has_head
        if self.copied is Copy.form:
            return self.request.ended and self.response.has_head
        return (self.response.has_head and self.response.ended) or self.response.truncated

    def exchange(self, finished: float) -> Exchange:
        """What arrived so far, as a value."""
        truncated = self.request.truncated or self.response.truncated
        ends = {
            Copy.head: self.response.has_head,
            Copy.form: self.request.ended and self.response.has_head,
            Copy.whole: self.request.ended and self.response.ended,
        }
        return Exchange(
            route_name=self.route_name,
            why=self.why,
            copied=self.copied,
            declined=self.declined,
            method=self.request.pseudo.get(b":method", b"").decode("latin-1"),
            target=self.request.pseudo.get(b":path", b"").decode("latin-1"),
            request_headers=self.request.headers,
            request_body=bytes(self.request.body),
            status=int(self.response.pseudo.get(b":status", b"0")),
            response_headers=self.response.headers,
            response_body=bytes(self.response.body),
            complete=self.request.has_head and ends[self.copied] and not truncated,
            truncated=truncated,
            source_address=self.source_address,
            started=self.started,
            finished=finished,
        )
