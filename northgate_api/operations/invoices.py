"""What the legacy app's invoice run writes: number without gaps, tax, due date, lines, balance, the order's step."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import sqlalchemy as sa

from api_gateway.api.problems import not_found
from api_gateway.errors import Problem
from northgate_api.contract import NEVER
from northgate_api.operations.audit import log
from northgate_api.operations.numbers import draw
from northgate_api.operations.orders import CENT, INVOICED, SHIPPED, step
from northgate_api.tables import cal_hol, customer, inv_dtl, inv_hdr, item, ord_dtl, ord_hdr, terms
from shared_models.database import ReadTransaction, WriteTransaction
from shared_models.grants import touches

SALES_TAX = Decimal("0.06")  # Pennsylvania, since 1968
NET_DAYS = 30  # where the customer's terms are a code that nobody entered


def sales_tax(total: Decimal, country: str, partner: str | None) -> Decimal:
    """Partners resell and are exempt; so is everybody abroad."""
    if country != "US" or partner:
        return Decimal("0.00")
    return (total * SALES_TAX).quantize(CENT, ROUND_HALF_UP)


@touches(select={"cal_hol": ["hol_dt"]})
async def working_day(tx: ReadTransaction, day: date) -> date:
    """That day, or the next one that is neither weekend nor holiday."""
    while day.weekday() >= 5 or await tx.value(sa.select(cal_hol.c.hol_dt).where(cal_hol.c.hol_dt == day)) is not None:
        day += timedelta(days=1)
    return day


@touches(
    working_day,
    draw,
    step,
    log,
    select={
        "ord_hdr": ["ord_no", "stat", "cust_no", "tot_amt", "prt_cd"],
        "ord_dtl": ["ord_no", "ln_no", "item_no", "qty", "prc", "ln_amt"],
        "customer": ["cust_no", "ctry", "terms_cd", "bal"],
        "terms": ["terms_cd", "days"],
        "item": ["item_no", "descr"],
    },
    insert={
        "inv_hdr": [
            "inv_no", "ord_no", "cust_no", "inv_dt", "due_dt", "stat", "net_amt", "tax_amt", "gross_amt", "pd_dt",
        ],
        "inv_dtl": ["inv_no", "ln_no", "item_no", "descr", "qty", "prc", "ln_amt"],
    },
    update={"customer": ["bal"]},
)  # fmt: skip
async def issue(tx: WriteTransaction, number: int, on: date, who: str) -> int:
    """The number of the invoice. Raises Problem: 404 for no order, 409 for one that is not to be billed."""
    order, buyer = await _to_bill(tx, number)
    lines = await tx.rows(_lines_of(number))
    if not lines:
        raise Problem(409, "not_billable", "The order has no lines.")
    days = await tx.value(sa.select(terms.c.days).where(terms.c.terms_cd == buyer["terms_cd"]))
    due = await working_day(tx, on + timedelta(days=NET_DAYS if days is None else days))
    net = order["tot_amt"]
    tax = sales_tax(net, buyer["ctry"], order["prt_cd"])
    invoice = await draw(tx, "INV")
    header = {
        "inv_no": invoice,
        "ord_no": number,
        "cust_no": buyer["cust_no"],
        "inv_dt": on,
        "due_dt": due,
        "stat": "O",
        "net_amt": net,
        "tax_amt": tax,
        "gross_amt": net + tax,
        "pd_dt": NEVER,
    }
    await tx.execute(sa.insert(inv_hdr).values(header))
    await tx.execute(sa.insert(inv_dtl).values([{"inv_no": invoice, **line} for line in lines]))
    c = customer.c
    await tx.execute(sa.update(customer).where(c.cust_no == buyer["cust_no"]).values(bal=c.bal + net + tax))
    await step(tx, number, INVOICED, who)
    await log(tx, who, "NEW", "inv_hdr", invoice, f"ord={number} gross={net + tax:.2f}")
    return invoice


async def _to_bill(tx: ReadTransaction, number: int) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The order, locked, and its customer."""
    o, c = ord_hdr.c, customer.c
    mine = sa.select(o.stat, o.cust_no, o.tot_amt, o.prt_cd).where(o.ord_no == number)
    order = await tx.one(mine.with_for_update(key_share=True))
    if order is None:
        raise not_found()
    if order["stat"] != SHIPPED:
        raise Problem(409, "not_billable", "The order is not shipped, or invoiced already.")
    buyer = await tx.one(sa.select(c.cust_no, c.ctry, c.terms_cd).where(c.cust_no == order["cust_no"]))
    if buyer is None:
        raise Problem(409, "not_billable", "The customer is gone.")
    return order, buyer


def _lines_of(number: int) -> sa.Select[*tuple[Any, ...]]:
    """As the invoice's lines; an item that is gone has a word for it."""
    d = ord_dtl.c
    text = sa.func.coalesce(item.c.descr, sa.literal("(item no longer carried)", sa.Text)).label("descr")
    return (
        sa.select(d.ln_no, d.item_no, text, d.qty, d.prc, d.ln_amt)
        .select_from(ord_dtl.outerjoin(item, item.c.item_no == d.item_no))
        .where(d.ord_no == number)
        .order_by(d.ln_no)
    )
