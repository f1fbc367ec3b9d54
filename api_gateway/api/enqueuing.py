"""`enqueue` as a parameter of a handler: work for later, which exists exactly when the handler's writes do.

async def place_order(order: NewOrder, tx: Write, enqueue: Enqueue) -> Response:
    …
    await enqueue(confirm_order(number=number), key=str(number))
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from api_gateway.api.authentication import principal_of
from api_gateway.api.transactions import Write
from api_gateway.jobs import Enqueuer


async def enqueuer(request: Request, tx: Write) -> Enqueuer:
    """In the handler's transaction, on behalf of whoever calls. Raises Problem 401."""
    state = request.scope["state"]
    return Enqueuer(tx, state.get("principal") or principal_of(request.scope), state.get("request_id"))


Enqueue = Annotated[Enqueuer, Depends(enqueuer, scope="function")]
