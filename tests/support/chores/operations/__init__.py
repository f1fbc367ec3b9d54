"""Operations that write, and enqueue."""

from __future__ import annotations

import sqlalchemy as sa
from chores import tasks
from chores.tables import chore
from pydantic import BaseModel
from starlette.responses import JSONResponse, Response

from api_gateway.api.enqueuing import Enqueue
from api_gateway.api.jobs.answers import Jobs
from api_gateway.api.jobs.uploads import Accepts, Upload
from api_gateway.api.operations import operation
from api_gateway.api.transactions import Write
from api_gateway.errors import Problem


class Chore(BaseModel):
    what: str
    then: str = ""


@operation("chores", scope="chores:write", status=202)
async def do_chore(given: Chore, tx: Write, enqueue: Enqueue) -> Response:
    await tx.execute(sa.insert(chore).values(what=given.what, by="operation", run=0))
    job = await enqueue(tasks.count(of=given.what))
    if given.then == "raise":
        raise RuntimeError
    if given.then == "refuse":
        raise Problem(409, "refused", "No.")
    if given.then == "return":
        return Response(status_code=409)
    return JSONResponse({"job": job.ref, "new": job.is_new}, 202)


@operation("lists", scope="chores:write", status=202, upload=Accepts("text/csv", limit=600_000, waiting=3), job=True)
async def do_list(upload: Upload, tx: Write, enqueue: Enqueue, jobs: Jobs, pause: float = 0) -> Response:
    """A list of chores to be done: `what,by`, a chore a line."""
    if upload.first_line() != "what,by":
        raise Problem(422, "wrong_columns", "The first line must be: what,by.")
    return await jobs.accepted(await enqueue(tasks.do_list(pause=pause), upload=upload))


operations = [do_chore, do_list]
