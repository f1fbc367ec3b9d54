"""Which sign-ins have ended while access tokens of theirs may still be about: known to every gateway within a second.

Read on the connection of the process's Watcher, at each notice and twice a second besides. Where nothing could be read
for a while, nobody can say that a token is still good.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg import AsyncConnection

from api_gateway.accounts.refusals import unknown_yet
from shared_models.state import account_session
from shared_models.statements import run_async

STALE = 5.0
_SLACK = 60


class Ended:
    """`seconds`: how long an access token lives."""

    def __init__(self, seconds: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._ids: frozenset[str] = frozenset()
        self._here: set[str] = set()
        self._seen: float | None = None
        since = sa.func.clock_timestamp() - sa.func.make_interval(0, 0, 0, 0, 0, 0, seconds + _SLACK)
        self._query = sa.select(account_session.c.id).where(account_session.c.ended > since)

    async def follow(self, connection: AsyncConnection[Any]) -> None:
        """What fails is not told further: the process's stages must not depend on it. It shows as being stale."""
        asked, told_here = self._clock(), frozenset(self._here)
        try:
            rows = await run_async(connection, self._query)
        except psycopg.Error:
            return
        self._ids = frozenset(row["id"] for row in rows)
        self._here -= told_here & self._ids
        self._seen = asked

    def add(self, *sign_ins: str) -> None:
        """Ended by this very process: it need not wait to be told."""
        self._here.update(sign_ins)

    def has(self, sign_in: str) -> bool:
        """Raises Problem 503 where it cannot be known."""
        if self._seen is None or self._clock() - self._seen > STALE:
            raise unknown_yet()
        return sign_in in self._ids or sign_in in self._here
