"""Reading a resource, one row or a page: request → select → database → answer."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.types import Send

from api_gateway.api import answer
from api_gateway.api.accept import JSON, chosen
from api_gateway.api.answer import Head
from api_gateway.api.authentication import require_scope
from api_gateway.api.calls import Call, Format, Method
from api_gateway.api.costs import Costs
from api_gateway.api.cursors import Cursors
from api_gateway.api.prefer import preferences
from api_gateway.api.problems import not_acceptable, not_found
from api_gateway.api.request import Reading, get_request, list_request
from api_gateway.api.select import Statements
from api_gateway.api.shapes import Shape
from api_gateway.api.timing import Timing
from shared_models.database import Cells, Database
from shared_models.resources import Resources


class ReadRoute:
    """`formats`: media types of a collection besides JSON."""

    def __init__(
        self,
        resources: Resources,
        statements: Statements,
        cursors: Cursors,
        costs: Costs,
        formats: Sequence[Format] = (),
    ) -> None:
        self._resources, self._statements, self._cursors = resources, statements, cursors
        self._costs = costs
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
        reading = get_request(call.resource, call.key or b"", call.query, principal, self._resources)
        rows = await self._rows(call, reading.shape, reading, timed)
        if not rows:
            raise not_found()
        status, head, body = answer.document(rows[0], reading, call.header(b"if-none-match"))
        await answer.send_answer(send, status, [*head, *timed.headers(), *_applied(call)], body)

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
        reading = list_request(call.resource, call.path, call.query, principal, self._resources, self._cursors)
        rows = await self._rows(call, reading.shape, reading, timed)
        count = None
        if reading.counting is not None:
            ((counted,),) = await self._rows(call, reading.counting, reading, timed)
            count = int(counted or 0)
        status, head, body = answer.page(rows, count, reading, call.path, self._cursors)
        await answer.send_answer(send, status, [*head, *timed.headers(), *_applied(call)], body)

    async def _rows(self, call: Call, shape: Shape, reading: Reading, timed: Timing) -> list[Cells]:
        statement = self._statements.of(shape)
        for name, place in statement.places.items():
            reading.values[name] = place.text(call.principal)
        state = call.scope["state"]
        database: Database = state["read_database"]
        if not self._costs.knows(reading):
            await self._costs.judge(reading, statement.prepared, database, str(state.get("request_id", "")))
        with timed.database():
            return await database.fetch(statement.prepared, reading.values)


def _applied(call: Call) -> Head:
    """Whatever is not understood is refused anyway, so that wish is always granted."""
    if preferences(call.header(b"prefer")).get("handling") != "strict":
        return []
    return [(b"preference-applied", b"handling=strict")]
