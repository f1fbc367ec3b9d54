"""A file as the body of an operation: taken in as it comes, held nowhere whole, and given to a job or dropped.

@operation("price-imports", scope="prices:write", status=202, upload=Accepts("text/csv", limit=32 * 2**20))
async def import_prices(upload: Upload, tx: Write, enqueue: Enqueue, jobs: Jobs) -> Response: …
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated

import sqlalchemy as sa
from fastapi import Depends, Request

from api_gateway.api.problems import of_status, unsupported_media_type
from api_gateway.consumers import Principal
from api_gateway.errors import Problem
from api_gateway.jobs.enqueue import owner_of
from api_gateway.jobs.staging import Arriving, NotText, Staged, TooLarge
from shared_models.database import Database
from shared_models.job_tables import UNFINISHED, queued, status_is
from shared_models.state import job, upload

STALLED = 30.0
"""Seconds without a byte, after which nobody waits any more for the rest."""


@dataclass(frozen=True, slots=True)
class Accepts:
    """What an operation takes as its body, as text in UTF-8.

    limit    bytes
    waiting  how many files of one caller may wait or be worked off at a time
    pattern  what a file looks like, for the OpenAPI document; the handler checks what matters
    """

    media: str = "text/csv"
    limit: int = 32 * 2**20
    waiting: int = 10
    pattern: str = r"^[^\x00]+$"


@asynccontextmanager
async def arriving(
    request: Request, accepts: Accepts, principal: Principal, database: Database
) -> AsyncIterator[Staged]:
    """The body, whole. At the end of the block it is dropped, unless a job has taken it in a committed transaction.

    Raises Problem 408, 413, 415, 422, 429; ClientDisconnect for half a file. Then nothing of it is kept.
    """
    _check_media(request, accepts)
    owner = owner_of(principal)
    await _check_room(database, owner, accepts)
    arriving = await Arriving.begin(database, owner, accepts.limit)
    try:
        yield await _take(request, arriving)
    finally:
        await asyncio.shield(arriving.discard())


async def _take(request: Request, arriving: Arriving) -> Staged:
    pieces = aiter(request.stream())
    try:
        while True:
            try:
                async with asyncio.timeout(STALLED):
                    piece = await anext(pieces)
            except StopAsyncIteration:
                break
            await arriving.take(piece)
        staged = await arriving.end()
    except TooLarge:
        raise of_status(413) from None
    except TimeoutError:
        raise Problem(408, "upload_stalled", "The rest of the body did not come.") from None
    except NotText as error:
        detail = f"Byte {error.at} is no UTF-8, or stands for no text."
        raise Problem(422, "not_utf8", "The body must be text in UTF-8.", detail) from None
    if not staged.bytes:
        raise Problem(422, "empty_upload", "The body is empty.")
    return staged


def _check_media(request: Request, accepts: Accepts) -> None:
    media, _, rest = request.headers.get("content-type", "").partition(";")
    parameters = dict(part.strip().lower().partition("=")[::2] for part in rest.split(";") if part.strip())
    charset = parameters.get("charset", "utf-8").strip('"')
    if media.strip().lower() != accepts.media or charset not in ("utf-8", "utf8", "us-ascii"):
        raise unsupported_media_type(f"{accepts.media}; charset=utf-8")


async def _check_room(database: Database, owner: str, accepts: Accepts) -> None:
    """Files wait on our disk: nobody fills it. One that still arrives counts, too."""
    unfinished = sa.or_(job.c.id.is_(None), status_is(*UNFINISHED))
    mine = (
        sa.select(sa.func.count())
        .select_from(upload.outerjoin(job, job.c.id == upload.c.job).outerjoin(queued, queued.c.id == upload.c.job))
        .where(upload.c.owner == owner, unfinished)
    )
    async with database.write() as tx, tx.as_ourselves():
        waiting = await tx.value(mine)
    if waiting >= accepts.waiting:
        title = "Too many files of yours wait to be worked off."
        raise Problem(429, "too_many_uploads", title, headers={"retry-after": "10"})


def staged_upload(request: Request) -> Staged:
    found: Staged = request.scope["state"]["upload"]
    return found


Upload = Annotated[Staged, Depends(staged_upload)]
"""A parameter of a handler: the file that came as the body. `enqueue(…, upload=upload)` gives it to the job."""
