"""POST /order-batches: many orders, each for itself: what cannot be ordered keeps no other from being placed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from api_gateway.api.authentication import Caller
from api_gateway.api.each import Each
from api_gateway.api.operations import operation
from api_gateway.api.problems import of_fault
from api_gateway.api.transactions import Write
from api_gateway.errors import FieldError, Problem
from northgate_api.operations.callers import NO_PARTNER, Partner, partner_of
from northgate_api.operations.orders import twin_of
from northgate_api.operations.place_order import NewOrder, place
from shared_models.database import WriteTransaction
from shared_models.faults import BadValue, ConstraintViolated
from shared_models.grants import touches

MOST = 100


class OrderBatch(BaseModel):
    model_config = ConfigDict(extra="forbid")

    orders: Annotated[list[Each[NewOrder]], Field(min_length=1, max_length=MOST)]


class RowFault(BaseModel):
    """What is wrong, and where in the order."""

    code: str
    detail: str
    pointer: str


class OrderOutcome(BaseModel):
    """What became of one order of the batch: `placed`; `known`, its reference has an order already; `refused`."""

    row: Annotated[int, Field(description="Its place in the batch, from 0.")]
    outcome: Literal["placed", "known", "refused"]
    order_number: Annotated[int | None, Field(description="Of the new order, or of the one that is known.")] = None
    code: Annotated[str | None, Field(description="Of a refusal, as in problem documents.")] = None
    title: str | None = None
    errors: list[RowFault] = []


class OrderOutcomes(BaseModel):
    """In the order of the batch."""

    data: list[OrderOutcome]


@operation("order-batches", scope="orders:write", refuses=NO_PARTNER)
@touches(partner_of, place)
async def place_orders(batch: OrderBatch, tx: Write, caller: Caller) -> OrderOutcomes:
    """Place orders, each for itself. A reference that has an order already is `known`: send again what was lost."""
    partner = await partner_of(tx, caller)
    return OrderOutcomes(data=[await _outcome(tx, partner, row, order) for row, order in enumerate(batch.orders)])


async def _outcome(tx: WriteTransaction, partner: Partner, row: int, order: Each[NewOrder]) -> OrderOutcome:
    if order.value is None:
        return _refused(row, "invalid_body", "The order does not fit.", order.faults)
    twin = await twin_of(tx, partner.code, order.value.own_reference)
    if twin is not None:
        return OrderOutcome(row=row, outcome="known", order_number=twin)
    try:
        async with tx.savepoint():
            return OrderOutcome(row=row, outcome="placed", order_number=await place(tx, partner, order.value))
    except Problem as problem:
        return _refused(row, problem.code, problem.title, problem.errors)
    except (ConstraintViolated, BadValue) as fault:  # a total beyond what the column holds, say
        found = of_fault(fault)
        return _refused(row, found.code, found.title, ())


def _refused(row: int, code: str, title: str, faults: Sequence[FieldError]) -> OrderOutcome:
    errors = [RowFault(code=fault.code, detail=fault.detail, pointer=fault.pointer or "") for fault in faults]
    return OrderOutcome(row=row, outcome="refused", code=code, title=title, errors=errors)
