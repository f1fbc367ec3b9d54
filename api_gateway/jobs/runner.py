"""The process that runs jobs, one at a time: whatever a task does (hangs, ends the process, eats memory) is its own.

`runners` is its other end. It dies with the worker, so that no run is left behind that nobody watches.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from api_gateway import connections
from api_gateway.consumers import Principal
from api_gateway.errors import BanyanError, Problem
from api_gateway.isolated import die_with_parent, pack, read
from api_gateway.jobs.load import load_tasks
from api_gateway.jobs.task import Task
from api_gateway.jobs.work import Superseded, Work
from api_gateway.project import Project, load_project
from shared_models.database import Database
from shared_models.grants import touches_of

NICE = 5

Frame = tuple[dict[str, Any], bytes]


def main(descriptor: int) -> None:
    """Serve one worker over a socket until it is gone."""
    die_with_parent()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(socket.socket(fileno=descriptor)))


async def _serve(channel: socket.socket) -> None:
    reader, writer = await asyncio.open_connection(sock=channel)
    setting, _ = await read(reader)
    try:
        project = load_project(Path(setting["project"]))
        tasks = load_tasks(project)
    except BanyanError as error:
        writer.write(pack({"fault": error.message}))
        await writer.drain()
        return
    database = Database(
        setting["database_url"],
        size=connections.RUNNER,
        application_name="banyan job",
        statement_timeout=setting["statement_timeout"],
        lock_timeout=setting["lock_timeout"],
    )
    os.nice(NICE)
    resource.setrlimit(resource.RLIMIT_DATA, (setting["memory"], setting["memory"]))
    writer.write(pack({"ready": sorted(tasks)}))
    try:
        await _work_off(project, tasks, database, reader, writer)
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        await database.close()


async def _work_off(
    project: Project,
    tasks: Mapping[str, Task[Any]],
    database: Database,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> None:
    """Until the worker is gone: asyncio.IncompleteReadError."""
    word = asyncio.create_task(read(reader))
    while True:
        head, _ = await word
        word = asyncio.create_task(read(reader))
        if "task" not in head:
            continue  # a word to a job that has ended already
        principal = Principal.from_json(head["principal"])
        acting = database.acting(project.convention.session(principal))
        task = tasks[head["task"]]
        touches = next(iter(touches_of([task.run])), None)
        work = Work(principal, head["job"], head["ref"], head["run"], task.name, acting, database, touches)
        running = asyncio.create_task(outcome_of(task, work, head["arguments"], project.folder))
        while not running.done():
            await asyncio.wait([running, word], return_when=asyncio.FIRST_COMPLETED)
            if word.done():
                running.cancel()  # the only word there is; or the worker is gone
                if word.exception() is not None:
                    break
                word = asyncio.create_task(read(reader))
        writer.write(pack(await running))
        await writer.drain()


async def outcome_of(task: Task[Any], work: Work, arguments: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Run it. Of an exception its class and place are told, never its text, which may hold rows."""
    try:
        await task.run(work, **task.arguments_of(arguments))
    except asyncio.CancelledError:
        return {"outcome": "cancelled"}
    except Superseded:
        return {"outcome": "superseded"}
    except Problem as problem:
        told = {"kind": "refused", "code": problem.code, "title": problem.title, "detail": problem.detail}
        return {"outcome": "refused", "error": told}
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a task raises is how its run ended
        return {
            "outcome": "failed",
            "error": {"kind": "exception", "error": type(error).__name__, "place": _place(error, folder)},
        }
    return {"outcome": "succeeded"}


def _place(error: BaseException, folder: Path) -> str:
    """`file:line` of the innermost frame that lies in the project."""
    place, trace = "", error.__traceback__
    while trace is not None:
        path = Path(trace.tb_frame.f_code.co_filename)
        if path.is_relative_to(folder):
            place = f"{path.relative_to(folder)}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place


if __name__ == "__main__":
    main(int(sys.argv[1]))
