"""How a reading request reaches the database: its statement, the principal's values in it, the ceiling on its cost."""

from __future__ import annotations

from api_gateway.api.bad_values import refused
from api_gateway.api.calls import Call
from api_gateway.api.costs import Costs
from api_gateway.api.request import Reading
from api_gateway.api.select import Statement, Statements
from api_gateway.api.shapes import GetShape, Shape
from api_gateway.api.timing import Timing
from shared_models.database import Cells, Database
from shared_models.faults import BadValue


class Reader:
    """For whoever answers a reading call: one row, a page, groups, a file."""

    def __init__(self, statements: Statements, costs: Costs) -> None:
        self._statements, self._costs = statements, costs

    async def rows(self, call: Call, shape: Shape, reading: Reading, timed: Timing) -> list[Cells]:
        """Raises Problem for what costs too much, or holds a value the database cannot read; DatabaseFault."""
        database = database_of(call)
        try:
            statement = await self.admitted(call, shape, reading)
            with timed.database():
                return await database.fetch(statement.prepared, reading.values, together=_is_point(shape))
        except BadValue:
            raise await refused(reading, database) from None

    async def admitted(self, call: Call, shape: Shape, reading: Reading) -> Statement:
        """The statement of this shape, which may run: `reading.values` hold the principal's own by now."""
        statement = self._statements.of(shape)
        for name, place in statement.places.items():
            reading.values[name] = place.text(call.principal)
        if not self._costs.knows(shape, reading):
            request_id = str(call.scope["state"].get("request_id", ""))
            await self._costs.judge(shape, reading, statement.prepared, database_of(call), request_id)
        return statement


def database_of(call: Call) -> Database:
    database: Database = call.scope["state"]["read_database"]
    return database


def _is_point(shape: Shape) -> bool:
    """One row by its key and nothing besides."""
    return isinstance(shape, GetShape) and not shape.include
