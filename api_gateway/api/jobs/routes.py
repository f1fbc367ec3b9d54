"""A job at its address: read, cancelled, and what was wrong with single rows of its file."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import AsyncIterator, Sequence
from typing import Any

import sqlalchemy as sa
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route, WebSocketRoute

from api_gateway.api.authentication import principal_of
from api_gateway.api.etag import is_known
from api_gateway.api.jobs.answers import answer
from api_gateway.api.jobs.live import Live
from api_gateway.api.problems import not_found
from api_gateway.errors import Problem
from api_gateway.jobs import listing
from api_gateway.jobs.enqueue import owner_of
from api_gateway.jobs.watched import Seen, Watching, find, find_in
from shared_models.database import Database
from shared_models.state import job_fault

REF = re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}")
COLUMNS = ("row", "field", "code", "detail", "raw")
_AT_ONCE = 1000
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class JobRoutes:
    """`read`, `write`: on nobody's behalf, since only our own tables are touched; whose a job is stands in the SQL.

    path     where jobs are: `/api/v1/jobs`
    origins  of frontends on other hosts
    """

    def __init__(
        self, read: Database, write: Database, watching: Watching, path: str, origins: Sequence[str] = ()
    ) -> None:
        self._read, self._write, self._path = read, write, path
        self._live = Live(watching, self.mine, origins)

    @property
    def routes(self) -> list[BaseRoute]:
        at = f"{self._path}/{{ref}}"
        return [
            Route(at, self.show, methods=["GET"]),
            Route(at, self.cancel, methods=["DELETE"]),
            Route(f"{at}/faults", self.faults, methods=["GET"]),
            Route(f"{at}/events", self._live.events, methods=["GET"]),
            WebSocketRoute(f"{at}/live", self._live.socket),
        ]

    async def mine(self, ref: str, owner: str) -> Seen:
        """Raises Problem 404, for another's job as for one that never was."""
        seen = await find(self._read, ref, owner) if REF.fullmatch(ref) else None
        if seen is None:
            raise not_found()
        return seen

    async def show(self, request: Request) -> Response:
        seen = await self._of(request)
        told = answer(seen)
        wanted = ",".join(request.headers.getlist("if-none-match")).encode("latin-1")
        if wanted and is_known(wanted, told.headers["etag"].encode()):
            kept = {
                name: told.headers[name] for name in ("etag", "cache-control", "retry-after") if name in told.headers
            }
            return Response(status_code=304, headers=kept)
        return told

    async def cancel(self, request: Request) -> Response:
        """200: it is cancelled; 202: it runs, and was told to stop."""
        seen = await self._of(request)
        owner = owner_of(principal_of(request.scope))
        async with self._write.write() as tx:
            done = await tx.value(listing.cancel(seen.id))
            if done is not None:
                for statement in listing.closed(seen.id):
                    await tx.execute(statement)
            now = await find_in(tx, seen.ref, owner)
        if now is None:
            raise not_found()
        if done is None and now.state != "cancelled":
            raise Problem(409, "job_finished", "The job is over.", f"It has {now.state}.")
        return answer(now, 200 if now.is_over else 202)

    async def faults(self, request: Request) -> Response:
        """The report as CSV; what a spreadsheet would run as a formula gets an apostrophe in front."""
        seen = await self._of(request)
        headers = {"cache-control": "private, no-store"}
        return StreamingResponse(self._report(seen.id), 200, headers, "text/csv")

    async def _report(self, number: int) -> AsyncIterator[str]:
        yield _lines([COLUMNS])
        place: tuple[int, int] = (0, -1)
        f = job_fault.c
        while True:
            after = sa.tuple_(f.row, f.n) > sa.tuple_(*map(sa.literal, place))
            page = sa.select(f.row, f.n, f.field, f.code, f.detail, f.raw).where(f.job == number, after)
            async with self._read.read() as tx:
                rows = await tx.rows(page.order_by(f.row, f.n).limit(_AT_ONCE))
            if not rows:
                return
            yield _lines([[row[name] for name in COLUMNS] for row in rows])
            place = (rows[-1]["row"], rows[-1]["n"])

    async def _of(self, request: Request) -> Seen:
        principal = principal_of(request.scope)
        return await self.mine(request.path_params["ref"], owner_of(principal))


def _lines(rows: Sequence[Sequence[Any]]) -> str:
    written = io.StringIO()
    csv.writer(written).writerows([[_cell(cell) for cell in row] for row in rows])
    return written.getvalue()


def _cell(cell: Any) -> str:
    text = "" if cell is None else str(cell)
    return f"'{text}" if text.startswith(_FORMULA) else text
