"""A job as its owner sees it, and whoever watches it: one statement every half second for all watchers of a gateway.

PostgreSQL writes the document. Its tag changes with everything in it: it is the ETag, and the id of an event.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, UUID

from api_gateway.jobs.listing import FINISHED, STATE_OF
from shared_models.database import Cells, Database, ReadTransaction
from shared_models.faults import DatabaseFault
from shared_models.job_tables import queued
from shared_models.prepared import parameter, prepared
from shared_models.state import job

LOOK_EVERY = 0.5
MOST_OF_ONE, MOST_OF_ALL = 20, 1000
"""Watchers at a time, per principal and in this process."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One state of a job. `document`: JSON; `is_over`: nothing will change any more, unless an operator retries it."""

    ref: str
    id: int
    tag: str
    state: str
    document: bytes

    @property
    def is_over(self) -> bool:
        return self.state in FINISHED


def _word(text: str) -> sa.ColumnElement[Any]:
    return sa.literal_column("'" + text.replace("'", "''") + "'")


def _object(**members: Any) -> sa.ColumnElement[Any]:
    return sa.func.json_build_object(*(part for name, value in members.items() for part in (_word(name), value)))


def _told(name: str) -> sa.ColumnElement[Any]:
    return job.c.error.op("->")(_word(name))


_REFUSED = _object(code=_told("code"), title=_told("title"), detail=_told("detail"))
_LATE = _object(code=_word("late"), title=_word("It took too long, and was ended."), detail=sa.null())
_BROKEN = _object(code=_word("failed"), title=_word("Something is broken on our side."), detail=sa.null())


def _error() -> sa.ColumnElement[Any]:
    kind = job.c.error.op("->>")(_word("kind"))
    told = sa.case((kind == _word("refused"), _REFUSED), (kind == _word("deadline"), _LATE), else_=_BROKEN)
    return sa.case((_status() == _word("failed"), told))


def _status() -> sa.ColumnElement[Any]:
    return sa.cast(queued.c.status, sa.Text)


def _seen() -> sa.Select[Any]:
    words = ((_status() == _word(theirs), _word(ours)) for theirs, ours in STATE_OF.items())
    word = sa.case(*words, else_=_word("waiting"))
    document = _object(
        id=job.c.ref,
        task=queued.c.task_name,
        status=word,
        stopping=queued.c.abort_requested,
        created_at=job.c.created,
        started_at=job.c.started,
        finished_at=job.c.finished,
        runs=job.c.run,
        done=job.c.done,
        total=job.c.total,
        faults=job.c.faults,
        result=job.c.result,
        error=_error(),
    )
    parts = (job.c.step, queued.c.attempts, job.c.run, _status(), queued.c.abort_requested)
    tag = sa.func.concat_ws(_word("."), *parts)
    return sa.select(
        sa.cast(job.c.ref, sa.Text), sa.cast(job.c.id, sa.Text), tag, word, sa.cast(document, sa.Text)
    ).join_from(job, queued, queued.c.id == job.c.id)


_MINE = prepared(
    _seen().where(job.c.ref == sa.cast(parameter("ref"), UUID), job.c.owner == sa.cast(parameter("owner"), sa.Text))
)
_THESE = prepared(_seen().where(job.c.ref == sa.any_(sa.cast(parameter("refs"), ARRAY(UUID)))))


def _read(row: Cells) -> Seen:
    ref, number, tag, word, document = (cell or b"" for cell in row)
    return Seen(ref.decode(), int(number), tag.decode(), word.decode(), document)


async def find_in(tx: ReadTransaction, ref: str, owner: str) -> Seen | None:
    """As `find`, inside a transaction."""
    rows = await tx.fetch(_MINE, {"ref": ref, "owner": owner})
    return _read(rows[0]) if rows else None


async def find(database: Database, ref: str, owner: str) -> Seen | None:
    """The job of this name, if it is the owner's. `ref` has the form of a UUID. Raises DatabaseFault."""
    rows = await database.fetch(_MINE, {"ref": ref, "owner": owner})
    return _read(rows[0]) if rows else None


class Watching:
    """Everybody who watches jobs in this process. The database is looked at only while somebody does."""

    def __init__(self, database: Database, look_every: float = LOOK_EVERY) -> None:
        self._database, self._look_every = database, look_every
        self._watched: Counter[str] = Counter()
        self._owners: Counter[str] = Counter()
        self._latest: dict[str, Seen | None] = {}
        self._looked = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def is_closed(self) -> bool:
        """Whether this process leaves: who watches does so at another one from here on."""
        return self._closed

    def close(self) -> None:
        """End every stream at once: an open one would keep the process from stopping."""
        self._closed = True
        self._looked.set()

    def is_full(self, owner: str) -> bool:
        """Whether one more watcher of this owner would be too many."""
        return self._owners[owner] >= MOST_OF_ONE or self._owners.total() >= MOST_OF_ALL

    async def follow(self, seen: Seen, owner: str, quiet_for: float) -> AsyncIterator[Seen | None]:
        """Each new state of the job after `seen`, at the latest the last one; None after so many seconds without.

        It ends with the job's end, when the job is gone, and with this process.
        """
        self._enter(seen, owner)
        known, told = seen.tag, time.monotonic()
        try:
            while not seen.is_over:
                await self._looked.wait()
                if self._closed:
                    return
                latest = self._latest.get(seen.ref, seen)
                if latest is None:
                    return
                seen = latest
                if seen.tag != known:
                    known, told = seen.tag, time.monotonic()
                    yield seen
                elif time.monotonic() - told >= quiet_for:
                    told = time.monotonic()
                    yield None
        finally:
            self._leave(seen, owner)

    def _enter(self, seen: Seen, owner: str) -> None:
        self._watched[seen.ref] += 1
        self._owners[owner] += 1
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._look_on())

    def _leave(self, seen: Seen, owner: str) -> None:
        for counts, name in ((self._watched, seen.ref), (self._owners, owner)):
            counts[name] -= 1
            if not counts[name]:
                del counts[name]
        if seen.ref not in self._watched:
            self._latest.pop(seen.ref, None)

    async def _look_on(self) -> None:
        while self._watched:
            with suppress(DatabaseFault):  # who watches is told nothing new, until it is back
                await self._look(list(self._watched))
            looked, self._looked = self._looked, asyncio.Event()
            looked.set()
            await asyncio.sleep(self._look_every)

    async def _look(self, refs: Iterable[str]) -> None:
        asked = list(refs)
        rows = await self._database.fetch(_THESE, {"refs": "{" + ",".join(asked) + "}"})
        found = {seen.ref: seen for seen in map(_read, rows)}
        for ref in asked:
            if ref in self._watched:
                self._latest[ref] = found.get(ref)
