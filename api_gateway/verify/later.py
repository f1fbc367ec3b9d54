"""What the modern side does after its answer: jobs that the request enqueued, run here in the order of the queue.

So what they write and send belongs to the request, as what the legacy app did at once belongs to its own.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from api_gateway.consumers import Principal
from api_gateway.evidence.difference import Difference
from api_gateway.jobs import Work, load_tasks
from api_gateway.jobs.enqueue import QUEUE, owner_of
from api_gateway.jobs.records import begin
from api_gateway.jobs.runner import outcome_of
from api_gateway.project import Project
from shared_models.database import Database
from shared_models.grants import touches_of
from shared_models.job_tables import queued, status_is

MOST_JOBS = 100  # after one request: a job may enqueue another one


class Later:
    """The project's tasks, over the modern side's copy."""

    def __init__(self, project: Project) -> None:
        self._project, self._tasks = project, load_tasks(project)

    async def run(self, database: Database, owner: Database) -> list[Difference]:
        """Work off what waits. A job that did not succeed is told as a difference.

        database  as banyan_api. owner: as the copy's owner, who may hand out jobs.
        """
        found: list[Difference] = []
        for n in range(MOST_JOBS if self._tasks else 0):
            job = await _next(owner)
            if job is None:
                break
            outcome = await self._outcome(job, database, owner)
            if outcome["outcome"] != "succeeded":
                error = outcome.get("error", {})
                told = " ".join(filter(None, [error.get("error") or error.get("code"), error.get("place")]))
                found.append(
                    Difference(f"job[{n + 1}].{job['task_name']}", "failure", None, f"{outcome['outcome']}: {told}")
                )
        return found

    async def _outcome(self, job: dict[str, Any], database: Database, owner: Database) -> dict[str, Any]:
        task, written = self._tasks.get(job["task_name"]), job["args"]
        if task is None:
            return {"outcome": "failed", "error": {"error": "no such task"}}
        principal = Principal.from_json(written["principal"])
        begun = await begin(owner, job["id"], owner_of(principal))
        acting = database.acting(self._project.convention.session(principal))
        touches = next(iter(touches_of([task.run])), None)
        work = Work(principal, job["id"], begun.ref, begun.run, task.name, acting, database, touches)
        return await outcome_of(task, work, written.get("arguments", {}), self._project.folder)


async def _next(owner: Database) -> dict[str, Any] | None:
    """Take the next job off the queue; one that is to wait for a time to come stays there."""
    c = queued.c
    due = sa.or_(c.scheduled_at.is_(None), c.scheduled_at <= sa.func.now())
    waiting = sa.select(c.id).where(c.queue_name == QUEUE, status_is("todo"), due).order_by(c.priority.desc(), c.id)
    taken = sa.update(queued).where(c.id == waiting.limit(1).scalar_subquery()).values(status="succeeded")
    async with owner.write() as tx:
        rows = await tx.execute(taken.returning(c.id, c.task_name, c.args))
    return dict(rows[0]) if rows else None
