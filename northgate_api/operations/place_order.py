"""POST /orders: a partner places an order. Row by row it writes what the legacy order intake writes.

ord_hdr    one row, total computed from the lines, wall clock of New York in whole seconds
audit_log  NEW, by the partner
customer   last order date moved forward, never back
ord_dtl    the lines, numbered from 1
stock_mv   one reservation per line; the legacy trigger keeps item.qty_oh from it
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.config import JsonDict
from starlette.responses import Response

from api_gateway.api.authentication import Caller
from api_gateway.api.documents import Answers
from api_gateway.api.operations import operation
from api_gateway.api.transactions import Write
from api_gateway.errors import FieldError, Problem
from northgate_api import tables as t
from northgate_api.contract import ZONE, Order
from shared_models.database import WriteTransaction
from shared_models.grants import touches

Text = Annotated[str, StringConstraints(min_length=1)]
CENT = Decimal("0.01")
OPEN = 10
REFUSES = {
    "cannot_be_ordered": "The customer or a line does not allow it; `errors` says which, and why.",
    "credit_limit_exceeded": "The customer's credit limit does not allow the order.",
    "no_partner": "The key does not belong to an active partner.",
    "reference_used": "An order has this reference already; `errors` names it.",
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


@operation("orders", scope="orders:write", status=201, answer=Order, refuses=REFUSES)
@touches(
    select={
        "partner": ["prt_cd", "prc_lst", "act_fl"],
        "customer": ["cust_no", "cust_cd", "src_cd", "act_fl", "del_fl", "cr_lim", "bal", "lst_ord_dt"],
        "item": ["item_no", "prc", "act_fl", "dscnt_dt", "qty_oh"],
        "price_lst": ["item_no", "lst_cd", "min_qty", "prc", "vld_from", "vld_to"],
        "ord_hdr": ["ord_no", "prt_cd", "ext_ref"],
    },
    insert={
        "ord_hdr": [
            "cust_no", "stat", "ord_dt", "req_dt", "tot_amt", "curr", "ship_via", "notes", "upd_dt", "upd_by",
            "rush_fl", "prt_cd", "ext_ref",
        ],
        "ord_dtl": ["ord_no", "ln_no", "item_no", "qty", "prc", "disc_pct", "ln_amt"],
        "stock_mv": ["item_no", "mv_cd", "qty", "ref", "mv_dt"],
        "audit_log": ["at", "who", "what", "tbl", "ref", "txt"],
    },
    update={"customer": ["lst_ord_dt"], "item": ["qty_oh"]},
)  # fmt: skip
async def place_order(order: NewOrder, tx: Write, caller: Caller, answers: Answers) -> Response:
    """Place an order and reserve its stock."""
    partner = await _partner(tx, caller.values.get("prt_cd", ""))
    reference = (order.reference or "").strip() or None
    await _refuse_twin(tx, partner["prt_cd"], reference)
    now = datetime.now(ZoneInfo(ZONE)).replace(microsecond=0, tzinfo=None)
    customer, errors = await _customer(tx, partner["prt_cd"], order.customer_code)
    lines, faults = await _priced(tx, partner["prc_lst"], order.lines, now.date())
    if customer is None or errors or faults:
        raise Problem(409, "cannot_be_ordered", "This cannot be ordered.", errors=errors + faults)
    total = sum((line["ln_amt"] for line in lines), Decimal("0.00"))
    if customer["cr_lim"] > 0 and customer["bal"] + total > customer["cr_lim"]:
        raise Problem(409, "credit_limit_exceeded", "The customer's credit limit does not allow this order.")
    header = {
        "cust_no": customer["cust_no"],
        "stat": OPEN,
        "ord_dt": now,
        "req_dt": order.required_on,
        "tot_amt": total,
        "curr": "USD",
        "ship_via": None,
        "notes": order.notes or None,
        "upd_dt": now,
        "upd_by": partner["prt_cd"],
        "rush_fl": "Y" if order.rush else "N",
        "prt_cd": partner["prt_cd"],
        "ext_ref": reference,
    }
    number = await _store(tx, header, lines)
    return await answers.created(tx, Order, number, include=["lines"])


async def _partner(tx: WriteTransaction, code: str) -> dict[str, Any]:
    found = await tx.one(
        sa.select(t.partner.c.prt_cd, t.partner.c.prc_lst).where(t.partner.c.prt_cd == code, t.partner.c.act_fl == "Y")
    )
    if found is None:
        raise Problem(403, "no_partner", "The key does not belong to an active partner.")
    return found


async def _refuse_twin(tx: WriteTransaction, partner: str, reference: str | None) -> None:
    """A reference is used once; the legacy intake checks it the same way, without a constraint."""
    if reference is None:
        return
    twin = await tx.value(
        sa.select(t.ord_hdr.c.ord_no)
        .where(t.ord_hdr.c.prt_cd == partner, t.ord_hdr.c.ext_ref == reference)
        .order_by(t.ord_hdr.c.ord_no)
        .limit(1)
    )
    if twin is not None:
        fault = FieldError("reference_used", f"Used by order {twin}.", pointer="/reference")
        raise Problem(409, "reference_used", "There is an order with this reference.", errors=[fault])


async def _customer(tx: WriteTransaction, partner: str, code: str) -> tuple[dict[str, Any] | None, list[FieldError]]:
    """Their own customers and the house accounts."""
    c = t.customer.c
    found = await tx.one(
        sa.select(c.cust_no, c.act_fl, c.cr_lim, c.bal).where(
            c.cust_cd == code.upper(), c.src_cd.in_([partner, ""]), c.del_fl == "N"
        )
    )
    if found is None:
        return None, [FieldError("unknown_customer", "There is no such customer.", pointer="/customer_code")]
    if found["act_fl"] != "Y":
        return found, [FieldError("customer_on_hold", "The customer is on hold.", pointer="/customer_code")]
    return found, []


async def _priced(
    tx: WriteTransaction, price_list: str, wanted: list[NewLine], today: date
) -> tuple[list[dict[str, Any]], list[FieldError]]:
    """The lines as they are stored, order number aside; or what is wrong with each of them."""
    lines: list[dict[str, Any]] = []
    faults: list[FieldError] = []
    for n, line in enumerate(wanted):
        item_no = line.item_number.upper()
        price, fault = await _price(tx, price_list, item_no, line.quantity, today)
        if fault is not None:
            faults.append(FieldError(*fault, pointer=f"/lines/{n}/item_number"))
        amount = (line.quantity * price).quantize(CENT, ROUND_HALF_UP)
        row = {"ln_no": n + 1, "item_no": item_no, "qty": line.quantity, "prc": price, "disc_pct": Decimal(0)}
        lines.append({**row, "ln_amt": amount})
    return lines, faults


async def _price(
    tx: WriteTransaction, price_list: str, item_no: str, quantity: int, today: date
) -> tuple[Decimal, tuple[str, str] | None]:
    """The best quantity break of the partner's list that is valid today, else the item's own price."""
    i, p = t.item.c, t.price_lst.c
    broken = (
        sa.select(p.prc)
        .where(p.item_no == i.item_no, p.lst_cd == price_list, p.min_qty <= quantity)
        .where(p.vld_from <= today, p.vld_to >= today)
        .order_by(p.min_qty.desc(), p.vld_from.desc())
        .limit(1)
        .correlate(t.item)
        .scalar_subquery()
    )
    found = await tx.one(
        sa.select(sa.func.coalesce(broken, i.prc).label("prc"), i.act_fl, i.dscnt_dt).where(i.item_no == item_no)
    )
    if found is None:
        return Decimal(0), ("unknown_item", "There is no such item.")
    if found["act_fl"] != "Y" or found["dscnt_dt"] <= today:
        return found["prc"], ("discontinued", "The item is not sold any more.")
    return found["prc"], None


async def _store(tx: WriteTransaction, header: dict[str, Any], lines: list[dict[str, Any]]) -> int:
    """The new order's number. In the order of the legacy app's own writes."""
    now, partner, customer = header["ord_dt"], header["upd_by"], t.customer.c
    (stored,) = await tx.execute(sa.insert(t.ord_hdr).values(header).returning(t.ord_hdr.c.ord_no))
    number = int(stored["ord_no"])
    log = {"at": now, "who": partner, "what": "NEW", "tbl": "ord_hdr", "ref": str(number)}
    await tx.execute(sa.insert(t.audit_log).values(**log, txt=f"stat={OPEN} tot={header['tot_amt']:.2f}"))
    await tx.execute(
        sa.update(t.customer)
        .where(customer.cust_no == header["cust_no"], customer.lst_ord_dt < now.date())
        .values(lst_ord_dt=now.date())
    )
    await tx.execute(sa.insert(t.ord_dtl).values([{"ord_no": number, **line} for line in lines]))
    reserved = {"mv_cd": "RS", "ref": f"ORD {number}", "mv_dt": now}
    await tx.execute(
        sa.insert(t.stock_mv).values([{**reserved, "item_no": line["item_no"], "qty": -line["qty"]} for line in lines])
    )
    return number
