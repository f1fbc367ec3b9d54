"""A project of chores: its database, its operations as consumers see them, and a worker for its tasks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any

import httpx2
import psycopg
import uvicorn
from procrastinate import App
from starlette.types import ASGIApp, Receive, Scope, Send

from api_gateway.api.build import Databases, build_api
from api_gateway.api.contract import Contract, touched_by
from api_gateway.app import Serving
from api_gateway.consumers import Consumer, Credential, Principal, Register, secret_hash
from api_gateway.jobs import Enqueued, Enqueuer, Job, load_tasks
from api_gateway.jobs.runners import RunnerPool, RunnerSetting
from api_gateway.jobs.working import Workplace, work_forever
from api_gateway.postgres import Server, free_port
from api_gateway.project import Project, load_project
from shared_models.binding import bind
from shared_models.catalog import read_snapshot
from shared_models.database import Database
from shared_models.granting import apply, wanted
from shared_models.grants import grants
from shared_models.migrations import upgrade
from tests.support.api import Api

FOLDER = Path(__file__).parent / "chores"
BOTH = [Consumer(code, code, frozenset({"chores:write"})) for code in ("ACME", "BOLT")]
HEARTBEAT = 0.2


class _Closing:
    """The application, with its connections closed where they were opened: in the server's own loop."""

    def __init__(self, app: ASGIApp, database: Database) -> None:
        self._app, self._database = app, database

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await self._app(scope, receive, send)
            return
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._database.close()
        await send({"type": "lifespan.shutdown.complete"})


def _nothing_else(app: App) -> None:
    """No periodic work of the engine's own."""


@dataclass(frozen=True)
class Chores:
    """The project over one database."""

    server: Server
    url: str
    project: Project = field(default_factory=lambda: load_project(FOLDER))
    revoked: set[str] = field(default_factory=set)

    def revoke(self, *consumers: str) -> None:
        """Exactly these keys are not accepted from now on."""
        self.revoked.clear()
        self.revoked.update(consumers)

    def login(self, role: str) -> str:
        return self.server.url(self.url.rsplit("/", 1)[1], user=role)

    def lay(self) -> None:
        """The table, schema `banyan`, and what operations and tasks touch."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(self.project.module("tables").SQL)
            upgrade(self.url)
            snapshot = read_snapshot(connection, ["public"])
            contract = self._contract(snapshot)
            touched = touched_by(self.project, contract)
            apply(
                connection, wanted(grants(contract.resources, touched, snapshot), touched, snapshot, contract.resources)
            )

    def _contract(self, snapshot: Any) -> Contract:
        module = self.project.module("contract")
        return Contract(bind(module, snapshot), tuple(self.project.module("operations").operations))

    @contextmanager
    def served(self) -> Iterator[Api]:
        """The API on a port of its own, for as long as the block lasts."""
        with psycopg.connect(self.url) as connection:
            contract = self._contract(read_snapshot(connection, ["public"]))
        database = self._database("banyan_api")
        app = build_api(self.project, contract, self._register, Databases(database, database), secret="of the tests")
        port = free_port()
        config = uvicorn.Config(_Closing(app, database), port=port, log_level="critical", access_log=False)
        server = Serving(config, lambda: app.state.watching.close())
        thread = Thread(target=server.run, daemon=True)
        thread.start()
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        try:
            with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
                yield Api(client, contract)  # type: ignore[arg-type]  # it asks as the test client does
        finally:
            server.should_exit = True
            thread.join(15)
            assert not thread.is_alive(), "the gateway does not stop"

    def _register(self) -> Register:
        keys = [Credential(c.code, "api_key", secret_hash(c.code)) for c in BOTH if c.code not in self.revoked]
        return Register.of(1, BOTH, keys)

    def _database(self, role: str) -> Database:
        return Database(self.login(role), size=3, application_name="tests", statement_timeout=5, lock_timeout=2)

    @property
    def tasks(self) -> Any:
        return self.project.module("tasks")

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url) as connection:
            return connection.execute(query.encode(), values).fetchall()

    def noted(self) -> list[str]:
        return [row[0] for row in self.rows("SELECT what FROM chore ORDER BY what")]

    def jobs(self) -> list[tuple[str, str]]:
        return [
            (task, status)
            for task, status in self.rows("SELECT task_name, status::text FROM banyan.procrastinate_jobs ORDER BY id")
        ]

    @asynccontextmanager
    async def database(self) -> AsyncIterator[Database]:
        database = self._database("banyan_api")
        try:
            yield database
        finally:
            await database.close()

    async def enqueue(self, *jobs: Job, consumer: str = "ACME", **options: Any) -> list[Enqueued]:
        async with self.database() as database, database.write() as tx:
            enqueue = Enqueuer(tx, Principal("consumer", consumer))
            return [await enqueue(job, **options) for job in jobs]

    @asynccontextmanager
    async def worker(self, concurrency: int = 1) -> AsyncIterator[None]:
        """A worker in this process; the jobs run in others."""
        setting = RunnerSetting(str(FOLDER), self.login("banyan_api"), 5.0, 1.0, 256 * 1024 * 1024)
        runners = RunnerPool(setting, concurrency)
        database = self._database("banyan_owner")
        tasks, url = load_tasks(self.project), self.login("banyan_owner")
        place = Workplace(url, database, tasks, runners, concurrency, HEARTBEAT, _nothing_else)
        working = asyncio.create_task(work_forever(place))
        try:
            yield
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
            await runners.stop()
            await database.close()

    async def settled(self, seconds: float = 30.0) -> Sequence[tuple[str, str]]:
        """The jobs, once none waits or runs."""
        await until(lambda: not {"todo", "doing"} & {status for _, status in self.jobs()}, seconds)
        return self.jobs()


async def until(holds: Callable[[], bool | Awaitable[bool]], seconds: float = 30.0) -> None:
    async with asyncio.timeout(seconds):
        while True:
            found = holds()
            if found if isinstance(found, bool) else await found:
                return
            await asyncio.sleep(0.02)
