"""The observer's composition root: settings in, tasks running, everything closed in order at the end."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from api_gateway import connections, events
from api_gateway.api.contract import load_contract
from api_gateway.consumers import Register
from api_gateway.edge.exchange_wire import ExchangeServer, serve_exchanges
from api_gateway.errors import UsageError
from api_gateway.evidence.fingerprint import fingerprint_of
from api_gateway.evidence.isolation import CandidatePool, CandidateSetting
from api_gateway.evidence.record import Recorder
from api_gateway.inventory.stock import Stock
from api_gateway.ledger import Watcher
from api_gateway.logging import configure, report
from api_gateway.moves.guard import Guard
from api_gateway.observer.exchanges import Exchanges
from api_gateway.outages import SchemaWatch, Sight, roles_of
from api_gateway.project import Project, load_project
from api_gateway.recordings.keep import Keeper
from api_gateway.settings import Settings
from api_gateway.stages import Stage, StageTable
from shared_models.database import Database

NICE = 5
MEMORY = 1024 * 1024 * 1024  # bytes of this process's own data; candidate processes have their own limit
COMPARING = 4  # exchanges at a time, some of which wait before another look
REPORT_EVERY = 10.0
RELOAD_EVERY = 2.0


def run(settings: Settings) -> None:
    """Run until SIGTERM. Raises UsageError for a missing setting, EnvironmentFault when the port is taken."""
    configure("observer", form=settings.log_format, level=settings.log_level)
    owner_url, read_url = settings.require("owner_database_url"), settings.require("read_database_url")
    project = load_project(settings.project)
    os.nice(NICE)
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # what consumers send passes through its memory: no core on a disk
    asyncio.run(_run(settings, project, owner_url, read_url))


async def _run(settings: Settings, project: Project, owner_url: str, read_url: str) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    async with AsyncExitStack() as opened:
        watcher = await opened.enter_async_context(Watcher(owner_url, "observer", settings.state_dir, _keep_nothing))
        guard = await opened.enter_async_context(Guard(project, owner_url))
        recorder = await opened.enter_async_context(
            Recorder(owner_url, application_name="banyan observer", stored=guard.noted)
        )
        keeper = await opened.enter_async_context(Keeper(owner_url, application_name="banyan observer recordings"))
        share = project.configuration.edge.unlisted_share
        stock = await opened.enter_async_context(Stock(owner_url, share, application_name="banyan observer inventory"))
        candidates = CandidatePool(CandidateSetting(str(project.folder), read_url), connections.CANDIDATES)
        opened.push_async_callback(candidates.stop)
        legacy_url = settings.legacy_url or project.configuration.legacy.url
        schema = await opened.enter_async_context(_schema_watch(project, read_url, watcher))
        exchanges = Exchanges(
            project, watcher, recorder, candidates, legacy_url=legacy_url, schema=schema, keeper=keeper, stock=stock
        )
        receiver = await serve_exchanges(settings.observer_port, exchanges.take)
        opened.push_async_callback(receiver.stop)
        report(events.ProcessStarted("observer", f"127.0.0.1:{receiver.port}"))
        tasks = [
            *(asyncio.create_task(exchanges.work()) for _ in range(COMPARING)),
            asyncio.create_task(_every(REPORT_EVERY, _reporting(exchanges, receiver))),
            asyncio.create_task(_every(RELOAD_EVERY, _reloading(project, watcher, candidates))),
        ]
        await stopping.wait()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    report(events.ProcessStopped("observer"))


@asynccontextmanager
async def _schema_watch(project: Project, read_url: str, watcher: Watcher) -> AsyncIterator[SchemaWatch | None]:
    """What the candidates' role sees of the schema. The gateways write the ledger.

    None for a project whose contract cannot be loaded: its mimics can be compared all the same.
    """
    try:
        contract = load_contract(project, strict=False)
    except UsageError:
        yield None
        return
    database = Database(
        read_url,
        size=connections.SCHEMA_WATCH,
        application_name="banyan observer schema",
        statement_timeout=2,
        lock_timeout=0.2,
    )
    try:
        roles = partial(_roles, project, watcher)
        async with SchemaWatch(project, contract, Sight(database, read_url, writes=False, roles=roles)) as watch:
            yield watch
    finally:
        await database.close()


def _roles(project: Project, watcher: Watcher) -> frozenset[str]:
    return roles_of(project.convention, watcher.register.all)


def _keep_nothing(table: StageTable, register: Register) -> None:
    """The watcher itself holds what is acted on; from here on every exchange is judged by it."""


def _reporting(exchanges: Exchanges, receiver: ExchangeServer) -> Callable[[], Awaitable[None]]:
    told = 0

    async def tell() -> None:
        nonlocal told
        exchanges.report_skipped()
        if receiver.skipped > told:
            report(events.ExchangeSkipped("", "too many arriving", receiver.skipped - told))
            told = receiver.skipped

    return tell


def _reloading(project: Project, watcher: Watcher, candidates: CandidatePool) -> Callable[[], Awaitable[None]]:
    """A candidate is what lies in the project's folder now: when that changed, the processes start anew."""

    async def look() -> None:
        for route in project.routes.values():
            if route.mimic is not None and Stage.shadow in watcher.table.stages_of(route.name):
                present = await asyncio.to_thread(fingerprint_of, project, route)
                if candidates.is_outdated(route.name, present):
                    candidates.renew()
                    return

    return look


async def _every(seconds: float, do: Callable[[], Awaitable[None]]) -> None:
    while True:
        await asyncio.sleep(seconds)
        try:
            await do()
        except (OSError, SyntaxError, ValueError):  # a file in the middle of being written; the next turn sees it whole
            continue
        except Exception as error:  # noqa: BLE001  a task that ended would leave old candidates running for good
            report(events.TaskFailed(do.__qualname__.partition(".")[0].strip("_"), type(error).__name__))
