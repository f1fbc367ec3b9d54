"""Tasks that behave, and tasks that do not."""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import date
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from chores.tables import chore

from api_gateway.errors import Problem
from api_gateway.jobs import RowFault, Work, task
from shared_models.grants import touches


async def _note(work: Work, what: str) -> None:
    async with work.write() as tx:
        await tx.execute(sa.insert(chore).values(what=what, by=work.principal.code, run=work.run))


@task()
@touches(insert={"chore": ["what", "by", "run"]}, select={"chore": ["what", "by", "run"]})
async def note(work: Work, what: str) -> None:
    await _note(work, what)


@task()
async def count(work: Work, of: str) -> None:
    """How many there are of what its operation has just written."""
    async with work.read() as tx:
        found = await tx.value(sa.select(sa.func.count()).select_from(chore).where(chore.c.what == of))
    await _note(work, f"{found} of {of}")


@task()
async def typed(work: Work, on: date, amount: Decimal, names: list[str]) -> None:
    await _note(work, f"{type(on).__name__} {amount!r} {names}")


@task()
async def say_role(work: Work) -> None:
    async with work.read() as tx:
        await _note(work, str(await tx.value(sa.select(sa.func.current_user()))))


@task(retries=2, backoff=0.01)
async def third_time(work: Work) -> None:
    if work.run < 3:
        raise ValueError("the text of an error, which may hold a row")
    await _note(work, "at last")


@task(retries=1, backoff=0.01)
async def never_works(work: Work) -> None:
    async with work.write() as tx:
        await tx.execute(sa.insert(chore).values(what="half", by="", run=work.run))
        raise LookupError("secret")


@task()
async def refuses(work: Work) -> None:
    raise Problem(409, "not_today", "Not today.")


@task(retries=0, deadline=0.5)
async def hangs(work: Work, busily: bool) -> None:
    async with work.write() as tx:
        await tx.execute(sa.insert(chore).values(what="hung", by="", run=work.run))
        while busily:
            pass
        await asyncio.sleep(60)


@task(retries=0)
async def ends_its_process(work: Work, how: str) -> None:
    os._exit(3) if how == "os._exit" else sys.exit(3)


@task(retries=0)
async def eats_memory(work: Work) -> None:
    eaten: list[Any] = []
    while True:
        eaten.append(bytearray(16 * 1024 * 1024))


@task(every="* * * * * */1")
async def tick(work: Work) -> None:
    await _note(work, "tick")


@task(deadline=60)
async def in_steps(work: Work, steps: int, pause: float) -> None:
    """One row a step, each committed with how far it is."""
    start = await work.position() or 0
    for step in range(start, steps):
        async with work.write() as tx:
            await tx.execute(sa.insert(chore).values(what=f"step {step}", by=work.principal.code, run=work.run))
            await work.progress(tx, done=step + 1, total=steps, position=step + 1, result={"last": step})
        await asyncio.sleep(pause)


@task(deadline=60)
async def do_list(work: Work, pause: float) -> None:
    upload = await work.upload()
    async for batch in upload.batches(10, after=await work.position()):
        rows = [record for record in batch.records if record.row > 1]
        good = [record.cells for record in rows if record.cells is not None and len(record.cells) == 2]
        faults = [
            RowFault(record.row, "not_two", "A chore and by whom.", raw=record.raw)
            for record in rows
            if record.cells is None or len(record.cells) != 2
        ]
        async with work.write() as tx:
            if good:
                values = [{"what": what, "by": by, "run": work.run} for what, by in good]
                await tx.execute(sa.insert(chore).values(values))
            await work.progress(
                tx,
                done=batch.lines,
                total=upload.lines,
                position=batch.position,
                faults=faults,
                result={"pause": pause},
            )
        await asyncio.sleep(pause)


tasks = [
    do_list, in_steps, note, count, typed, say_role, third_time, never_works, refuses, hangs, ends_its_process,
    eats_memory,
]  # fmt: skip
if os.environ.get("CHORES_TICK"):
    tasks.append(tick)
