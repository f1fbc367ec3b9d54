"""Readers who ask the same statement at the same time, with values of their own, share one round trip.

While one round trip of a statement is under way, whoever asks the same gathers for the next: alone nobody waits, and
the more there are, the fewer the messages to and from the server. Only what takes a moment is gathered: a statement
that turns out to be slow is run by each reader on a connection of its own, side by side.

Between two Syncs everything is one transaction to PostgreSQL (its manual, 55.2.4 "Pipelining"), and what follows a
refusal is not run. So whoever was not answered, for whatever reason, asks again alone, and is told there what is wrong.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from math import inf
from time import perf_counter

import psycopg

from shared_models import wire
from shared_models.faults import DatabaseFault
from shared_models.pool import Pool
from shared_models.wire import Arguments, Cells

_MOMENT = 0.002
"""Seconds that one of them takes at most, on the way and in the server, to be worth gathering."""
_SLOWER = 1.1
"""The best time counts, for anything may hold one up; but it is forgotten, a tenth with each time."""
_MOST = 32
_KEPT = 500


class _Turn(Enum):
    """`lead`: everybody who gathered, and the next round trip, is yours now."""

    lead = "lead"
    alone = "alone"


@dataclass(slots=True)
class _Reader:
    arguments: Arguments
    told: asyncio.Future[list[Cells] | _Turn]


@dataclass(slots=True)
class _Crowd:
    """`takes`: seconds of one of them; `under_way`: somebody leads a round trip; `gathered`: who waits for the next."""

    takes: float = inf
    under_way: bool = False
    gathered: list[_Reader] = field(default_factory=list)

    def took(self, seconds: float) -> None:
        self.takes = min(seconds, self.takes * _SLOWER)

    def next(self) -> None:
        """The first who waits leads the next round trip; where it has become slow, each goes alone."""
        self.under_way = False
        while self.gathered:
            reader = self.gathered.pop(0)
            if reader.told.done():
                continue
            if self.takes <= _MOMENT:
                self.under_way = True
                reader.told.set_result(_Turn.lead)
                return
            reader.told.set_result(_Turn.alone)


class Together:
    """The crowds of one pool, by statement."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._crowds: OrderedDict[bytes, _Crowd] = OrderedDict()

    def took(self, sql: bytes, seconds: float) -> None:
        """Somebody ran this statement alone: is it worth gathering?"""
        crowd = self._crowds.get(sql)
        if crowd is None:
            crowd = self._crowds[sql] = _Crowd()
            if len(self._crowds) > _KEPT:
                self._crowds.popitem(last=False)
        crowd.took(seconds)

    async def fetch(self, sql: bytes, arguments: Arguments) -> list[Cells] | None:
        """The rows. None: ask alone, this was not answered."""
        crowd = self._crowds.get(sql)
        if crowd is None or crowd.takes > _MOMENT:
            return None
        others: list[_Reader] = []
        if crowd.under_way:
            if len(crowd.gathered) >= _MOST:
                return None
            told = await self._told(crowd, arguments)
            if told is not _Turn.lead:
                return None if told is _Turn.alone else told
            others, crowd.gathered = crowd.gathered, []
        crowd.under_way = True
        return await self._lead(crowd, sql, arguments, others)

    async def _told(self, crowd: _Crowd, arguments: Arguments) -> list[Cells] | _Turn:
        told: asyncio.Future[list[Cells] | _Turn] = asyncio.get_running_loop().create_future()
        crowd.gathered.append(_Reader(arguments, told))
        try:
            return await told
        except asyncio.CancelledError:
            if not told.cancelled() and told.result() is _Turn.lead:  # in the moment in which it was called off
                crowd.next()
            raise

    async def _lead(self, crowd: _Crowd, sql: bytes, arguments: Arguments, others: list[_Reader]) -> list[Cells] | None:
        answers: Sequence[list[Cells] | None] = ()
        try:
            with suppress(psycopg.Error, DatabaseFault):  # each asks alone, and is told there
                answers = await self._run(crowd, sql, [arguments, *[one.arguments for one in others]])
        finally:
            for n, reader in enumerate(others, 1):
                if not reader.told.done():
                    rows = answers[n] if n < len(answers) else None
                    reader.told.set_result(_Turn.alone if rows is None else rows)
            crowd.next()
        return answers[0] if answers else None

    async def _run(self, crowd: _Crowd, sql: bytes, several: list[Arguments]) -> list[list[Cells] | None]:
        connection = self._pool.idle() or await self._pool.acquire()
        try:
            began = perf_counter()
            answers = await wire.fetch_each(connection, sql, several)
            crowd.took((perf_counter() - began) / len(several))
            return answers
        finally:
            self._pool.release(connection)
