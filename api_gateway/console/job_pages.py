"""The pages of jobs: what failed and why, and the two things to be done about it: try again, cancel."""

from __future__ import annotations

from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api_gateway.console import queries
from api_gateway.console.frame import Frame, to_the_door
from api_gateway.events import JobHandled
from api_gateway.jobs import listing
from api_gateway.logging import report
from shared_models.database import WriteTransaction
from shared_models.faults import ConstraintViolated

MOST = 200


class JobPages(Frame):
    """Neither arguments nor results are shown: they are what a customer sent."""

    async def show_all(self, request: Request) -> Response:
        state = request.query_params.get("state", "")
        wanted = (state,) if state in listing.STATES else ()
        async with self.database.read() as transaction:
            visitor = await self.visitor(request, transaction)
            if visitor is None:
                return to_the_door()
            now = await transaction.value(queries.now())
            jobs = await transaction.rows(listing.listed(states=wanted, limit=MOST))
            counts = {row["state"]: row["count"] for row in await transaction.rows(listing.counted())}
        states = [(name, counts.get(name, 0)) for name in listing.STATES]
        return self.inner(
            "jobs.html", visitor, "/jobs", now=now, jobs=jobs, states=states, state="".join(wanted), told=listing.told
        )

    async def show_one(self, request: Request) -> Response:
        number = request.path_params["number"]
        async with self.database.read() as transaction:
            visitor = await self.visitor(request, transaction)
            if visitor is None:
                return to_the_door()
            now = await transaction.value(queries.now())
            job = await transaction.one(listing.shown(number))
            if job is None:
                raise HTTPException(404, "There is no such job; what is over is kept for a while only.")
            events = await transaction.rows(listing.history(number))
            faults = await transaction.rows(queries.faults(number))
        return self.inner(
            "job.html", visitor, "/jobs", now=now, job=job, events=events, faults=faults, told=listing.told
        )

    async def retry(self, request: Request) -> Response:
        return await self._handle(request, "retried")

    async def cancel(self, request: Request) -> Response:
        return await self._handle(request, "cancelled")

    async def _handle(self, request: Request, what: str) -> Response:
        visitor = await self.acting(request)
        if visitor is None:
            return to_the_door()
        number = request.path_params["number"]
        try:
            async with self.database.write() as transaction:
                done = await (_retried if what == "retried" else _cancelled)(transaction, number)
        except ConstraintViolated:
            raise HTTPException(HTTPStatus.CONFLICT, "Another job waits under its key and will do its work.") from None
        if not done:
            why = "It has not failed." if what == "retried" else "It is over already."
            raise HTTPException(HTTPStatus.CONFLICT, f"{why} Nothing was done.")
        report(JobHandled(visitor.session.username, number, what))
        return RedirectResponse(f"/jobs/{number}", 303)


async def _retried(transaction: WriteTransaction, number: int) -> bool:
    if not await transaction.rows(listing.retry(number)):
        return False
    await transaction.execute(listing.forgive(number))
    return True


async def _cancelled(transaction: WriteTransaction, number: int) -> bool:
    if await transaction.value(listing.cancel(number)) is None:
        return False
    for statement in listing.closed(number):
        await transaction.execute(statement)
    return True
