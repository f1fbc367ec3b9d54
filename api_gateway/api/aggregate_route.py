"""A list summed up, `/orders:aggregate`: request → select → database → answer."""

from __future__ import annotations

from starlette.types import Send

from api_gateway.api import answer
from api_gateway.api.accept import JSON, chosen
from api_gateway.api.aggregate_request import aggregate_request
from api_gateway.api.aggregate_select import MOST_GROUPS
from api_gateway.api.authentication import require_scope
from api_gateway.api.calls import Call, Method
from api_gateway.api.prefer import applied
from api_gateway.api.problems import not_acceptable, too_many_groups
from api_gateway.api.reader import Reader
from api_gateway.api.timing import Timing
from shared_models.resources import Resources


class AggregateRoute:
    def __init__(self, resources: Resources, reader: Reader) -> None:
        self._resources, self._reader = resources, reader

    @property
    def methods(self) -> tuple[Method, ...]:
        return (Method("GET", "aggregate", "list", self.groups),)

    async def groups(self, call: Call, send: Send) -> None:
        timed = Timing()
        require_scope(call.principal, call.resource.scope)
        if chosen(call.header(b"accept"), (JSON,)) is None:
            raise not_acceptable((JSON,))
        reading = aggregate_request(call.resource, call.query, call.principal, self._resources)
        rows = await self._reader.rows(call, reading.shape, reading, timed)
        if len(rows) > MOST_GROUPS:
            raise too_many_groups(MOST_GROUPS)
        status, head, body = answer.groups(rows)
        await answer.send_answer(send, status, [*head, *timed.headers(), *applied(call.header(b"prefer"))], body)
