"""A whole list as a file: every row, streamed as PostgreSQL writes it, in memory that does not grow.

An export has a connection of its own, and few run at a time; whoever goes away, or stops reading, gives it free. What
goes wrong before the first byte is a problem document; later the connection is cut, so that a file which ends is a file
which is whole.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator

from starlette.types import Message, Send

from api_gateway.api.accept import chosen
from api_gateway.api.answer import Head
from api_gateway.api.authentication import require_scope
from api_gateway.api.bad_values import refused
from api_gateway.api.calls import Call, Format, Method
from api_gateway.api.export_select import Export, Form
from api_gateway.api.prefer import applied
from api_gateway.api.problems import bad_request, not_acceptable, of_fault, unavailable
from api_gateway.api.query import decoded_text
from api_gateway.api.reader import Reader, database_of
from api_gateway.api.request import Reading, Understanding
from api_gateway.api.shapes import ListShape
from api_gateway.api.timing import Timing
from api_gateway.errors import FieldError
from shared_models.faults import BadValue, DatabaseBusy, DatabaseFault
from shared_models.resources import Resources

NDJSON, CSV = "application/x-ndjson", "text/csv"
STALLED_SECONDS = 30.0
"""For how long a client may take nothing of what is sent."""

BUSY_SECONDS = 5
"""When to ask again while as many files are written as may be."""

_TYPES: dict[Form, str] = {"ndjson": NDJSON, "csv": "text/csv; charset=utf-8; header=present"}
_FORMS: dict[str, Form] = {CSV: "csv", NDJSON: "ndjson"}
_LINE_ENDS: dict[Form, bytes] = {"ndjson": b"\n", "csv": b"\r\n"}


class ExportBroken(Exception):
    """The file cannot be finished; the client must see that."""


class ExportRoute:
    """`/orders:export`. `formats` are the same files where `Accept` wants them of `/orders` itself."""

    def __init__(self, resources: Resources, understanding: Understanding, reader: Reader) -> None:
        self._resources, self._understanding, self._reader = resources, understanding, reader

    @property
    def formats(self) -> tuple[Format, ...]:
        return tuple(Format(media, self._whole) for media in _FORMS)

    @property
    def methods(self) -> tuple[Method, ...]:
        return (Method("GET", "export", "list", self._whole),)

    async def _whole(self, call: Call, send: Send) -> None:
        require_scope(call.principal, call.resource.scope)
        media = chosen(call.header(b"accept"), tuple(_FORMS))
        if media is None:
            raise not_acceptable(_FORMS)
        await self._export(call, send, _FORMS[media])

    async def _export(self, call: Call, send: Send, form: Form) -> None:
        timed = Timing()
        query, limit = _without_limit(call.query)
        reading = self._understanding.of_list(call.resource, call.path, query, call.principal)
        try:
            sql = await self._admitted(call, reading, form, limit)
            if call.method == "HEAD":
                head = [*_head(call, form), *timed.headers()]
                await send({"type": "http.response.start", "status": 200, "headers": head})
                await send({"type": "http.response.body", "body": b""})
                return
            async with database_of(call).copied(sql, _LINE_ENDS[form]) as chunks:
                await _File(call, send, form, timed).stream(chunks)
        except DatabaseBusy:
            raise unavailable("database_busy", "Too many files at once.", BUSY_SECONDS) from None
        except BadValue:
            raise await refused(reading, database_of(call)) from None

    async def _admitted(self, call: Call, reading: Reading, form: Form, limit: str | None) -> bytes:
        """The COPY of a list of which a page would be given. Raises Problem.

        A file costs no more than all of its pages, so it is refused where the first of them would be.
        """
        assert isinstance(reading.shape, ListShape)  # noqa: S101 - it is what a list's request gives
        if reading.counting is not None:
            raise bad_request([FieldError("invalid_value", "A file has no total.", parameter="total")])
        await self._reader.admitted(call, reading.shape, reading)
        export = Export(call.resource, reading.shape, self._resources, limited=limit is not None)
        values = {**reading.values, "limit": limit}
        values |= {name: place.text(call.principal) for name, place in export.places.items()}
        return export.sql(form, values)


class _File:
    """One answer, sent as it comes."""

    def __init__(self, call: Call, send: Send, form: Form, timed: Timing) -> None:
        self._call, self._send, self._form, self._timed = call, send, form, timed

    async def stream(self, chunks: AsyncIterator[bytes]) -> None:
        """Nothing is sent before the first rows are there. Raises ExportBroken afterwards, before it DatabaseFault."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine runs in one
        gone = asyncio.create_task(self._gone())
        has_begun, is_watched = False, True

        def leave(_: object) -> None:
            if is_watched:
                task.cancel()

        gone.add_done_callback(leave)
        try:
            with self._timed.database():
                first = await anext(chunks, b"")
            await self._begin()
            has_begun = True
            await self._put(first)
            async for chunk in chunks:
                await self._put(chunk)
            is_watched = False
            await self._send({"type": "http.response.body", "body": b""})
        except asyncio.CancelledError:
            if not gone.done():
                raise
            task.uncancel()  # nobody is there any more to be answered
        except DatabaseFault as fault:
            if not has_begun:
                raise
            self._call.scope["state"]["problem"] = of_fault(fault).code
            raise ExportBroken(type(fault).__name__) from None
        finally:
            is_watched = False
            gone.cancel()

    async def _begin(self) -> None:
        head = [*_head(self._call, self._form), *self._timed.headers()]
        await self._send({"type": "http.response.start", "status": 200, "headers": head})

    async def _put(self, chunk: bytes) -> None:
        message: Message = {"type": "http.response.body", "body": chunk, "more_body": True}
        try:
            async with asyncio.timeout(STALLED_SECONDS):
                await self._send(message)
        except TimeoutError:
            raise ExportBroken("nobody reads") from None

    async def _gone(self) -> None:
        while (await self._call.receive())["type"] != "http.disconnect":
            pass


def _head(call: Call, form: Form) -> Head:
    name = re.sub(r"[^A-Za-z0-9._-]", "_", str(call.resource.path))
    return [
        (b"content-type", _TYPES[form].encode()),
        (b"content-disposition", f'attachment; filename="{name}.{form}"'.encode()),
        (b"cache-control", b"private, no-store"),
        (b"vary", b"Authorization, Cookie, X-API-Key, Accept, Prefer"),
        *applied(call.header(b"prefer")),
    ]


def _without_limit(query: bytes) -> tuple[bytes, str | None]:
    """An export has no pages: `limit` is how many rows at most, all when it is not given. Raises Problem 400."""
    parts = [part for part in query.split(b"&") if part]
    named = [(decoded_text(part.partition(b"=")[0]), part) for part in parts]
    limits = [decoded_text(part.partition(b"=")[2]) for name, part in named if name == "limit"]
    rest = b"&".join(part for name, part in named if name != "limit")
    if not limits:
        return rest, None
    if len(limits) > 1 or limits[0] is None or not re.fullmatch(r"0*[1-9][0-9]{0,14}", limits[0], re.ASCII):
        detail = "Expected: one whole number from 1, how many rows at most."
        raise bad_request([FieldError("invalid_value", detail, parameter="limit")])
    return rest, limits[0]
