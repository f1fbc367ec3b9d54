"""The transaction of a request, as a parameter of a handler. It is committed before the answer leaves.

    async def place_order(order: NewOrder, tx: Write) -> …
    async def order_status(number: int, tx: Read) -> …

The databases come with the request, so that the observer runs the same handler on its own read-only one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request

from shared_models.database import ReadTransaction, WriteTransaction
from shared_models.faults import ReadOnly


async def read_transaction(request: Request) -> AsyncIterator[ReadTransaction]:
    async with request.scope["state"]["read_database"].read() as tx:
        yield tx


async def write_transaction(request: Request) -> AsyncIterator[WriteTransaction]:
    """An operation's, which its route has begun; for a mimic a new one. Raises ReadOnly for a candidate."""
    state = request.scope["state"]
    claimed = state.get("write_transaction")
    if claimed is not None:
        yield claimed
        return
    database = state.get("write_database")
    if database is None:
        raise ReadOnly
    async with database.write() as tx:
        state["write_transaction"] = tx
        yield tx


Read = Annotated[ReadTransaction, Depends(read_transaction, scope="function")]
Write = Annotated[WriteTransaction, Depends(write_transaction, scope="function")]
