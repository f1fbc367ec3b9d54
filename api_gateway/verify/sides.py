"""The two that answer: the legacy app, started as it is on one copy, and the modern side here, on the other."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

from api_gateway.consumers import Register
from api_gateway.dispatch.recognition import caller
from api_gateway.errors import EnvironmentFault, UsageError
from api_gateway.evidence.control import ask_legacy
from api_gateway.evidence.mimic import MimicRequest, call_mimic, mimic_app
from api_gateway.evidence.observation import Observation
from api_gateway.postgres import free_port
from api_gateway.project import Project
from api_gateway.routes import Route
from api_gateway.up.plan import fill, legacy_words
from api_gateway.up.readiness import answers
from api_gateway.verify.calls import Sent
from shared_models.database import Database
from shared_models.state import API

STARTS_WITHIN = 60.0


@contextmanager
def running_legacy(project: Project, database_url: str) -> Iterator[str]:
    """Start the legacy app on this database as `banyan.toml` says; its URL. It is ended with everything it started."""
    legacy = project.configuration.legacy
    if legacy.start is None:
        raise UsageError("verify starts the legacy app itself.", hint="Say how in banyan.toml: [legacy] start = …")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with tempfile.NamedTemporaryFile("wb", prefix="banyan-verify-legacy-", suffix=".log") as log:
        process = subprocess.Popen(
            legacy_words(legacy.start, port, database_url),
            cwd=(project.folder / legacy.workdir).resolve(),
            env={**os.environ, **{name: fill(value, port, database_url) for name, value in legacy.env.items()}},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            _wait(process, url + legacy.ready_path, Path(log.name))
            yield url
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                process.wait(5)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + STARTS_WITHIN
    while not answers(url):
        if process.poll() is not None or time.monotonic() > deadline:
            lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
            raise EnvironmentFault(f"the legacy app did not start on its copy: {lines[-1] if lines else 'no output'}")
        time.sleep(0.1)


class Legacy:
    """The control."""

    def __init__(self, url: str, ready_path: str) -> None:
        self._url, self._ready = url, url + ready_path

    async def ask(self, request: Sent) -> Observation:
        return await ask_legacy(self._url, request.method, request.target, request.headers, request.body)

    def settle(self) -> None:
        """After its database was made anew: the first requests find out that their connections are gone."""
        for _ in range(4):
            answers(self._ready)


class Modern:
    """The candidate, as the gateway runs it: the same applications, the same role, the same deadline."""

    def __init__(self, project: Project, register: Register, url: str) -> None:
        self._project, self._register, self._url = project, register, url
        self._database = _database(url)
        self._apps: dict[str, Any] = {
            name: mimic_app(route) for name, route in project.routes.items() if route.mimic is not None
        }

    def names(self, route: Route, request: Sent) -> str | None:
        """Whom the gateway takes the caller for; "?" for one that it leaves to legacy."""
        who = caller(self._register, route, request.target, request.headers, request.body)
        return "?" if who.ambiguous or who.unknown else who.consumer

    async def ask(self, route: Route, request: Sent) -> Observation:
        consumer = self._register.consumers.get(self.names(route, request) or "")
        principal = consumer.principal if consumer is not None else None
        database = self._database.acting(self._project.convention.session(principal))
        asked = MimicRequest(
            request.method,
            request.path,
            request.query.encode("latin-1"),
            request.headers,
            request.body,
            {
                "read_database": database,
                "write_database": database,
                "principal": principal,
                "request_id": uuid.uuid4().hex,
            },
        )
        return await call_mimic(
            self._apps[route.name], asked, deadline=max(route.timeout, 10.0), folder=self._project.folder
        )

    async def close(self) -> None:
        await self._database.close()

    async def connect_anew(self) -> None:
        """Once its database was made anew: a pool of connections that are gone would say that the database is away."""
        await self._database.close()
        self._database = _database(self._url)


@asynccontextmanager
async def modern_side(project: Project, register: Register, url: str) -> AsyncIterator[Modern]:
    """On this copy, as banyan_api, whatever login the URL has."""
    modern = Modern(project, register, url)
    try:
        yield modern
    finally:
        await asyncio.shield(modern.close())


def _database(url: str) -> Database:
    """As banyan_api. Its connections are opened when they are first needed."""
    separator = "&" if "?" in url else "?"
    return Database(
        f"{url}{separator}options=-c%20role%3D{API}",
        size=2,
        application_name="banyan verify",
        statement_timeout=10,
        lock_timeout=5,
    )
