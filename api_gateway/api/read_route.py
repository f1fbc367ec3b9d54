"""Reading a resource, one row or a page: request → select → database → answer."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.types import Send

from api_gateway.api import answer
from api_gateway.api.accept import JSON, chosen
from api_gateway.api.authentication import require_scope
from api_gateway.api.calls import Call, Format, Method
from api_gateway.api.cursors import Cursors
from api_gateway.api.prefer import applied
from api_gateway.api.problems import not_acceptable, not_found
from api_gateway.api.reader import Reader
from api_gateway.api.request import Understanding
from api_gateway.api.timing import Timing


class ReadRoute:
    """`formats`: media types of a collection besides JSON."""

    def __init__(
        self, understanding: Understanding, reader: Reader, cursors: Cursors, formats: Sequence[Format] = ()
    ) -> None:
        self._understanding, self._reader, self._cursors = understanding, reader, cursors
        self._formats = {found.media: found.handler for found in formats}
        self._offered = (JSON, *self._formats)

    @property
    def methods(self) -> tuple[Method, ...]:
        return (Method("GET", "collection", "list", self.page), Method("GET", "item", "get", self.document))

    async def document(self, call: Call, send: Send) -> None:
        timed = Timing()
        principal = call.principal
        require_scope(principal, call.resource.scope)
        if chosen(call.header(b"accept"), (JSON,)) is None:
            raise not_acceptable((JSON,))
        reading = self._understanding.of_row(call.resource, call.key or b"", call.query, principal)
        rows = await self._reader.rows(call, reading.shape, reading, timed)
        if not rows:
            raise not_found()
        status, head, body = answer.document(rows[0], reading, call.header(b"if-none-match"))
        await answer.send_answer(send, status, [*head, *timed.headers(), *applied(call.header(b"prefer"))], body)

    async def page(self, call: Call, send: Send) -> None:
        timed = Timing()
        principal = call.principal
        require_scope(principal, call.resource.scope)
        media = chosen(call.header(b"accept"), self._offered)
        if media is None:
            raise not_acceptable(self._offered)
        if media in self._formats:
            await self._formats[media](call, send)
            return
        reading = self._understanding.of_list(call.resource, call.path, call.query, principal)
        rows = await self._reader.rows(call, reading.shape, reading, timed)
        count = None
        if reading.counting is not None:
            ((counted,),) = await self._reader.rows(call, reading.counting, reading, timed)
            count = int(counted or 0)
        status, head, body = answer.page(rows, count, reading, call.path, self._cursors)
        await answer.send_answer(send, status, [*head, *timed.headers(), *applied(call.header(b"prefer"))], body)
