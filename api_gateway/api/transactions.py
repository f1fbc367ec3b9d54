"""The transaction of a request, as a parameter of a handler. It is committed before the answer leaves.

    async def place_order(order: NewOrder, tx: Write) -> …
    async def order_status(number: int, tx: Read) -> …

The databases come with the request, so that the observer runs the same handler on its own read-only one. What is
written through a Write is journalled, without a line in the handler.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request
from starlette.types import Scope

from api_gateway.keeping import Keeping
from shared_models.database import ReadTransaction, WriteTransaction
from shared_models.faults import ReadOnly
from shared_models.grants import touches_of


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
        tx.keeper = keeping(tx, request.scope)
        state["write_transaction"] = tx
        yield tx


def keeping(tx: WriteTransaction, scope: Scope) -> Keeping:
    """The journal of a request's transaction: by its principal, under the name of its route."""
    state, route = scope["state"], scope["route"]
    touched = touches_of([route.endpoint])
    return Keeping(tx, state.get("principal"), route.name, state.get("request_id"), touched[0] if touched else None)


Read = Annotated[ReadTransaction, Depends(read_transaction, scope="function")]
Write = Annotated[WriteTransaction, Depends(write_transaction, scope="function")]
