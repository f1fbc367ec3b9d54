"""POST /orders: a partner places an order. Row by row it writes what the legacy order intake writes."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.config import JsonDict
from starlette.responses import Response

from api_gateway.api.authentication import Caller
from api_gateway.api.documents import Answers
from api_gateway.api.operations import operation
from api_gateway.api.transactions import Write
from api_gateway.errors import FieldError, Problem
from northgate_api.contract import Order
from northgate_api.operations.callers import NO_PARTNER, Partner, partner_of
from northgate_api.operations.clock import today
from northgate_api.operations.orders import Draft, Line, store, twin_of
from northgate_api.operations.pricing import offer
from northgate_api.tables import customer
from shared_models.database import ReadTransaction, WriteTransaction
from shared_models.grants import touches

Text = Annotated[str, StringConstraints(min_length=1)]
REFUSES = {
    "cannot_be_ordered": "The customer or a line does not allow it; `errors` says which, and why.",
    "credit_limit_exceeded": "The customer's credit limit does not allow the order.",
    "reference_used": "An order has this reference already; `errors` names it.",
    **NO_PARTNER,
}
EXAMPLE: JsonDict = {"customer_code": "ACME", "lines": [{"item_number": "NS-10023", "quantity": 12}]}


class NewLine(BaseModel):
    model_config = ConfigDict(extra="forbid")

    item_number: Annotated[Text, Field(max_length=20)]
    quantity: Annotated[int, Field(ge=1, le=99999)]


class NewOrder(BaseModel):
    """An order as a partner sends it. Prices are the partner's own, as on the day."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE]})

    customer_code: Annotated[Text, Field(max_length=8, description="One of the partner's, or a house account.")]
    reference: Annotated[Text | None, Field(max_length=40, description="The partner's own; used once.")] = None
    required_on: date | None = None
    rush: bool = False
    notes: Annotated[str | None, Field(max_length=2000)] = None
    lines: Annotated[list[NewLine], Field(min_length=1, max_length=99)]

    @property
    def own_reference(self) -> str | None:
        return (self.reference or "").strip() or None


@touches(select={"customer": ["cust_no", "cust_cd", "src_cd", "act_fl", "del_fl", "cr_lim", "bal"]})
async def buyer(tx: ReadTransaction, partner: str, code: str) -> dict[str, Any] | None:
    """`cust_no`, `act_fl`, `cr_lim`, `bal` of a customer the partner may order for: its own, and the house accounts."""
    c = customer.c
    return await tx.one(
        sa.select(c.cust_no, c.act_fl, c.cr_lim, c.bal).where(
            c.cust_cd == code.upper(), c.src_cd.in_([partner, ""]), c.del_fl == "N"
        )
    )


def over_limit(found: dict[str, Any], total: Decimal) -> bool:
    """A limit of 0 is none."""
    return bool(found["cr_lim"] > 0 and found["bal"] + total > found["cr_lim"])


@touches(buyer, offer, store, twin_of)
async def place(tx: WriteTransaction, partner: Partner, order: NewOrder) -> int:
    """The new order's number. Raises Problem 409 with everything that is wrong with it."""
    twin = await twin_of(tx, partner.code, order.own_reference)
    if twin is not None:
        fault = FieldError("reference_used", f"Used by order {twin}.", pointer="/reference")
        raise Problem(409, "reference_used", "There is an order with this reference.", errors=[fault])
    found = await buyer(tx, partner.code, order.customer_code)
    lines, faults = await _priced(tx, partner.price_list, order.lines)
    if found is None:
        faults.insert(0, FieldError("unknown_customer", "There is no such customer.", pointer="/customer_code"))
    elif found["act_fl"] != "Y":
        faults.insert(0, FieldError("customer_on_hold", "The customer is on hold.", pointer="/customer_code"))
    if found is None or faults:
        raise Problem(409, "cannot_be_ordered", "This cannot be ordered.", errors=faults)
    draft = Draft(
        found["cust_no"],
        partner.code,
        lines,
        order.own_reference,
        order.required_on,
        order.rush,
        order.notes or None,
    )
    if over_limit(found, draft.total):
        raise Problem(409, "credit_limit_exceeded", "The customer's credit limit does not allow this order.")
    return await store(tx, draft)


async def _priced(tx: ReadTransaction, price_list: str, wanted: list[NewLine]) -> tuple[list[Line], list[FieldError]]:
    """The lines at their prices; or what is wrong with each of them."""
    lines: list[Line] = []
    faults: list[FieldError] = []
    for n, line in enumerate(wanted):
        found = await offer(tx, price_list, line.item_number.upper(), line.quantity, today())
        if found is None:
            faults.append(FieldError("unknown_item", "There is no such item.", pointer=f"/lines/{n}/item_number"))
        elif not found.is_sold:
            faults.append(FieldError("discontinued", "It is not sold any more.", pointer=f"/lines/{n}/item_number"))
        else:
            lines.append(Line(found.item, line.quantity, found.price))
    return lines, faults


@operation("orders", scope="orders:write", status=201, answer=Order, refuses=REFUSES)
@touches(partner_of, place)
async def place_order(order: NewOrder, tx: Write, caller: Caller, answers: Answers) -> Response:
    """Place an order and reserve its stock."""
    number = await place(tx, await partner_of(tx, caller), order)
    return await answers.created(tx, Order, number, include=["lines"])
