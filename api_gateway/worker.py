"""The worker: the project's tasks in the background, a watch over what the API wrote, and the console on its own port.

The console lives here and not in a gateway: a page that somebody watches must not take time from the API, and it must
never share an origin with the legacy app.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from procrastinate import App

from api_gateway import housekeeping
from api_gateway.connections import own_pool
from api_gateway.console import build_console
from api_gateway.consumers import Register
from api_gateway.events import ProcessStarted, ProcessStopped
from api_gateway.evidence.reverted import watch_forever
from api_gateway.jobs import load_tasks
from api_gateway.jobs.runners import RunnerPool, RunnerSetting
from api_gateway.jobs.working import Workplace, work_forever
from api_gateway.ledger import Watcher
from api_gateway.logging import configure, report
from api_gateway.moves import notices
from api_gateway.moves.checks import Rounds
from api_gateway.project import Project, load_project
from api_gateway.settings import Settings
from api_gateway.stages import StageTable
from shared_models.database import Database


def run(settings: Settings) -> None:
    """Run until SIGTERM. Raises UsageError when a needed setting is missing, or the project cannot be loaded."""
    configure("worker", form=settings.log_format, level=settings.log_level)
    owner = settings.require("owner_database_url")
    settings.require("session_secret")
    asyncio.run(_run(settings, owner, load_project(settings.project)))


async def _run(settings: Settings, owner_url: str, project: Project) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    console = _console_server(settings)
    async with Watcher(owner_url, "worker", settings.state_dir, _keep_nothing), workplace(settings, project) as place:
        parts = [
            asyncio.create_task(console.serve(), name="console"),
            asyncio.create_task(work_forever(place), name="jobs"),
        ]
        if settings.read_database_url is not None:
            reading = watch_forever(owner_url, settings.require("read_database_url"))
            parts.append(asyncio.create_task(reading, name="reverted writes"))
        read_url = settings.read_database_url
        rounds = Rounds(project, owner_url, read_url.get_secret_value() if read_url is not None else None)
        parts.append(asyncio.create_task(rounds.forever(), name="checks and plans"))
        waiting = asyncio.create_task(stopping.wait())
        report(ProcessStarted("worker", f"{settings.console_host}:{settings.console_port}"))
        await asyncio.wait([waiting, *parts], return_when=asyncio.FIRST_COMPLETED)
        console.should_exit = True
        for part in (waiting, *parts):
            part.cancel()
        await asyncio.gather(waiting, *parts, return_exceptions=True)
    report(ProcessStopped("worker"))


def _keep_nothing(table: StageTable, register: Register) -> None:
    """The worker acts on no stage yet; it acknowledges, so that a move knows it lives."""


def _console_server(settings: Settings) -> uvicorn.Server:
    config = uvicorn.Config(
        build_console(settings),
        host=settings.console_host,
        port=settings.console_port,
        access_log=False,
        server_header=False,
        log_config=None,
        lifespan="on",
    )
    return uvicorn.Server(config)


@asynccontextmanager
async def workplace(settings: Settings, project: Project) -> AsyncIterator[Workplace]:
    """Where jobs are worked off: the project's tasks, the processes that run them, and our own connections."""
    tasks = load_tasks(project)
    owner_url = settings.require("owner_database_url")
    database = Database(
        owner_url,
        size=own_pool(settings.job_concurrency),
        application_name="banyan worker",
        statement_timeout=settings.statement_timeout,
        lock_timeout=settings.lock_timeout,
    )
    runners = RunnerPool(_runner_setting(settings, project), settings.job_concurrency) if tasks else None
    try:
        yield Workplace(
            owner_url,
            database,
            tasks,
            runners,
            settings.job_concurrency,
            settings.job_heartbeat,
            lambda app: _own_tasks(app, settings, project),
        )
    finally:
        if runners is not None:
            await runners.stop()
        await database.close()


def _own_tasks(app: App, settings: Settings, project: Project) -> None:
    housekeeping.schedule(app, settings.require("owner_database_url"))
    notices.schedule(app, settings, project.configuration.notices)


def _runner_setting(settings: Settings, project: Project) -> RunnerSetting:
    return RunnerSetting(
        str(project.folder),
        settings.require("api_database_url"),
        settings.job_statement_timeout,
        settings.lock_timeout,
        settings.job_memory * 1024 * 1024,
    )
