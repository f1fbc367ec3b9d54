"""The pages of consumers: the register, and of each what it still calls on legacy, with the mail that tells it."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from api_gateway.console import queries
from api_gateway.console.frame import Frame, to_the_door
from api_gateway.moves.leaving import calls_of, mail, still_called
from api_gateway.stages import Stage, StageTable


class ConsumerPages(Frame):
    """They show hints of credentials, never a secret: those are kept nowhere."""

    async def show_all(self, request: Request) -> Response:
        async with self.database.read() as transaction:
            visitor = await self.visitor(request, transaction)
            if visitor is None:
                return to_the_door()
            now = await transaction.value(queries.now())
            consumers = await transaction.rows(queries.register())
        return self.inner("consumers.html", visitor, "/consumers", now=now, consumers=consumers)

    async def show_one(self, request: Request) -> Response:
        code = request.path_params["code"]
        async with self.database.read() as transaction:
            visitor = await self.visitor(request, transaction)
            if visitor is None:
                return to_the_door()
            now = await transaction.value(queries.now())
            consumer = await transaction.one(queries.registered(code))
            if consumer is None:
                raise HTTPException(404, "There is no such consumer.")
            credentials = await transaction.rows(queries.credentials(code))
            stages = {
                (row["route"], row["consumer"]): Stage(row["stage"]) for row in await transaction.rows(queries.stages())
            }
            calls = await transaction.rows(calls_of(code))
        still = still_called(self.project.routes, StageTable(0, stages), code, calls)
        return self.inner(
            "consumer.html",
            visitor,
            "/consumers",
            now=now,
            consumer=consumer,
            credentials=credentials,
            still=still,
            mail=mail(self.project, consumer["name"], consumer["contact"], still),
            versions=list(self.project.versions),
        )
