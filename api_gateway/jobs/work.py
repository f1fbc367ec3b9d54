"""What a task is given: on whose behalf it runs, the database under the contract's role, and where it stands."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from api_gateway.consumers import Principal
from api_gateway.jobs.enqueue import Enqueuer
from api_gateway.jobs.uploaded import Uploaded
from api_gateway.keeping import Keeping
from shared_models.database import Database, ReadTransaction, WriteTransaction
from shared_models.grants import Touches
from shared_models.job_tables import queued
from shared_models.state import job, job_fault


class Superseded(Exception):
    """Another run of this job has begun: a worker that was taken for dead must change nothing more."""


@dataclass(frozen=True, slots=True)
class RowFault:
    """What is wrong with one row: its line in the file from 1, the field where there is one, and the row as it came."""

    row: int
    code: str
    detail: str
    field: str | None = None
    raw: str | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """One run of a job.

    principal  who enqueued it: transactions begin as the host database's convention wants it for them
    id, ref    the job's number, and its name outside
    database   under the contract's role, on behalf of the principal; `own`: on nobody's, for our own tables
    run        1 for the first; what is called outside should be told `ref`, so that a second run does it once
    """

    principal: Principal
    id: int
    ref: str
    run: int
    task: str
    database: Database
    own: Database
    touches: Touches | None = None

    def read(self) -> AbstractAsyncContextManager[ReadTransaction]:
        """READ ONLY, one point in time."""
        return self.database.read()

    @asynccontextmanager
    async def write(self) -> AsyncIterator[WriteTransaction]:
        """Committed at the end of the block, unless it raises. One at a time. What it writes is journalled.

        It can only commit while this is the job's present run. Raises Superseded, DatabaseFault.
        """
        async with self.database.write() as tx:
            async with tx.as_ourselves():
                mine = sa.select(job.c.id).where(job.c.id == self.id, job.c.run == self.run)
                held = await tx.one(mine.with_for_update(key_share=True))
            if held is None:
                raise Superseded
            tx.keeper = Keeping(tx, self.principal, self.task, f"job {self.ref}", self.touches)
            yield tx

    def enqueue(self, tx: WriteTransaction) -> Enqueuer:
        """`await work.enqueue(tx)(another_task(…))`: more work, on behalf of the same principal."""
        return Enqueuer(tx, self.principal, f"job {self.ref}")

    async def upload(self) -> Uploaded:
        """The file that was uploaded for this job. Raises LookupError when there is none."""
        return await Uploaded.of(self.own, self.id)

    async def position(self) -> Any:
        """What the last `progress` noted for going on after an interruption; None at the beginning."""
        async with self.own.read() as tx:
            return await tx.value(sa.select(job.c.position).where(job.c.id == self.id))

    async def is_cancelled(self) -> bool:
        """Whether somebody has told the job to stop for good. A run that is ended without that goes on elsewhere."""
        async with self.own.read() as tx:
            return bool(await tx.value(sa.select(queued.c.abort_requested).where(queued.c.id == self.id)))

    async def progress(
        self,
        tx: WriteTransaction,
        *,
        done: int,
        total: int | None = None,
        position: Any = None,
        result: Mapping[str, Any] | None = None,
        faults: Sequence[RowFault] = (),
    ) -> None:
        """Note how far it is, together with what this transaction writes: both are there, or neither.

        total, result  JSON that its owner sees; left out: as they were
        position       JSON, the task's own
        faults         rows that could not be taken; they add up to the report that its owner can fetch
        """
        known = {"total": total, "result": None if result is None else dict(result)}
        values = {
            "done": done,
            "position": position,
            **{name: value for name, value in known.items() if value is not None},
        }
        values["faults"] = job.c.faults + len(faults)
        async with tx.as_ourselves():
            await tx.execute(sa.update(job).where(job.c.id == self.id).values(step=job.c.step + 1, **values))
            if faults:
                await tx.execute(sa.insert(job_fault).values(_rows(self.id, faults)))


def _rows(number: int, faults: Sequence[RowFault]) -> list[dict[str, Any]]:
    """A row may have several faults: they are numbered."""
    seen: dict[int, int] = {}
    rows = []
    for fault in faults:
        n = seen[fault.row] = seen.get(fault.row, -1) + 1
        told = {"code": fault.code, "detail": fault.detail, "field": fault.field, "raw": fault.raw}
        rows.append({"job": number, "row": fault.row, "n": n, **told})
    return rows
