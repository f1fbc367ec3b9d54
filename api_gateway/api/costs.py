"""A ceiling on what one request may cost the database: a list that would scan a large table is refused before it runs.

PostgreSQL itself is asked, once per shape: EXPLAIN of the very statement, with the request's own values, as the role
that would run it. Values matter, since a plan without them (`GENERIC_PLAN`) takes a page of fifty for a tenth of the
table. So verdicts are kept one-sidedly. A shape that was cheap is not asked about again for a while: what a rarer,
dearer value costs then is bounded by the statement timeout. A shape that was dear is asked about every time: another
value may be cheap. One row by its key is never asked about, nor a list in its own order: what that costs is the
contract's choice, and no caller could ask for less. Exact totals and groups always are: a caller can filter more.
"""

from __future__ import annotations

import json
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from api_gateway import events
from api_gateway.api.problems import too_expensive
from api_gateway.api.request import Reading
from api_gateway.api.shapes import CountShape, GetShape, ListShape, Shape
from api_gateway.logging import report
from shared_models.database import Database
from shared_models.prepared import Prepared

KEPT_FOR = 300.0
_MOST = 2000
_SHAPING = frozenset({"limit", "cursor", "fields", "include", "total"})
_LIST = "No index serves this; filter by something else besides, or sort otherwise."
_TOTAL = "There are too many rows to count; filter more, or do without."
_GROUPS = "There are too many rows to look at; filter by something that an index serves."


class Costs:
    """`ceiling`: of EXPLAIN's total cost, in PostgreSQL's units (1 is one page read in order); 0: none."""

    def __init__(self, ceiling: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._ceiling, self._clock = ceiling, clock
        self._cheap_until: OrderedDict[Shape, float] = OrderedDict()

    def knows(self, shape: Shape, reading: Reading) -> bool:
        """Whether the request may run without asking."""
        if not self._ceiling or isinstance(shape, GetShape) or (isinstance(shape, CountShape) and not shape.exact):
            return True
        if self._cheap_until.get(shape, 0.0) > self._clock():
            return True
        return isinstance(shape, ListShape) and not _chosen(shape, reading)

    async def judge(
        self, shape: Shape, reading: Reading, statement: Prepared, database: Database, request_id: str
    ) -> None:
        """Ask the database. Raises Problem 400 naming the parameters; what index would help is for the log alone."""
        asked = Prepared(b"EXPLAIN (FORMAT JSON) " + statement.sql, statement.names)
        rows = await database.fetch(asked, reading.values)
        plan: Mapping[str, Any] = json.loads(rows[0][0] or b"[{}]")[0]["Plan"]
        cost = float(plan["Total Cost"])
        if cost <= self._ceiling:
            self._keep(shape)
            return
        self._cheap_until.pop(shape, None)
        named = _chosen(shape, reading)
        fields = reading.resource.fields
        columns = ", ".join(fields[name].column.name for name in map(_field, named) if name in fields)
        scanned = ", ".join(sorted(set(_scanned(plan))))
        path = str(reading.resource.path)
        report(events.RequestTooExpensive(request_id, path, cost, self._ceiling, scanned, columns))
        raise too_expensive(named, _advice(shape))

    def _keep(self, shape: Shape) -> None:
        self._cheap_until[shape] = self._clock() + KEPT_FOR
        self._cheap_until.move_to_end(shape)
        if len(self._cheap_until) > _MOST:
            self._cheap_until.popitem(last=False)


def _chosen(shape: Shape, reading: Reading) -> list[str]:
    """The parameters by which the caller decides which rows the database has to look at, and in which order."""
    if isinstance(shape, CountShape):
        return ["total"]
    return [name for name, _ in reading.pairs if name not in _SHAPING]


def _advice(shape: Shape) -> str:
    match shape:
        case CountShape():
            return _TOTAL
        case ListShape():
            return _LIST
        case _:
            return _GROUPS


def _field(parameter: str) -> str:
    return parameter.partition("[")[0]


def _scanned(plan: Mapping[str, Any]) -> Iterator[str]:
    """Tables that are read from end to end, wherever in the plan."""
    if plan.get("Node Type") == "Seq Scan":
        yield str(plan.get("Relation Name"))
    for inner in plan.get("Plans", ()):
        yield from _scanned(inner)
