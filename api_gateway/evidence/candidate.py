"""Runs a route's mimic as a candidate: on the read-only database, with nothing of the installation's secrets.

This is what a candidate process does with each request; `isolation` is its other end. Whatever the mimic does (hangs,
burns the CPU, ends the process) is the problem of this process alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import socket
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from traceback import walk_stack
from typing import Any

from api_gateway import connections
from api_gateway.consumers import Principal
from api_gateway.errors import BanyanError, UsageError
from api_gateway.evidence.fingerprint import fingerprint_of, sources_digest
from api_gateway.evidence.mimic import MimicRequest, call_mimic, mimic_app
from api_gateway.evidence.observation import Failure, Observation
from api_gateway.isolated import die_with_parent, pack, read
from api_gateway.project import Project, load_project
from shared_models.database import Database

NICE = 10  # below the observer, which has gone down itself


class Candidates:
    """Every mimic of a project, each an application of its own, over one read-only Database."""

    def __init__(self, project: Project, database: Database) -> None:
        self._folder = project.folder
        self._database = database
        self._convention = project.convention
        self._apps = {name: mimic_app(route) for name, route in project.routes.items() if route.mimic is not None}

    @property
    def routes(self) -> tuple[str, ...]:
        return tuple(self._apps)

    async def observe(
        self, route: str, request: MimicRequest, principal: Principal | None, deadline: float
    ) -> Observation:
        """One run in a READ ONLY transaction that is always rolled back; there is no database to write to."""
        app = self._apps.get(route)
        if app is None:
            return Observation.failed(Failure.unavailable, "no mimic")
        database = self._database.acting(self._convention.session(principal))
        state = {"read_database": database, "write_database": None, "principal": principal}
        asked = MimicRequest(request.method, request.path, request.query, request.headers, request.body, state)
        observation = await call_mimic(app, asked, deadline=deadline, folder=self._folder)
        if observation.failure is Failure.timed_out and self._is_left_running():
            return Observation.failed(Failure.hung, observation.detail, observation.duration)
        return observation

    def _is_left_running(self) -> bool:
        """Whether code of the project still runs in a thread: a synchronous mimic cannot be cancelled."""
        return any(
            Path(step.f_code.co_filename).is_relative_to(self._folder)
            for thread, frame in sys._current_frames().items()
            if thread != threading.get_ident()
            for step, _ in walk_stack(frame)
        )


def main(descriptor: int) -> None:
    """Serve one observer over a socket until it is gone."""
    die_with_parent()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(socket.socket(fileno=descriptor)))


async def _serve(channel: socket.socket) -> None:
    reader, writer = await asyncio.open_connection(sock=channel)
    try:
        setting, _ = await read(reader)
        before = sources_digest(Path(setting["project"]))
        project = load_project(Path(setting["project"]))
        database = Database(
            setting["read_database_url"],
            size=connections.CANDIDATE,
            application_name="banyan candidate",
            statement_timeout=setting["statement_timeout"],
            lock_timeout=setting["lock_timeout"],
        )
        candidates = Candidates(project, database)
        fingerprints = {name: fingerprint_of(project, project.routes[name]) for name in candidates.routes}
        if sources_digest(project.folder) != before:
            # what was imported may be older than what was hashed: its runs would count for another candidate
            raise UsageError("the project's files changed while they were loaded.")
    except BanyanError as error:
        writer.write(pack({"fault": error.message}))
        await writer.drain()
        return
    os.nice(NICE)  # not before: on a busy machine the imports alone would then outlast what a start may take
    resource.setrlimit(resource.RLIMIT_DATA, (setting["memory"], setting["memory"]))
    writer.write(pack({"ready": fingerprints}))
    try:
        await database.open()
        await _answer_all(candidates, reader, writer)
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        await database.close()


async def _answer_all(candidates: Candidates, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        head, body = await read(reader)
        observation = await candidates.observe(
            head["route"], request_of(head, body), principal_of(head["principal"]), head["deadline"]
        )
        writer.write(pack(observation_head(observation), observation.body))
        await writer.drain()


def request_head(route: str, request: MimicRequest, principal: Principal | None, deadline: float) -> dict[str, Any]:
    """The frame that asks; its body is the request's."""
    return {
        "route": route,
        "method": request.method,
        "path": request.path,
        "query": request.query.decode("latin-1"),
        "headers": [[name.decode("latin-1"), value.decode("latin-1")] for name, value in request.headers],
        "principal": principal and principal.as_json(),
        "deadline": deadline,
    }


def request_of(head: Mapping[str, Any], body: bytes) -> MimicRequest:
    headers = tuple((name.encode("latin-1"), value.encode("latin-1")) for name, value in head["headers"])
    return MimicRequest(head["method"], head["path"], head["query"].encode("latin-1"), headers, body)


def principal_of(head: Mapping[str, Any] | None) -> Principal | None:
    return None if head is None else Principal.from_json(head)


def observation_head(observation: Observation) -> dict[str, Any]:
    """The frame that answers; its body is the answer's."""
    return {
        "status": observation.status,
        "headers": observation.headers,
        "duration": observation.duration,
        "failure": observation.failure,
        "detail": observation.detail,
    }


def observation_of(head: Mapping[str, Any], body: bytes) -> Observation:
    failure = Failure(head["failure"]) if head["failure"] is not None else None
    headers = tuple((str(name), str(value)) for name, value in head["headers"])
    return Observation(head["status"], headers, body, head["duration"], failure, head["detail"])


if __name__ == "__main__":
    main(int(sys.argv[1]))
