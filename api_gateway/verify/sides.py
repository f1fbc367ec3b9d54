"""The two that answer: the legacy app, started as it is on one copy, and the modern side here, on the other."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from api_gateway.consumers import Register
from api_gateway.dispatch.recognition import caller
from api_gateway.errors import EnvironmentFault, UsageError
from api_gateway.evidence.control import ask_legacy
from api_gateway.evidence.difference import Difference
from api_gateway.evidence.mimic import MimicRequest, call_mimic, mimic_app
from api_gateway.evidence.observation import Observation
from api_gateway.postgres import free_port
from api_gateway.project import Project
from api_gateway.routes import Route
from api_gateway.settings import settings
from api_gateway.up.plan import fill, legacy_words
from api_gateway.up.readiness import answers
from api_gateway.verify.calls import Sent
from api_gateway.verify.later import Later
from api_gateway.verify.login import Session, sign_in
from api_gateway.verify.stopping import uninterrupted
from shared_models.database import Database
from shared_models.state import API

STARTS_WITHIN = 60.0
MOST_SILENT = 10  # requests in a row without a whole answer


@contextmanager
def running_legacy(project: Project, database_url: str, env: Mapping[str, str] | None = None) -> Iterator[Legacy]:
    """Start the legacy app on this database as `banyan.toml` says. It is ended with everything it started.

    env  what is added to its environment.

    Raises UsageError when nothing says how, EnvironmentFault with the app's last words when it does not start.
    """
    legacy = project.configuration.legacy
    if legacy.start is None:
        raise UsageError("verify starts the legacy app itself.", hint="Say how in banyan.toml: [legacy] start = …")
    port = free_port()
    with tempfile.NamedTemporaryFile("wb", prefix="banyan-verify-legacy-", suffix=".log") as log:
        with ExitStack() as started:
            with uninterrupted():
                process = subprocess.Popen(
                    legacy_words(legacy.start, port, database_url),
                    cwd=(project.folder / legacy.workdir).resolve(),
                    env={
                        **os.environ,
                        **{name: fill(value, port, database_url) for name, value in legacy.env.items()},
                        **(env or {}),
                    },
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
                started.callback(_end, process)
            running = Legacy(f"http://127.0.0.1:{port}", project, database_url, process, Path(log.name))
            running.wait(STARTS_WITHIN)
            yield running


def _end(process: subprocess.Popen[bytes]) -> None:
    """With everything it started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(5)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


class Legacy:
    """The control. `session`: what requests carry of whoever is signed in."""

    def __init__(
        self, url: str, project: Project, database_url: str, process: subprocess.Popen[bytes], log: Path
    ) -> None:
        self._url, self._ready = url, url + project.configuration.legacy.ready_path
        self._login, self._database_url = project.configuration.verify.login, database_url
        self._process, self._log, self._silent = process, log, 0
        self.session = Session()

    def wait(self, seconds: float) -> None:
        """Until it answers. Raises EnvironmentFault with its last words."""
        deadline = time.monotonic() + seconds
        while not answers(self._ready):
            if self._process.poll() is not None:
                raise EnvironmentFault(f"the legacy app did not start on its copy: {self._last_words()}")
            if time.monotonic() > deadline:
                raise EnvironmentFault(
                    f"the legacy app does not answer on its copy within {seconds:.0f} s: {self._last_words()}"
                )
            time.sleep(0.1)

    def _last_words(self) -> str:
        lines = [line.strip() for line in self._log.read_text(errors="replace").splitlines() if line.strip()]
        return lines[-1][:300] if lines else "no output"

    def sign_in(self) -> None:
        """Raises EnvironmentFault in one line when the app does not let us."""
        if self._login is not None:
            self.session = sign_in(self._url, self._login, self._filled)

    def _filled(self, text: str) -> str:
        if "{password}" in text:
            text = text.replace("{password}", settings().require("verify_password"))
        return fill(text, urlsplit(self._url).port or 80, self._database_url)

    async def ask(self, request: Sent) -> Observation:
        """Raises EnvironmentFault when the app has ended, or says nothing any more."""
        answer = await ask_legacy(self._url, request.method, request.target, request.headers, request.body)
        self._silent = self._silent + 1 if answer.failure is not None else 0
        if self._silent and self._process.poll() is not None:
            raise EnvironmentFault(f"the legacy app ended in the middle: {self._last_words()}")
        if self._silent >= MOST_SILENT:
            raise EnvironmentFault(
                f"the legacy app gave no whole answer {self._silent} times in a row ({answer.failure}): "
                f"{self._last_words()}"
            )
        return answer

    def settle(self) -> None:
        """After its database was made anew: the first requests find out that their connections are gone."""
        for _ in range(4):
            answers(self._ready)
        self.sign_in()


class Modern:
    """The candidate, as the gateway runs it: the same applications, the same role, the same deadline."""

    def __init__(self, project: Project, register: Register, url: str) -> None:
        self._project, self._register, self._url = project, register, url
        self._database, self._owner = _database(url), _owner(url)
        self._later = Later(project)
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

    async def work_off(self) -> list[Difference]:
        """Run the jobs that were enqueued; those that did not succeed."""
        return await self._later.run(self._database, self._owner)

    async def close(self) -> None:
        await self._database.close()
        await self._owner.close()

    async def connect_anew(self) -> None:
        """Once its database was made anew: a pool of connections that are gone would say that the database is away."""
        await self.close()
        self._database, self._owner = _database(self._url), _owner(self._url)


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


def _owner(url: str) -> Database:
    """As the administrator: who hands out jobs on this copy."""
    return Database(url, size=1, application_name="banyan verify", statement_timeout=10, lock_timeout=5)
