"""One side's outcome, frozen the moment it exists."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

import brotli

MAX_CONTENT = 64 * 1024 * 1024


class Failure(StrEnum):
    """Why a side has no answer. Names of classes only: an exception's text may hold rows or secrets."""

    raised = "raised"
    timed_out = "timed out"
    hung = "hung"  # it did not even end when it was told to
    exited = "exited"
    too_large = "too large"
    incomplete = "incomplete"
    unavailable = "unavailable"
    drifted = "drifted"  # the database's schema, or what our role may do in it, is not what it was written for


@dataclass(frozen=True, slots=True)
class Observation:
    """What one side answered, or why it did not.

    status    HTTP status, None when there is no answer.
    headers   names in lower case, in the order they came, doubled ones kept.
    body      bytes as they travelled, still content-encoded.
    duration  seconds.
    failure   None for a complete answer; `detail` then names the class of the exception, never its text.
    """

    status: int | None
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    duration: float = 0.0
    failure: Failure | None = None
    detail: str = ""

    @classmethod
    def failed(cls, failure: Failure, detail: str = "", duration: float = 0.0) -> Observation:
        return cls(None, duration=duration, failure=failure, detail=detail)

    @classmethod
    def answer(
        cls, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes, duration: float = 0.0
    ) -> Observation:
        """From raw header pairs, as ASGI and the edge carry them (Latin-1, RFC 9110 section 5.5)."""
        pairs = tuple((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in headers)
        return cls(status, pairs, body, duration)

    def header(self, name: str) -> str | None:
        """Every value of `name`, joined by commas as RFC 9110 section 5.3 says; None when it is absent."""
        values = [value for key, value in self.headers if key == name]
        return ", ".join(values) if values else None

    @property
    def media_type(self) -> str:
        """`text/csv` of `Text/CSV; charset=latin-1`; empty when none was sent."""
        return (self.header("content-type") or "").partition(";")[0].strip().lower()

    def content(self) -> bytes:
        """The body without its content coding. Raises ValueError when that is broken or grows past MAX_CONTENT."""
        content = self.body
        codings = [coding.strip().lower() for coding in (self.header("content-encoding") or "").split(",")]
        for coding in reversed([coding for coding in codings if coding not in ("", "identity")]):
            content = _decode(content, coding)
        return content


def _decode(content: bytes, coding: str) -> bytes:
    if coding == "br":
        return _brotli(content)
    window = {"gzip": 31, "x-gzip": 31, "deflate": 15}.get(coding)
    if window is None:
        raise ValueError(f"unknown content coding {coding}")
    decoder = zlib.decompressobj(window)
    try:
        plain = decoder.decompress(content, MAX_CONTENT)
    except zlib.error as error:
        raise ValueError(f"broken {coding} content") from error
    if decoder.unconsumed_tail:
        raise ValueError(f"{coding} content of more than {MAX_CONTENT} bytes")
    if not decoder.eof:
        raise ValueError(f"cut {coding} content")
    return plain


def _brotli(content: bytes) -> bytes:
    decoder = brotli.Decompressor()
    try:
        plain = bytes(decoder.process(content, output_buffer_limit=MAX_CONTENT))
    except brotli.error as error:
        raise ValueError("broken br content") from error
    if not decoder.is_finished():
        raise ValueError(f"br content that is cut, or of more than {MAX_CONTENT} bytes")
    return plain
