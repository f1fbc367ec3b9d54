"""Operations that write, and enqueue."""

from __future__ import annotations

import sqlalchemy as sa
from chores import tasks
from chores.tables import chore
from pydantic import BaseModel
from starlette.responses import JSONResponse, Response

from api_gateway.api.enqueuing import Enqueue
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


operations = [do_chore]
