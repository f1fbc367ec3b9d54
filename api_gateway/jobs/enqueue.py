"""A job is enqueued in the transaction of whatever asks for it: it exists exactly when that transaction commits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from api_gateway.consumers import Principal
from api_gateway.jobs.staging import Staged
from api_gateway.jobs.task import Job
from shared_models import state
from shared_models.database import WriteTransaction
from shared_models.job_tables import UNFINISHED, queued, status_is

QUEUE = "project"


@dataclass(frozen=True, slots=True)
class Enqueued:
    """A job that waits. `ref`: its name outside. `is_new`: False, it waited already under the same key."""

    id: int
    ref: str
    is_new: bool


class Enqueuer:
    """Enqueues in one transaction, on behalf of one principal. `request`: the id of the request, for the record."""

    def __init__(self, tx: WriteTransaction, principal: Principal, request: str | None = None) -> None:
        self._tx, self._principal, self._request = tx, principal, request

    async def __call__(
        self,
        job: Job,
        *,
        key: str | None = None,
        lock: str | None = None,
        at: datetime | None = None,
        priority: int = 0,
        deadline: float | None = None,
        upload: Staged | None = None,
    ) -> Enqueued:
        """Let the job be run, once this transaction has committed.

        key       of jobs of this task with the same key only one waits at a time: the one that waits is given back. It
                  is kept from beginning before this transaction has ended, so it sees what was written here.
        lock      of jobs with the same lock only one runs at a time, in the order of their enqueuing
        at        not before this moment, which has a zone
        priority  higher comes first
        deadline  seconds a run may take; None: as the task says
        upload    the file that the job is to work off. The same content that a job of the same caller still has to
                  work off is not taken twice: that job is given back
        Raises ValueError for a moment without zone, DatabaseFault.
        """
        if at is not None and at.utcoffset() is None:
            raise ValueError("a moment without zone is nobody's time")
        row = {
            "queue_name": QUEUE,
            "task_name": job.task.name,
            "priority": priority,
            "lock": lock,
            "queueing_lock": None if key is None else f"{job.task.name}:{key}",
            "args": {"arguments": dict(job.arguments), "principal": self._principal.as_json()},
            "scheduled_at": at,
        }
        async with self._tx.as_ourselves():
            twin = await self._twin(job, upload) if upload is not None else None
            if twin is not None:
                return twin
            while True:
                found = await self._tx.execute(_insertion(row))
                if found:
                    return await self._new(int(found[0]["id"]), deadline, upload)
                waiting = await self._tx.one(_waiting(str(row["queueing_lock"])))
                if waiting is not None:
                    return Enqueued(int(waiting["id"]), str(waiting["ref"]), is_new=False)

    async def _new(self, number: int, deadline: float | None, upload: Staged | None) -> Enqueued:
        known = {"id": number, "owner": owner_of(self._principal), "request": self._request, "deadline": deadline}
        ((stored),) = await self._tx.execute(sa.insert(state.job).values(known).returning(state.job.c.ref))
        if upload is not None:
            await self._tx.execute(upload.taken_by(number))
        return Enqueued(number, str(stored["ref"]), is_new=True)

    async def _twin(self, job: Job, upload: Staged) -> Enqueued | None:
        """An unfinished job of the same task over the same content. Twins that come at once wait for each other."""
        owner = owner_of(self._principal)
        await self._tx.rows(sa.select(sa.func.pg_advisory_xact_lock(upload.lock_of(owner))))
        found = await self._tx.one(
            sa.select(queued.c.id, state.job.c.ref)
            .join_from(queued, state.job, state.job.c.id == queued.c.id)
            .join(state.upload, state.upload.c.job == queued.c.id)
            .where(state.upload.c.owner == owner, state.upload.c.digest == upload.digest)
            .where(queued.c.task_name == job.task.name, status_is(*UNFINISHED))
            .limit(1)
        )
        return Enqueued(int(found["id"]), str(found["ref"]), is_new=False) if found is not None else None


def owner_of(principal: Principal) -> str:
    """To whom a job belongs: nobody else sees it over the API."""
    return f"{principal.kind}:{principal.code}"


def _insertion(row: dict[str, Any]) -> sa.sql.dml.Insert:
    inserted = insert(queued).values(row)
    once = inserted.on_conflict_do_nothing(
        index_elements=[queued.c.queueing_lock], index_where=sa.text("status = 'todo'")
    )
    return once.returning(queued.c.id)


def _waiting(queueing_lock: str) -> sa.Select[Any]:
    """The job that waits under this key, held until our transaction ends: a worker passes over it meanwhile."""
    return (
        sa.select(queued.c.id, state.job.c.ref)
        .join_from(queued, state.job, state.job.c.id == queued.c.id)
        .where(queued.c.queueing_lock == queueing_lock, status_is("todo"))
        .with_for_update(of=queued)
    )
