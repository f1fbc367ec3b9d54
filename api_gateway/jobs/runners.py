"""The worker's end of the processes that run jobs. One that is late, or gone, costs the job it had, and nobody else."""

from __future__ import annotations

import asyncio
import socket
import sys
from dataclasses import dataclass, field
from typing import Any

from api_gateway.isolated import environment, pack, read

GRACE = 2.0  # seconds that a job which was told to stop may take to roll back
START = 30.0  # seconds a new process may take to import the project


@dataclass(frozen=True, slots=True)
class RunnerSetting:
    """What every runner is told. `memory`: bytes of its own data, enforced by the kernel; timeouts are seconds."""

    project: str
    database_url: str = field(repr=False)
    statement_timeout: float
    lock_timeout: float
    memory: int


Outcome = dict[str, Any]
"""`outcome`: succeeded, failed, refused, cancelled, superseded or unavailable; `error`: why."""


class Runner:
    """One process, started when first needed and again after each end."""

    def __init__(self, setting: RunnerSetting) -> None:
        self._setting = setting
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._fault = ""

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    async def run(self, order: dict[str, Any], deadline: float) -> Outcome:
        """How the job ended. Cancelled, it ends the job first, and gives `cancelled` unless it had just finished."""
        if self._process is None:
            await self._start()
        if self._reader is None or self._writer is None:
            return {"outcome": "unavailable", "error": {"kind": "unavailable", "error": self._fault}}
        answer = asyncio.ensure_future(self._answer(self._reader))
        self._writer.write(pack(order))
        try:
            await asyncio.wait([answer], timeout=deadline)
            if answer.done():
                return await self._ended(answer)
            await self._stopped(answer)
            await self.stop()
            return _failed("deadline")
        except asyncio.CancelledError:
            outcome = await self._stopped(answer)
            if outcome is None or outcome["outcome"] not in ("succeeded", "cancelled"):
                await self.stop()
            return outcome if outcome is not None and outcome["outcome"] == "succeeded" else {"outcome": "cancelled"}
        finally:
            answer.cancel()

    async def _answer(self, reader: asyncio.StreamReader) -> Outcome | None:
        """None: the process has ended."""
        try:
            head, _ = await read(reader)
        except (asyncio.IncompleteReadError, ConnectionError, ValueError):
            return None
        return head

    async def _ended(self, answer: asyncio.Future[Outcome | None]) -> Outcome:
        outcome = answer.result()
        if outcome is None:
            await self.stop()
            return _failed("exited")
        if outcome.get("error", {}).get("error") == "MemoryError":
            await self.stop()
        return outcome

    async def _stopped(self, answer: asyncio.Future[Outcome | None]) -> Outcome | None:
        """Tell the job to stop, and give it a moment to roll back."""
        if self._writer is not None:
            self._writer.write(pack({"stop": True}))
        await asyncio.wait([answer], timeout=GRACE)
        return answer.result() if answer.done() else None

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
        here, there = socket.socketpair()
        with there:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "api_gateway.jobs.runner", str(there.fileno()),
                pass_fds=[there.fileno()],
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,  # a task may print rows
                env=environment(),
            )  # fmt: skip
        self._reader, self._writer = await asyncio.open_connection(sock=here)
        self._writer.write(pack({name: getattr(self._setting, name) for name in self._setting.__slots__}))
        try:
            async with asyncio.timeout(START):
                answer, _ = await read(self._reader)
        except (TimeoutError, asyncio.IncompleteReadError, ConnectionError, ValueError):
            answer = {"fault": "the process did not start"}
        if "ready" not in answer:
            self._fault = str(answer.get("fault"))
            await self.stop()


class RunnerPool:
    """`size` processes. Whoever asks while all are busy waits."""

    def __init__(self, setting: RunnerSetting, size: int) -> None:
        self._all = tuple(Runner(setting) for _ in range(size))
        self._free: asyncio.LifoQueue[Runner] = asyncio.LifoQueue()
        for runner in self._all:
            self._free.put_nowait(runner)

    async def run(self, order: dict[str, Any], deadline: float) -> Outcome:
        runner = await self._free.get()
        try:
            return await runner.run(order, deadline)
        finally:
            self._free.put_nowait(runner)

    async def stop(self) -> None:
        await asyncio.gather(*(runner.stop() for runner in self._all))


def _failed(kind: str) -> Outcome:
    return {"outcome": "failed", "error": {"kind": kind}}
