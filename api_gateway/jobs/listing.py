"""The jobs as people look at them: the failed ones first, then what runs, what waits, and what is over."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from shared_models.job_tables import job_event, queued, status_is
from shared_models.state import SCHEMA, job, upload

STATES = ("failed", "running", "waiting", "cancelled", "succeeded")
"""In the order in which they matter."""
STATE_OF = {
    "failed": "failed",
    "doing": "running",
    "todo": "waiting",
    "cancelled": "cancelled",
    "aborted": "cancelled",
    "aborting": "running",
    "succeeded": "succeeded",
}
FINISHED = frozenset({"failed", "cancelled", "succeeded"})

state: sa.ColumnElement[Any] = sa.case(
    *((status_is(status), sa.literal(name)) for status, name in STATE_OF.items()), else_=sa.literal("waiting")
)
"""Our word for procrastinate's status."""

_joined = queued.outerjoin(job, job.c.id == queued.c.id)


def listed(*, states: tuple[str, ...] = (), task: str | None = None, limit: int = 50) -> sa.Select[Any]:
    """One row per job. `states`: only those; none: all."""
    rank = sa.case({name: place for place, name in enumerate(STATES)}, value=state)
    found = (
        sa.select(
            queued.c.id,
            job.c.ref,
            queued.c.task_name.label("task"),
            state.label("state"),
            job.c.owner,
            job.c.run,
            job.c.failures,
            job.c.done,
            job.c.total,
            job.c.error,
            job.c.created,
            job.c.started,
            job.c.finished,
            queued.c.scheduled_at.label("not_before"),
            queued.c.abort_requested.label("stopping"),
        )
        .select_from(_joined)
        .order_by(rank, queued.c.id.desc())
        .limit(limit)
    )
    if states:
        found = found.where(state.in_(states))
    return found.where(queued.c.task_name == task) if task is not None else found


def counted() -> sa.Select[Any]:
    """How many jobs there are of each state."""
    return sa.select(state.label("state"), sa.func.count().label("count")).select_from(queued).group_by(state)


def shown(number: int) -> sa.Select[Any]:
    """Everything about one job."""
    return (
        listed(limit=1)
        .where(queued.c.id == number)
        .add_columns(
            queued.c.args["arguments"].label("arguments"),
            queued.c.lock,
            queued.c.queueing_lock.label("key"),
            queued.c.priority,
            job.c.request,
            job.c.result,
        )
    )


def history(number: int) -> sa.Select[Any]:
    """What happened to it, as procrastinate notes it."""
    return sa.select(job_event.c.at, job_event.c.type).where(job_event.c.job_id == number).order_by(job_event.c.id)


def retry(number: int) -> sa.Select[Any]:
    """Let a failed job wait again. Its failures are forgiven by `forgive`, in the same transaction."""
    functions = getattr(sa.func, SCHEMA)
    return sa.select(functions.procrastinate_retry_job_v2(queued.c.id, None, None, None, None)).where(
        queued.c.id == number, status_is("failed")
    )


def forgive(number: int) -> sa.Update:
    return sa.update(job).where(job.c.id == number).values(failures=0, finished=None, step=job.c.step + 1)


def cancel(number: int | sa.ColumnElement[Any]) -> sa.Select[Any]:
    """End a job: one that waits at once, one that runs is told to stop. `cancelled`: null when it was over already."""
    functions = getattr(sa.func, SCHEMA)
    return sa.select(functions.procrastinate_cancel_job_v1(number, True, False).label("cancelled"))


def closed(number: int) -> list[sa.Update | sa.Delete]:
    """What is noted about a job that was cancelled while it waited; one that runs is not concerned."""
    over = sa.exists().where(queued.c.id == number, status_is("cancelled"))
    noted = (
        sa.update(job).where(job.c.id == number, over).values(finished=sa.func.clock_timestamp(), step=job.c.step + 1)
    )
    return [noted, sa.delete(upload).where(upload.c.job == number, over)]


def failed_numbers(task: str | None = None) -> sa.Select[Any]:
    found = sa.select(queued.c.id).where(status_is("failed")).order_by(queued.c.id)
    return found.where(queued.c.task_name == task) if task is not None else found


def outdated(succeeded: timedelta, failed: timedelta) -> sa.Delete:
    """What is over for long enough. Whatever belongs to a job is gone with it."""
    over = sa.func.coalesce(job.c.finished, job.c.created)
    old = sa.select(job.c.id).where(
        job.c.id == queued.c.id,
        sa.or_(
            sa.and_(status_is("succeeded", "cancelled", "aborted"), over < sa.func.now() - succeeded),
            sa.and_(status_is("failed"), over < sa.func.now() - failed),
        ),
    )
    return sa.delete(queued).where(queued.c.id.in_(old.correlate(queued)))


def told(error: Mapping[str, Any] | None, state: str) -> str:
    """Why it failed, in one line."""
    if error is None:
        return "the project has no such task" if state == "failed" else ""
    match error.get("kind"):
        case "refused":
            return f"{error['code']}: {error['title']}"
        case "exception":
            return f"{error['error']}{' at ' + error['place'] if error.get('place') else ''}"
        case "deadline":
            return "it was late, and was ended"
        case "exited":
            return "its process ended"
        case "worker_died":
            return "its workers died again and again"
        case _:
            return str(error.get("error") or error.get("kind"))
