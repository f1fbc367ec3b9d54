"""What the legacy app writes when an order is placed, or takes a step: its save(), its signal, its reservations.

ord_hdr    total computed from the lines, wall clock of Harrisburg in whole seconds
audit_log  NEW or CHG, by whoever it was
customer   last order date moved forward, never back
ord_dtl    the lines, numbered from 1
stock_mv   one movement per line; the legacy trigger keeps item.qty_oh from them
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import sqlalchemy as sa

from northgate_api.operations.audit import log
from northgate_api.operations.clock import local_now
from northgate_api.tables import customer, ord_dtl, ord_hdr, stock_mv
from shared_models.database import ReadTransaction, WriteTransaction
from shared_models.grants import touches

OPEN, ALLOCATED, SHIPPED, INVOICED, CANCELLED = 10, 20, 30, 40, 90
CENT = Decimal("0.01")
TRIGGER = {"item": ["item_no", "qty_oh"]}  # trg_stock_bal runs with the rights of whoever books


@dataclass(frozen=True, slots=True)
class Line:
    item: str
    quantity: int
    price: Decimal

    @property
    def amount(self) -> Decimal:
        return (self.quantity * self.price).quantize(CENT, ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Draft:
    """An order that nothing is wrong with any more."""

    customer: int
    partner: str
    lines: Sequence[Line]
    reference: str | None = None
    required_on: date | None = None
    is_rush: bool = False
    notes: str | None = None

    @property
    def total(self) -> Decimal:
        return sum((line.amount for line in self.lines), Decimal("0.00"))


@touches(select={"ord_hdr": ["ord_no", "prt_cd", "ext_ref"]})
async def twin_of(tx: ReadTransaction, partner: str, reference: str | None) -> int | None:
    """The first order with this reference of this partner.

    The legacy intake looks the same way, and nothing in the database stops two at the same moment. Two of ours do not
    meet: the second waits here until the first has ended.
    """
    if reference is None:
        return None
    lock = sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(f"northgate order {partner} {reference}", 0))
    await tx.rows(sa.select(sa.cast(lock, sa.Text)))
    o = ord_hdr.c
    first = sa.select(o.ord_no).where(o.prt_cd == partner, o.ext_ref == reference).order_by(o.ord_no).limit(1)
    found: int | None = await tx.value(first)
    return found


@touches(
    log,
    select={"customer": ["cust_no", "lst_ord_dt"], **TRIGGER},
    insert={
        "ord_hdr": [
            "cust_no", "stat", "ord_dt", "req_dt", "tot_amt", "curr", "ship_via", "notes", "upd_dt", "upd_by",
            "rush_fl", "prt_cd", "ext_ref",
        ],
        "ord_dtl": ["ord_no", "ln_no", "item_no", "qty", "prc", "disc_pct", "ln_amt"],
        "stock_mv": ["item_no", "mv_cd", "qty", "ref", "mv_dt"],
    },
    update={"customer": ["lst_ord_dt"], "item": ["qty_oh"]},
)  # fmt: skip
async def store(tx: WriteTransaction, draft: Draft) -> int:
    """The new order's number. In the order of the legacy app's own writes."""
    now, c = local_now(), customer.c
    header = {
        "cust_no": draft.customer,
        "stat": OPEN,
        "ord_dt": now,
        "req_dt": draft.required_on,
        "tot_amt": draft.total,
        "curr": "USD",
        "ship_via": None,
        "notes": draft.notes,
        "upd_dt": now,
        "upd_by": draft.partner,
        "rush_fl": "Y" if draft.is_rush else "N",
        "prt_cd": draft.partner,
        "ext_ref": draft.reference,
    }
    (stored,) = await tx.execute(sa.insert(ord_hdr).values(header).returning(ord_hdr.c.ord_no))
    number = int(stored["ord_no"])
    await log(tx, draft.partner, "NEW", "ord_hdr", number, f"stat={OPEN} tot={draft.total:.2f}")
    seen = sa.update(customer).where(c.cust_no == draft.customer, c.lst_ord_dt < now.date())
    await tx.execute(seen.values(lst_ord_dt=now.date()))
    lines = [
        {
            "ord_no": number,
            "ln_no": n,
            "item_no": line.item,
            "qty": line.quantity,
            "prc": line.price,
            "disc_pct": Decimal(0),
            "ln_amt": line.amount,
        }
        for n, line in enumerate(draft.lines, 1)
    ]
    await tx.execute(sa.insert(ord_dtl).values(lines))
    await book(tx, "RS", number, [(line.item, -line.quantity) for line in draft.lines])
    return number


@touches(select=TRIGGER, insert={"stock_mv": ["item_no", "mv_cd", "qty", "ref", "mv_dt"]}, update={"item": ["qty_oh"]})
async def book(tx: WriteTransaction, kind: str, number: int, moved: Sequence[tuple[str, int]]) -> None:
    """Stock movements of an order. RS reserve, RL release, IS issue; negative takes out."""
    each = {"mv_cd": kind, "ref": f"ORD {number}", "mv_dt": local_now()}
    if moved:
        await tx.execute(sa.insert(stock_mv).values([{**each, "item_no": item, "qty": qty} for item, qty in moved]))


@touches(
    log,
    select={"ord_dtl": ["ord_no", "ln_no", "item_no", "qty", "ln_amt"], "ord_hdr": ["ord_no"]},
    update={"ord_hdr": ["stat", "tot_amt", "upd_dt", "upd_by"]},
)
async def step(tx: WriteTransaction, number: int, to: int, who: str) -> list[dict[str, Any]]:
    """Put a locked order into another state; the total is computed again, as on every save. Gives its lines."""
    d = ord_dtl.c
    lines = await tx.rows(sa.select(d.item_no, d.qty, d.ln_amt).where(d.ord_no == number).order_by(d.ln_no))
    total = sum((line["ln_amt"] for line in lines), Decimal("0.00"))
    changed = {"stat": to, "tot_amt": total, "upd_dt": local_now(), "upd_by": who[:30]}
    await tx.execute(sa.update(ord_hdr).where(ord_hdr.c.ord_no == number).values(changed))
    await log(tx, who, "CHG", "ord_hdr", number, f"stat={to} tot={total:.2f}")
    return lines


@touches(step, book, select={"ord_hdr": ["ord_no", "prt_cd", "stat"]})
async def cancel(tx: WriteTransaction, partner: str, number: int) -> int | None:
    """The state that the partner's order was found in; None: it has no such order.

    Gives the reserved stock back where the order was open or allocated; anything else stays as it is.
    """
    o = ord_hdr.c
    state: int | None = await tx.value(
        sa.select(o.stat).where(o.prt_cd == partner, o.ord_no == number).with_for_update(key_share=True)
    )
    if state in (OPEN, ALLOCATED):
        lines = await step(tx, number, CANCELLED, partner)
        await book(tx, "RL", number, [(line["item_no"], line["qty"]) for line in lines])
    return state
