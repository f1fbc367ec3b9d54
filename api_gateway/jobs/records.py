"""What is written down about a job, as banyan_owner: that a run begins, how it ended, what a dead worker left."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from shared_models.database import Database, WriteTransaction
from shared_models.job_tables import job_worker, queued, status_is
from shared_models.state import SCHEMA, job, upload

MOST_RUNS = 25
"""A job whose workers die so often is ended: it may be what kills them."""


@dataclass(frozen=True, slots=True)
class Begun:
    ref: str
    run: int
    failures: int
    deadline: float | None


@dataclass(frozen=True, slots=True)
class TakenUp:
    """A job that a dead worker had. `again`: it waits for the next worker; else it was given up, or was to be ended."""

    job: int
    task: str
    again: bool


async def begin(database: Database, number: int, owner: str) -> Begun:
    """The run that begins now. Waits for what an earlier one has not ended: from here on that can commit nothing more.

    owner  of a job that nobody enqueued: a periodic one
    """
    now = sa.func.clock_timestamp()
    fresh = insert(job).values(id=number, owner=owner, run=1, step=1, started=now)
    again = fresh.on_conflict_do_update(
        index_elements=[job.c.id],
        set_={"run": job.c.run + 1, "step": job.c.step + 1, "started": now, "finished": None},
    )
    async with database.write() as tx:
        (row,) = await tx.execute(again.returning(job.c.ref, job.c.run, job.c.failures, job.c.deadline))
    return Begun(str(row["ref"]), int(row["run"]), int(row["failures"]), row["deadline"])


async def end(database: Database, number: int, *, failed: bool = False, error: dict[str, Any] | None = None) -> None:
    """Note how a run ended; `failed` counts it. What was uploaded is kept for as long as it may be tried again."""
    values: dict[str, Any] = {"step": job.c.step + 1, "finished": sa.func.clock_timestamp(), "error": error}
    if failed:
        values["failures"] = job.c.failures + 1
    async with database.write() as tx:
        await tx.execute(sa.update(job).where(job.c.id == number).values(values))
        if not failed:
            await tx.execute(sa.delete(upload).where(upload.c.job == number))


async def take_up(database: Database, silent_for: float) -> list[TakenUp]:
    """Let jobs wait again whose worker has given no sign of life for so many seconds, by the database's clock."""
    silent = job_worker.c.last_heartbeat < sa.func.now() - timedelta(seconds=silent_for)
    left = (
        sa.select(queued.c.id, queued.c.task_name, queued.c.abort_requested, job.c.run)
        .select_from(queued.outerjoin(job_worker, job_worker.c.id == queued.c.worker_id))
        .outerjoin(job, job.c.id == queued.c.id)
        .where(status_is("doing"), sa.or_(queued.c.worker_id.is_(None), silent))
        .with_for_update(of=queued, skip_locked=True)
    )
    async with database.write() as tx:
        return [await _take_up(tx, row) for row in await tx.rows(left)]


async def _take_up(tx: WriteTransaction, row: dict[str, Any]) -> TakenUp:
    functions = getattr(sa.func, SCHEMA)
    number, runs = int(row["id"]), int(row["run"] or 0)
    again = not row["abort_requested"] and runs < MOST_RUNS
    if again:
        await tx.rows(sa.select(functions.procrastinate_retry_job_v2(number, None, None, None, None)))
    else:
        status = "aborted" if row["abort_requested"] else "failed"
        await tx.rows(sa.select(functions.procrastinate_finish_job_v1(number, sa.literal_column(f"'{status}'"), False)))
        error = None if row["abort_requested"] else {"kind": "worker_died"}
        await tx.execute(sa.update(job).where(job.c.id == number).values(error=error, step=job.c.step + 1))
    return TakenUp(number, str(row["task_name"]), again)
