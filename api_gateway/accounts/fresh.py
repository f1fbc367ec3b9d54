"""Answers kept for seconds: asked once however many want it, bounded in number, and of no use once they are old."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

Answer = TypeVar("Answer")


class Fresh(Generic[Answer]):
    """`ask` is awaited at most once at a time for a key, and not again while its answer is younger than `seconds`.

    An answer counts from the moment it was asked for. What `ask` raises is told to everybody who waited, and not kept.
    """

    def __init__(self, seconds: float, *, most: int = 10_000, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds, self._most, self._clock = seconds, most, clock
        self._known: OrderedDict[str, tuple[float, Answer]] = OrderedDict()
        self._asked: dict[str, asyncio.Task[Answer]] = {}

    def known(self, key: str) -> tuple[Answer] | None:
        """The answer that is fresh, in a tuple; None when it must be asked for."""
        found = self._known.get(key)
        if found is None or self._clock() - found[0] >= self._seconds:
            return None
        return (found[1],)

    async def get(self, key: str, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        fresh = self.known(key)
        if fresh is not None:
            return fresh[0]
        task = self._asked.get(key)
        if task is None:
            task = self._asked[key] = asyncio.ensure_future(self._ask(key, ask))
            task.add_done_callback(lambda done: self._done(key, done))
        return await asyncio.shield(task)  # one who goes away takes nobody else's answer along

    def forget(self, key: str) -> None:
        """What is being asked for just now is not kept either."""
        self._known.pop(key, None)
        self._asked.pop(key, None)

    async def _ask(self, key: str, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        since, mine = self._clock(), asyncio.current_task()
        answer = await ask()
        if self._asked.get(key) is mine:
            self._known[key] = (since, answer)
            self._known.move_to_end(key)
            while len(self._known) > self._most:
                self._known.popitem(last=False)
        return answer

    def _done(self, key: str, task: asyncio.Task[Answer]) -> None:
        if self._asked.get(key) is task:
            del self._asked[key]
        if not task.cancelled():
            task.exception()  # those who waited have been told
