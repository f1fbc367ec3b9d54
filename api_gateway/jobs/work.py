"""What a task is given: on whose behalf it runs, the database under the contract's role, and where it stands."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from api_gateway.consumers import Principal
from api_gateway.jobs.enqueue import Enqueuer
from shared_models.database import Database, ReadTransaction, WriteTransaction
from shared_models.state import job


class Superseded(Exception):
    """Another run of this job has begun: a worker that was taken for dead must change nothing more."""


@dataclass(frozen=True, slots=True)
class Work:
    """One run of a job.

    principal  who enqueued it: transactions begin as the host database's convention wants it for them
    id, ref    the job's number, and its name outside
    run        1 for the first; what is called outside should be told `ref`, so that a second run does it once
    """

    principal: Principal
    id: int
    ref: str
    run: int
    database: Database

    def read(self) -> AbstractAsyncContextManager[ReadTransaction]:
        """READ ONLY, one point in time."""
        return self.database.read()

    @asynccontextmanager
    async def write(self) -> AsyncIterator[WriteTransaction]:
        """Committed at the end of the block, unless it raises. One at a time.

        It can only commit while this is the job's present run. Raises Superseded, DatabaseFault.
        """
        async with self.database.write() as tx:
            async with tx.as_ourselves():
                mine = sa.select(job.c.id).where(job.c.id == self.id, job.c.run == self.run)
                held = await tx.one(mine.with_for_update(key_share=True))
            if held is None:
                raise Superseded
            yield tx

    def enqueue(self, tx: WriteTransaction) -> Enqueuer:
        """`await work.enqueue(tx)(another_task(…))`: more work, on behalf of the same principal."""
        return Enqueuer(tx, self.principal, f"job {self.ref}")

    async def position(self) -> Any:
        """What the last `progress` noted for going on after an interruption; None at the beginning."""
        async with self.read() as tx:
            return await tx.value(sa.select(job.c.position).where(job.c.id == self.id))

    async def progress(
        self,
        tx: WriteTransaction,
        *,
        done: int,
        total: int | None = None,
        position: Any = None,
        result: Mapping[str, Any] | None = None,
    ) -> None:
        """Note how far it is, together with what this transaction writes: both are there, or neither.

        total, result  JSON that its owner sees; left out: as they were
        position       JSON, the task's own
        """
        known = {"total": total, "result": None if result is None else dict(result)}
        values = {
            "done": done,
            "position": position,
            **{name: value for name, value in known.items() if value is not None},
        }
        async with tx.as_ourselves():
            await tx.execute(sa.update(job).where(job.c.id == self.id).values(step=job.c.step + 1, **values))
