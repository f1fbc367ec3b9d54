"""The page of the inventory: what the edge sees of requests that are not listed, and entries that would list them."""

from __future__ import annotations

from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response

from api_gateway.console import queries
from api_gateway.console.frame import Frame, to_the_door
from api_gateway.inventory.propose import proposals
from api_gateway.inventory.stock import inventory_of, seen

DAYS = 30
SHOWN = 100


class InventoryPage(Frame):
    """It shows templates and callers; what a request held is nowhere."""

    async def show(self, request: Request) -> Response:
        async with self.database.read() as transaction:
            visitor = await self.visitor(request, transaction)
            if visitor is None:
                return to_the_door()
            now = await transaction.value(queries.now())
            rows = await transaction.rows(seen(DAYS))
        inventory = inventory_of(rows)
        found = list(inventory.endpoints())
        endpoints = [
            {
                "method": place.method,
                "path": place.path,
                "action": " ".join(f"{name}={value}" for name, value in place.action),
                "calls": endpoint.calls,
                "callers": sorted(endpoint.callers.items(), key=lambda pair: -pair[1]),
                "statuses": sorted(endpoint.statuses.items()),
                "last": datetime.fromtimestamp(endpoint.last, UTC),
            }
            for place, endpoint in found[:SHOWN]
        ]
        return self.inner(
            "inventory.html",
            visitor,
            "/inventory",
            now=now,
            days=DAYS,
            share=self.project.configuration.edge.unlisted_share,
            endpoints=endpoints,
            more=max(0, len(found) - SHOWN),
            elsewhere=inventory.elsewhere,
            proposed=proposals(found[:SHOWN], self.project.routes),
        )
