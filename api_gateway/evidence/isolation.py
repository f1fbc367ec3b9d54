"""Candidates run in processes of their own, which are killed when they are late: nothing they do reaches the observer.

One request at a time per process, so that a killed process takes nobody else's candidate with it.
"""

from __future__ import annotations

import asyncio
import socket
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from api_gateway.consumers import Principal
from api_gateway.evidence.candidate import observation_of, request_head
from api_gateway.evidence.mimic import MimicRequest
from api_gateway.evidence.observation import Failure, Observation
from api_gateway.isolated import environment, pack, read
from api_gateway.routes import Route

GRACE = 1.0  # seconds beyond its deadline before a candidate process is killed
START = 30.0  # seconds a new process may take to import the project
RETRY = 5.0  # seconds before another start after one that failed


@dataclass(frozen=True, slots=True)
class CandidateSetting:
    """What every candidate process is told. `memory`: bytes of its own data, enforced by the kernel."""

    project: str
    read_database_url: str = field(repr=False)
    statement_timeout: float = 2.0
    lock_timeout: float = 0.2
    memory: int = 512 * 1024 * 1024


class CandidateProcess:
    """One process, started when first needed and again after each end."""

    def __init__(self, setting: CandidateSetting) -> None:
        self._setting = setting
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._fault = ""
        self.generation = 0
        self.fingerprints: Mapping[str, str] = {}
        self._failed_at = float("-inf")

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    async def ask(
        self, route: Route, request: MimicRequest, principal: Principal | None, generation: int = 0
    ) -> Observation:
        """Run the route's mimic once. Never raises; a process that is late, or gone, is a failed observation.

        A process that was started for an earlier generation of the sources is replaced first.
        """
        if self._process is not None and self.generation != generation:
            await self.stop()
        if self._process is None:
            self.generation = generation
            await self._start()
        if self._reader is None or self._writer is None:
            return Observation.failed(Failure.unavailable, self._fault)
        started = time.monotonic()
        try:
            self._writer.write(pack(request_head(route.name, request, principal, route.timeout), request.body))
            async with asyncio.timeout(route.timeout + GRACE):
                await self._writer.drain()
                observation = observation_of(*await read(self._reader))
        except TimeoutError:
            await self.stop()
            return Observation.failed(Failure.hung, "process killed", time.monotonic() - started)
        except (asyncio.IncompleteReadError, ConnectionError, ValueError):
            await self.stop()
            return Observation.failed(Failure.exited, "process ended", time.monotonic() - started)
        except asyncio.CancelledError:
            await self.stop()
            raise
        if observation.failure is Failure.hung:
            await self.stop()  # what is left of it would slow the next one down
        return observation

    async def stop(self) -> None:
        process, writer = self._process, self._writer
        self._process = self._reader = self._writer = None
        if writer is not None:
            writer.close()
        if process is not None:
            if process.returncode is None:
                process.kill()
            await process.wait()

    async def _start(self) -> None:
        if time.monotonic() - self._failed_at < RETRY:
            return
        here, there = socket.socketpair()
        with there:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "api_gateway.evidence.candidate", str(there.fileno()),
                pass_fds=[there.fileno()],
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,  # a mimic may print rows
                env=environment(),
            )  # fmt: skip
        self._reader, self._writer = await asyncio.open_connection(sock=here)
        setting = {name: getattr(self._setting, name) for name in self._setting.__slots__}
        self._writer.write(pack(setting))
        try:
            async with asyncio.timeout(START):
                answer, _ = await read(self._reader)
        except (TimeoutError, asyncio.IncompleteReadError, ConnectionError, ValueError):
            answer = {"fault": "the candidate process did not start"}
        self.fingerprints = answer.get("ready") or {}
        if "ready" not in answer:
            self._fault, self._failed_at = str(answer.get("fault")), time.monotonic()
            await self.stop()


class CandidatePool:
    """`size` processes. Whoever asks while all are busy waits; the observer bounds how many do."""

    def __init__(self, setting: CandidateSetting, size: int) -> None:
        self._all = tuple(CandidateProcess(setting) for _ in range(size))
        self._free: asyncio.LifoQueue[CandidateProcess] = asyncio.LifoQueue()
        for process in self._all:
            self._free.put_nowait(process)
        self._generation = 0
        self._fingerprints: Mapping[str, str] = {}

    @property
    def pids(self) -> tuple[int, ...]:
        return tuple(process.pid for process in self._all if process.pid is not None)

    def fingerprint(self, route: str) -> str:
        """Of the candidate that was run last, empty when none was."""
        return self._fingerprints.get(route, "")

    def is_outdated(self, route: str, present: str) -> bool:
        """Whether a process runs another candidate than the present one; those to be replaced anyway do not count."""
        current = (one for one in self._all if one.pid is not None and one.generation == self._generation)
        return any(process.fingerprints.get(route, present) != present for process in current)

    def renew(self) -> None:
        """The sources have changed: from now on only processes started after this moment are asked."""
        self._generation += 1

    async def ask(self, route: Route, request: MimicRequest, principal: Principal | None) -> tuple[Observation, str]:
        """The observation, and the fingerprint of the candidate that made it."""
        process = await self._free.get()  # the last one used first: the second starts only when it is needed
        try:
            observation = await process.ask(route, request, principal, self._generation)
            self._fingerprints = process.fingerprints or self._fingerprints
            return observation, self.fingerprint(route.name)
        finally:
            self._free.put_nowait(process)

    async def stop(self) -> None:
        await asyncio.gather(*(process.stop() for process in self._all))
