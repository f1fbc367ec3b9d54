"""`POST /partner/order_in`: a new order as a form, answered by one line of text; and its cancellation.

Kept of the legacy endpoints: every answer has status 200; the checks come one after the other, and the first that fails
is told (AUTH, DUP, CUST, DATE, ITEM and QTY line by line, EMPTY, LINES, CREDIT); items are read up to the first number
that is missing, empty ones are skipped; what is too long is cut; the same reference again is ERR|DUP with the first
order's number, which partners take as success; a cancelled order may be cancelled again.
"""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import Request, Response

from api_gateway.api.transactions import Write
from api_gateway.evidence.mimic import LegacyCaller
from northgate_api.mimics.habits import day, err, form, plain, whole_number
from northgate_api.operations.callers import Partner, find_partner
from northgate_api.operations.clock import today
from northgate_api.operations.orders import ALLOCATED, CANCELLED, OPEN, Draft, Line, cancel, store, twin_of
from northgate_api.operations.place_order import buyer, over_limit
from northgate_api.operations.pricing import offer
from shared_models.database import ReadTransaction, WriteTransaction
from shared_models.grants import touches

YES = ("Y", "YES", "1", "TRUE", "ON")


class Refused(Exception):
    """Becomes ERR|code|message; nothing was written yet."""

    def __init__(self, code: str, message: object) -> None:
        super().__init__(code)
        self.code, self.message = code, message


@touches(find_partner, twin_of, buyer, offer, store)
async def order_in(request: Request, tx: Write, caller: LegacyCaller) -> Response:
    partner = await find_partner(tx, caller)
    if partner is None:
        return err("AUTH", "bad token")
    try:
        return plain(f"OK|{await _place(tx, partner, form(await request.body()))}")
    except Refused as refused:
        return err(refused.code, refused.message)


async def _place(tx: WriteTransaction, partner: Partner, fields: Mapping[str, str]) -> int:
    reference = fields.get("ref", "")[:40].strip() or None
    twin = await twin_of(tx, partner.code, reference)
    if twin is not None:
        raise Refused("DUP", twin)
    code = fields.get("cust", "")
    found = await buyer(tx, partner.code, code) if code else None
    if found is None:
        raise Refused("CUST", "unknown customer")
    if found["act_fl"] != "Y":
        raise Refused("CUST", "customer on hold")
    wanted = fields.get("req_dt") or None
    required_on = day(wanted) if wanted is not None else None
    if wanted is not None and required_on is None:
        raise Refused("DATE", "bad req_dt")
    draft = Draft(
        found["cust_no"],
        partner.code,
        await _lines(tx, partner, fields),
        reference,
        required_on,
        fields.get("rush", "").upper() in YES,
        fields.get("notes", "")[:2000] or None,
    )
    if over_limit(found, draft.total):
        raise Refused("CREDIT", "credit limit exceeded")
    return await store(tx, draft)


async def _lines(tx: ReadTransaction, partner: Partner, fields: Mapping[str, str]) -> list[Line]:
    lines: list[Line] = []
    n = 1
    while f"item{n}" in fields:
        item, quantity = fields[f"item{n}"].upper(), whole_number(fields.get(f"qty{n}", "1"))
        n += 1
        if not item:
            continue
        found = await offer(tx, partner.price_list, item, quantity, today())
        if found is None:
            raise Refused("ITEM", f"unknown item {item[:20]}")
        if not found.is_sold:
            raise Refused("ITEM", f"discontinued {item}")
        if not 0 < quantity <= 99999:
            raise Refused("QTY", f"bad quantity for {item}")
        lines.append(Line(item, quantity, found.price))
    if not lines:
        raise Refused("EMPTY", "no items")
    if len(lines) > 99:
        raise Refused("LINES", "more than 99 lines")
    return lines


@touches(find_partner, cancel)
async def order_cancel(request: Request, tx: Write, caller: LegacyCaller) -> Response:
    """`POST /partner/order_cancel`. DELTA sends every cancellation three times."""
    partner = await find_partner(tx, caller)
    if partner is None:
        return err("AUTH", "bad token")
    number = whole_number(form(await request.body()).get("no"))
    state = await cancel(tx, partner.code, number)
    if state is None:
        return err("NOTFOUND", number)
    return plain("OK") if state in (OPEN, ALLOCATED, CANCELLED) else err("STATE", state)
