"""How often somebody may try to sign in: a bound on failures per account and address, counted before the hashing."""

from __future__ import annotations

import math
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass

WINDOW_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Limit:
    name: str
    attempts: int


PAIR, ADDRESS, USERNAME = Limit("pair", 5), Limit("address", 20), Limit("username", 60)
"""The pair is strict. An address alone is bounded against many names, a name alone against many addresses: loosely, so
that a stranger cannot lock an operator out with a handful of wrong passwords."""


class Attempts:
    """Attempts within a sliding window, in memory, never more than `size` keys.

    shared_by  how many processes share the load: each lets its part of the attempts through, one at least
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        size: int = 20_000,
        shared_by: Callable[[], int] = lambda: 1,
    ) -> None:
        self._clock, self._size, self._shared_by = clock, size, shared_by
        self._seen: OrderedDict[Hashable, deque[float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._seen)

    def begin(self, username: str, address: str) -> int:
        """Count an attempt. 0 when it may be made, else the seconds to wait (and nothing is counted)."""
        now = self._clock()
        keys = self._keys(username, address)
        waits = [self._wait(key, limit, now) for key, limit in keys]
        if any(waits):
            return math.ceil(max(waits))
        for key, _ in keys:
            self._seen.setdefault(key, deque()).append(now)
            self._seen.move_to_end(key)
        while len(self._seen) > self._size:
            self._seen.popitem(last=False)
        return 0

    def succeeded(self, username: str, address: str) -> None:
        """A right password takes back what was counted against this name from this address."""
        self._seen.pop((PAIR.name, username, address), None)

    def _keys(self, username: str, address: str) -> list[tuple[Hashable, Limit]]:
        return [
            ((PAIR.name, username, address), PAIR),
            ((ADDRESS.name, address), ADDRESS),
            ((USERNAME.name, username), USERNAME),
        ]

    def _wait(self, key: Hashable, limit: Limit, now: float) -> float:
        times = self._seen.get(key, deque())
        while times and times[0] <= now - WINDOW_SECONDS:
            times.popleft()
        most = math.ceil(limit.attempts / max(1, self._shared_by()))
        return 0.0 if len(times) < most else times[0] + WINDOW_SECONDS - now
