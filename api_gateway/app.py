"""The gateway process, read top to bottom: settings in, one ASGI application out.

A request is the edge's health check, a listed legacy route (the edge says so in `x-banyan-route`), or the typed API.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING
from weakref import WeakSet

import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from api_gateway import events
from api_gateway.api.build import Databases, build_api, front_of
from api_gateway.api.contract import load_contract
from api_gateway.consumers import Register
from api_gateway.dispatch import Dispatcher, LiveLooks
from api_gateway.evidence.fingerprint import fingerprint_of
from api_gateway.evidence.record import Recorder
from api_gateway.ledger import Watcher
from api_gateway.logging import configure, report
from api_gateway.moves.guard import Guard
from api_gateway.outages import Judgement, SchemaWatch, Sight, roles_of
from api_gateway.project import Project, load_project
from api_gateway.settings import Settings
from api_gateway.stages import StageTable
from shared_models.database import Database

if TYPE_CHECKING:
    import socket

    from api_gateway.accounts.build import Accounts
    from api_gateway.jobs.watched import Watching

HEALTH_PATH = "/banyan/health"
_FIT_EVERY = 1.0


def run(settings: Settings, host: str, port: int) -> None:
    """Serve until SIGTERM. Raises UsageError in one line for a missing setting or a project that cannot be loaded."""
    configure("gateway", form=settings.log_format, level=settings.log_level)
    gateway = Gateway(settings, f"{host}:{port}")
    config = uvicorn.Config(
        gateway,
        host=host,
        port=port,
        http="httptools",
        loop="uvloop",
        lifespan="on",
        access_log=False,  # it would print query strings, and tokens with them
        server_header=False,
        proxy_headers=False,
        log_config=None,
        ws_max_size=4096,  # nobody is listened to
        ws_per_message_deflate=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=10,
    )
    Serving(config, gateway.end_streams).run()


class Serving(uvicorn.Server):
    """Ends what would never end by itself before it waits for what is being answered."""

    def __init__(self, config: uvicorn.Config, end_streams: Callable[[], None]) -> None:
        super().__init__(config)
        self._end_streams = end_streams

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._end_streams()
        await super().shutdown(sockets)


class Gateway:
    """One gateway process as an ASGI application."""

    def __init__(self, settings: Settings, where: str, project: Project | None = None) -> None:
        project = project or load_project(settings.project)
        owner_url = settings.require("owner_database_url")
        self._where = where
        self._accounts = self._of_accounts(project, settings)
        followers = [self._accounts.ended.follow] if self._accounts is not None else []
        self._watcher = Watcher(owner_url, "app", settings.state_dir, _keep_nothing, followers=followers)
        self._guard = Guard(project, owner_url)
        self._recorder = Recorder(owner_url, application_name="banyan gateway counts", stored=self._guard.noted)
        self._database = Database(
            settings.require("api_database_url"),
            size=lambda: settings.pool_share(self._watcher.gateways),
            application_name="banyan gateway",
            statement_timeout=settings.statement_timeout,
            lock_timeout=settings.lock_timeout,
            pooled=settings.pooler == "transaction",
            exports=settings.exports,
            export_timeout=settings.export_timeout,
        )
        contract = load_contract(project, strict=False)
        self._build = partial(
            build_api,
            project,
            contract,
            lambda: self._watcher.register,
            Databases(self._database, self._database),
            secret=settings.require("session_secret"),
            gateways=lambda: self._watcher.gateways,
            accounts=self._accounts,
        )
        self._api: FastAPI = self._build()
        self._front: ASGIApp = front_of(self._api)
        self._served: WeakSet[FastAPI] = WeakSet([self._api])
        sight = Sight(
            self._database,
            settings.require("api_database_url"),
            owner_url,
            roles=lambda: roles_of(project.convention, self._watcher.register.all),
        )
        self._schema = SchemaWatch(project, contract, sight, self._serve)
        legacy = project.configuration.legacy
        legacy_url = legacy.twin or settings.legacy_url or legacy.url
        mark = partial(fingerprint_of, project)
        self._looks = LiveLooks(legacy_url, legacy.compared, self._recorder, mark)
        self._dispatcher = Dispatcher(
            project,
            self._watcher,
            self._recorder,
            databases={"read_database": self._database, "write_database": self._database},
            pass_secret=settings.require("pass_secret"),
            override_secret=settings.require("session_secret"),
            schema=self._schema,
            looks=self._looks,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(self.opened, receive, send)
        elif Dispatcher.handles(scope):
            await self._dispatcher(scope, receive, send)
        elif scope["type"] == "http" and scope["path"] == HEALTH_PATH:
            await _answer_health(send)
        else:
            await self._front(scope, receive, send)

    def _of_accounts(self, project: Project, settings: Settings) -> Accounts | None:
        """Imported where a project has some: they bring cryptography along."""
        if not project.configuration.accounts and not project.configuration.issuers:
            return None
        from api_gateway.accounts.build import build_accounts

        return build_accounts(project, settings, shared_by=lambda: self._watcher.gateways)

    def _serve(self, judgement: Judgement) -> None:
        """The typed API for the schema as it is now, from the next request on; who is being answered keeps the old.

        Another application, not another state of this one: no request sees half of each.
        """
        api = self._build(served=judgement.versions)
        self._served.add(api)
        self._front = front_of(api)

    def end_streams(self) -> None:
        """Of every application that still answers somebody."""
        for api in self._served:
            watching: Watching | None = getattr(api.state, "watching", None)
            if watching is not None:
                watching.close()

    async def _fit(self) -> None:
        """Of the connections that all gateways may hold, this one's part shrinks when others come."""
        while True:
            await asyncio.sleep(_FIT_EVERY)
            self._database.fit()

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Everything that lives as long as the process. Nothing here needs the database to be there."""
        async with AsyncExitStack() as stack:
            await self._database.open()
            stack.push_async_callback(self._database.close)
            if self._accounts is not None:
                stack.push_async_callback(self._accounts.close)
            await stack.enter_async_context(self._guard)
            await stack.enter_async_context(self._recorder)
            stack.callback(self._looks.close)
            await stack.enter_async_context(self._watcher)
            await stack.enter_async_context(self._schema)
            fitting = asyncio.create_task(self._fit())
            stack.callback(fitting.cancel)
            await stack.enter_async_context(self._api.router.lifespan_context(self._api))
            report(events.ProcessStarted("app", self._where))
            yield
        report(events.ProcessStopped("app"))


def _keep_nothing(table: StageTable, register: Register) -> None:
    """The watcher itself holds what is acted on; the next request is decided by it."""


async def _lifespan(opened: Callable[[], AbstractAsyncContextManager[None]], receive: Receive, send: Send) -> None:
    await receive()
    async with opened():
        await send({"type": "lifespan.startup.complete"})
        await receive()
    await send({"type": "lifespan.shutdown.complete"})


async def _answer_health(send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})
