"""202: it will be done, and here is where to ask how far it is."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request
from starlette.responses import Response

from api_gateway.api.authentication import principal_of
from api_gateway.api.transactions import Write
from api_gateway.jobs import Enqueued
from api_gateway.jobs.enqueue import owner_of
from api_gateway.jobs.watched import Seen, find_in
from shared_models.database import WriteTransaction

ASK_AGAIN = 1
"""Seconds until it is worth asking again."""


class JobAnswers:
    """Answers of one request, in its transaction."""

    def __init__(self, tx: WriteTransaction, path: str, owner: str) -> None:
        self._tx, self._path, self._owner = tx, path, owner

    async def accepted(self, job: Enqueued) -> Response:
        """With the job's document, and in Location where it is from now on."""
        async with self._tx.as_ourselves():
            seen = await find_in(self._tx, job.ref, self._owner)
        headers = {"location": f"{self._path}/{job.ref}"}
        if seen is None:  # another caller's: it waited under the same key
            return Response(b"{}", 202, {}, "application/json")
        return answer(seen, 202, headers)


def answer(seen: Seen, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    told = {"etag": f'"{seen.tag}"', "cache-control": "private, no-cache", **(headers or {})}
    if not seen.is_over:
        told["retry-after"] = str(ASK_AGAIN)
    return Response(seen.document, status, told, "application/json")


def job_answers(request: Request, tx: Write) -> JobAnswers:
    return JobAnswers(tx, request.scope["state"]["jobs_path"], owner_of(principal_of(request.scope)))


Jobs = Annotated[JobAnswers, Depends(job_answers, scope="function")]
"""A parameter of a handler: answers with jobs."""
