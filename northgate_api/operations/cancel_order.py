"""POST /orders/{number}/cancellation: a partner takes an order back, and its stock is free again."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path
from starlette.responses import Response

from api_gateway.api.authentication import Caller
from api_gateway.api.documents import Answers
from api_gateway.api.operations import operation
from api_gateway.api.problems import not_found
from api_gateway.api.transactions import Write
from api_gateway.errors import Problem
from northgate_api.contract import Order
from northgate_api.operations.callers import NO_PARTNER, partner_of
from northgate_api.operations.orders import ALLOCATED, CANCELLED, OPEN, cancel
from shared_models.grants import touches

REFUSES = {"cannot_be_cancelled": "The order is shipped, invoiced, or in a state nobody knows.", **NO_PARTNER}
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]


@operation("orders/{number}/cancellation", scope="orders:write", answer=Order, refuses=REFUSES)
@touches(partner_of, cancel)
async def cancel_order(number: Number, tx: Write, caller: Caller, answers: Answers) -> Response:
    """Cancel an order that is open or allocated. One that is cancelled already stays so."""
    partner = await partner_of(tx, caller)
    state = await cancel(tx, partner.code, number)
    if state is None:
        raise not_found()
    if state not in (OPEN, ALLOCATED, CANCELLED):
        raise Problem(409, "cannot_be_cancelled", "The order is too far for that.")
    return Response(await answers.get(tx, Order, number, include=["lines"]), media_type="application/json")
