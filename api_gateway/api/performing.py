"""A write and its one transaction: the idempotency key claimed in it, the answer stored in it, committed at its end.

Everything that a write does is inside its transaction (operations never call out), so one that lost against another
transaction, in a deadlock or a serialization failure, or waited for a lock for as long as one statement may, is simply
done again, from its beginning, for as long as the caller can be made to wait: twins that need the same row come one
after the other, and hold no connection for longer than one wait. A refusal or a crash leaves nothing behind.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable

from starlette.responses import Response

from api_gateway.api import idempotency
from shared_models.database import Database, WriteTransaction
from shared_models.faults import LockTimeout, SerializationFailure

RETRY_SECONDS = 4.0
"""For how long a write that keeps losing, or finds its rows locked, is tried again."""

Work = Callable[[WriteTransaction], Awaitable[Response]]


async def performed(
    database: Database,
    claim: idempotency.Claim | None,
    work: Work,
    *,
    is_trial: bool = False,
    again: bool = True,
    lazily: bool = False,
) -> Response:
    """The answer of `work`, committed; or that of the first request under the same key.

    is_trial  roll back at the end, and keep nothing under the key
    lazily    begin the transaction with the first statement: nobody else's code runs before it
    again     try again what lost against another transaction
    Raises Problem and DatabaseFault; then nothing has been written, or CommitUnknown says that nobody knows.
    """
    deadline = time.monotonic() + RETRY_SECONDS
    pause = 0.01
    while True:
        try:
            return await _once(database, claim, work, is_trial, lazily)
        except (SerializationFailure, LockTimeout):
            if not again or time.monotonic() + pause > deadline:
                raise
        await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - so that twins do not meet again
        pause *= 2


async def _once(
    database: Database, claim: idempotency.Claim | None, work: Work, is_trial: bool, lazily: bool
) -> Response:
    async with database.write(lazily=lazily) as tx:
        if claim is not None:
            async with tx.as_ourselves():
                stored = await idempotency.take(tx, claim)
            if stored is not None:
                return stored
        response = await work(tx)
        if response.status_code >= 400:  # returned instead of raised: it has changed nothing either
            tx.doom()
        if is_trial:
            await tx.check_constraints()
            tx.doom()
        if claim is not None and not tx.is_doomed:
            async with tx.as_ourselves():
                await idempotency.store(tx, claim, response)
        return response
