"""The worker's loop: fetch a job, have it run apart, write down how it ended, try again what failed.

procrastinate hands jobs out, wakes the worker and keeps its sign of life; what a run may do, and its end, is ours.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from procrastinate import App, BaseRetryStrategy, JobContext, PsycopgConnector, RetryDecision
from procrastinate.exceptions import JobAborted
from procrastinate.job_context import AbortReason
from procrastinate.jobs import Job as QueuedJob

from api_gateway import events
from api_gateway.connections import queue_pool
from api_gateway.consumers import Principal
from api_gateway.jobs import records
from api_gateway.jobs.enqueue import QUEUE, owner_of
from api_gateway.jobs.runners import Outcome, RunnerPool
from api_gateway.jobs.task import Task
from api_gateway.logging import report
from shared_models.database import Database
from shared_models.faults import DatabaseFault
from shared_models.state import SCHEMA

SILENT_BEATS = 5
"""A worker that has missed so many signs of life is dead."""
LOOK_EVERY = 1.0
"""Seconds between two looks for jobs whose pause is over; of new ones the worker is told."""
SHORT_JOB = 1.0
"""Seconds a worker that stops gives to jobs that are about to end."""
PUT_BACK_FOR = 2.0
"""Seconds a job waits that could not be begun, which is no failure of its own."""


@dataclass(frozen=True, slots=True)
class Workplace:
    """What the loop needs. `heartbeat`: seconds; `others`: registers the engine's own periodic work."""

    owner_url: str
    database: Database
    tasks: Mapping[str, Task[Any]]
    runners: RunnerPool | None
    concurrency: int
    heartbeat: float
    others: Callable[[App], None]


class _Again(Exception):
    """The run is over, and the job is not. `after`: seconds."""

    def __init__(self, after: float) -> None:
        super().__init__()
        self.after = after


class _GivenUp(Exception):
    """It failed, and is not tried again."""


class _Retry(BaseRetryStrategy):
    def get_retry_decision(self, *, exception: BaseException, job: QueuedJob) -> RetryDecision | None:
        if isinstance(exception, _Again):
            return RetryDecision(retry_in={"milliseconds": int(exception.after * 1000)})
        if isinstance(exception, asyncio.CancelledError):  # the worker stops, the job goes on elsewhere
            return RetryDecision(retry_in={"seconds": 0})
        return None


def job_app(owner_database_url: str, connections: int = 3) -> App:
    """procrastinate over schema `banyan`; open it with `async with app.open_async()`."""
    connector = PsycopgConnector(
        conninfo=owner_database_url,
        min_size=1,
        max_size=connections,
        kwargs={"options": f"-c search_path={SCHEMA}", "application_name": "banyan worker"},
    )
    return App(connector=connector)


async def work_forever(place: Workplace) -> None:
    """Run jobs until cancelled; when the database goes away, wait and begin again."""
    while True:
        try:
            app = job_app(place.owner_url, queue_pool(place.concurrency))
            place.others(app)
            for task in place.tasks.values():
                _register(app, task, place)
            async with app.open_async(), asyncio.TaskGroup() as group:
                group.create_task(_take_up_forever(place))
                await app.run_worker_async(
                    install_signal_handlers=False,
                    wait=True,
                    listen_notify=True,
                    concurrency=place.concurrency,
                    fetch_job_polling_interval=min(LOOK_EVERY, place.heartbeat),
                    abort_job_polling_interval=min(LOOK_EVERY, place.heartbeat),
                    shutdown_graceful_timeout=SHORT_JOB,
                    update_heartbeat_interval=place.heartbeat,
                    stalled_worker_timeout=place.heartbeat * SILENT_BEATS,
                )
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever procrastinate raises without its database
            report(events.TaskFailed("jobs", type(error).__name__))
            await asyncio.sleep(2)


def _register(app: App, task: Task[Any], place: Workplace) -> None:
    async def perform(context: JobContext, /, **written: Any) -> None:
        await _perform(place, task, context, written)

    registered: Any = app.task(name=task.name, queue=QUEUE, retry=_Retry(), pass_context=True)(perform)
    if task.every is not None:
        app.periodic(cron=task.every)(registered)


async def _perform(place: Workplace, task: Task[Any], context: JobContext, written: Mapping[str, Any]) -> None:
    """One run. Returns when it succeeded; raises JobAborted, _Again or _GivenUp as procrastinate is to be told."""
    number = context.job.id or 0
    principal = written.get("principal") or Principal("staff", f"task {task.name}").as_json()
    if place.runners is None:
        raise _GivenUp
    began = time.monotonic()
    try:
        begun = await records.begin(place.database, number, owner_of(Principal.from_json(principal)))
    except DatabaseFault as fault:
        report(events.TaskFailed("jobs", type(fault).__name__))
        raise _Again(PUT_BACK_FOR) from None
    order = {
        "task": task.name,
        "arguments": written.get("arguments", {}),
        "principal": principal,
        "job": number,
        "ref": begun.ref,
        "run": begun.run,
    }
    outcome = await place.runners.run(order, begun.deadline or task.deadline)
    duration = (time.monotonic() - began) * 1000
    await _conclude(place, task, context, begun, outcome, duration)


async def _conclude(
    place: Workplace, task: Task[Any], context: JobContext, begun: records.Begun, outcome: Outcome, duration: float
) -> None:
    number = context.job.id or 0
    how, error = outcome["outcome"], outcome.get("error")
    pause: float | None = None
    if how == "cancelled" and context.abort_reason() is not AbortReason.USER_REQUEST:
        how, pause = "put back", 0.0
    elif how in ("superseded", "unavailable"):
        how, pause = "put back", PUT_BACK_FOR
    elif how == "failed":
        pause = task.pause_after(begun.failures + 1)
    if how != "put back":
        await records.end(place.database, number, failed=how in ("failed", "refused"), error=error)
    told = error or {}
    report(
        events.JobFinished(
            number,
            task.name,
            how,
            round(duration, 1),
            begun.run,
            kind=told.get("kind"),
            error=told.get("code") or told.get("error"),
            place=told.get("place") or None,
            again_in=pause,
        )
    )
    if how == "succeeded":
        return
    if how == "cancelled":
        raise JobAborted
    if pause is None:
        raise _GivenUp
    raise _Again(pause * random.uniform(0.8, 1.2))  # noqa: S311 - so that jobs that failed together do not meet again


async def _take_up_forever(place: Workplace) -> None:
    while True:
        try:
            for found in await records.take_up(place.database, place.heartbeat * SILENT_BEATS):
                report(events.JobTakenUp(found.job, found.task, found.again))
        except DatabaseFault as fault:
            report(events.TaskFailed("jobs of dead workers", type(fault).__name__))
        await asyncio.sleep(place.heartbeat)
