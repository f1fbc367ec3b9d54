"""The order desk's billing: POST /orders/{number}/invoice, POST /invoices/{number}/credit."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Literal

import sqlalchemy as sa
from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field

from api_gateway.api.authentication import Caller
from api_gateway.api.operations import operation
from api_gateway.api.problems import not_found
from api_gateway.api.transactions import Write
from api_gateway.errors import Problem
from northgate_api.operations.callers import NO_CLERK, clerk_of
from northgate_api.operations.clock import today
from northgate_api.operations.invoices import issue
from northgate_api.tables import django_admin_log, django_content_type, inv_dtl, inv_hdr
from shared_models.database import ReadTransaction
from shared_models.grants import touches

Number = Annotated[int, Path(ge=1, le=2**31 - 1)]
NOT_BILLABLE = {"not_billable": "The order is not shipped, invoiced already, or lacks lines or its customer."}
NOT_OPEN = {"not_open": "The invoice is paid or credited already."}
CHANGED = 2  # Django's word for it
STATES: dict[str, Literal["open", "paid", "credited"]] = {"O": "open", "P": "paid", "C": "credited"}


class Billing(BaseModel):
    model_config = ConfigDict(extra="forbid")

    dated_on: Annotated[date | None, Field(description="Default: today, in Harrisburg.")] = None


class BilledLine(BaseModel):
    line: int
    item_number: str
    description: str
    quantity: int
    price: Decimal
    amount: Decimal


class BilledInvoice(BaseModel):
    """An invoice as the order desk has it."""

    number: int
    order_number: int
    customer_number: int
    dated_on: date
    due_on: date
    status: Literal["open", "paid", "credited"] | None
    net: Decimal
    tax: Decimal
    gross: Decimal
    lines: list[BilledLine]


SHOWN = {
    "inv_hdr": ["inv_no", "ord_no", "cust_no", "inv_dt", "due_dt", "stat", "net_amt", "tax_amt", "gross_amt"],
    "inv_dtl": ["inv_no", "ln_no", "item_no", "descr", "qty", "prc", "ln_amt"],
}


@operation("orders/{number}/invoice", scope="invoices:issue", status=201, refuses={**NOT_BILLABLE, **NO_CLERK})
@touches(clerk_of, issue, select=SHOWN)
async def issue_invoice(number: Number, billing: Billing, tx: Write, caller: Caller) -> BilledInvoice:
    """Invoice one shipped order, as the invoice run does."""
    clerk = await clerk_of(tx, caller)
    on = billing.dated_on or today()
    if not date(2000, 1, 1) <= on <= date(2099, 12, 31):
        raise Problem(409, "not_billable", "Nothing is billed in that century.")
    return await _shown(tx, await issue(tx, number, on, clerk.name))


@operation("invoices/{number}/credit", scope="invoices:issue", refuses={**NOT_OPEN, **NO_CLERK})
@touches(
    clerk_of,
    select={**SHOWN, "django_content_type": ["id", "app_label", "model"]},
    insert={
        "django_admin_log": [
            "action_time", "user_id", "content_type_id", "object_id", "object_repr", "action_flag", "change_message",
        ]
    },
    update={"inv_hdr": ["stat"]},
)  # fmt: skip
async def credit_invoice(number: Number, tx: Write, caller: Caller) -> BilledInvoice:
    """Credit an open invoice, as the admin page does: the customer's balance is put right by hand."""
    clerk = await clerk_of(tx, caller)
    i, k = inv_hdr.c, django_content_type.c
    state = await tx.value(sa.select(i.stat).where(i.inv_no == number).with_for_update(key_share=True))
    if state is None:
        raise not_found()
    if state != "O":
        raise Problem(409, "not_open", "The invoice is paid or credited already.")
    await tx.execute(sa.update(inv_hdr).where(i.inv_no == number).values(stat="C"))
    kind = await tx.value(sa.select(k.id).where(k.app_label == "sales", k.model == "invhdr"))
    entry = {
        "action_time": datetime.now(UTC),
        "user_id": clerk.id,
        "content_type_id": kind,
        "object_id": str(number),
        "object_repr": f"Invoice {number}",
        "action_flag": CHANGED,
        "change_message": '[{"changed": {"fields": ["Status"]}}]',
    }
    await tx.execute(sa.insert(django_admin_log).values(entry))
    return await _shown(tx, number)


async def _shown(tx: ReadTransaction, number: int) -> BilledInvoice:
    h, d = inv_hdr.c, inv_dtl.c
    header = await tx.one(
        sa.select(h.ord_no, h.cust_no, h.inv_dt, h.due_dt, h.stat, h.net_amt, h.tax_amt, h.gross_amt).where(
            h.inv_no == number
        )
    )
    if header is None:
        raise not_found()
    lines = await tx.rows(
        sa.select(d.ln_no, d.item_no, d.descr, d.qty, d.prc, d.ln_amt).where(d.inv_no == number).order_by(d.ln_no)
    )
    return BilledInvoice(
        number=number,
        order_number=header["ord_no"],
        customer_number=header["cust_no"],
        dated_on=header["inv_dt"],
        due_on=header["due_dt"],
        status=STATES.get(header["stat"]),
        net=header["net_amt"],
        tax=header["tax_amt"],
        gross=header["gross_amt"],
        lines=[
            BilledLine(
                line=line["ln_no"],
                item_number=line["item_no"],
                description=line["descr"],
                quantity=line["qty"],
                price=line["prc"],
                amount=line["ln_amt"],
            )
            for line in lines
        ],
    )
