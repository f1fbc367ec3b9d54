"""`GET /partner/order_status`: one order as JSON, with the types that partners' parsers have learned to expect."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from fastapi import Response
from sqlalchemy import select

from api_gateway.api.transactions import Read
from api_gateway.evidence.mimic import LegacyCaller
from northgate_api.mimics.habits import PARTNER_COLUMNS, STATES, active_partner, whole_number, without_nul
from northgate_api.tables import customer, ord_dtl, ord_hdr
from shared_models.grants import touches

_order, _line = ord_hdr.c, ord_dtl.c
_SHOWN = (
    _order.ord_no,
    _order.ext_ref,
    _order.stat,
    _order.ord_dt,
    _order.req_dt,
    _order.tot_amt,
    _order.curr,
    _order.rush_fl,
    _order.ship_via,
)


@touches(
    select={
        **PARTNER_COLUMNS,
        "ord_hdr": [*(column.name for column in _SHOWN), "cust_no", "prt_cd"],
        "ord_dtl": ["ord_no", "ln_no", "item_no", "qty", "prc"],
        "customer": ["cust_no", "cust_cd"],
    }
)
async def order_status(tx: Read, caller: LegacyCaller, no: str = "", ref: str = "") -> Response:
    """An order of somebody else is not found, and everything that is refused has status 200."""
    code = await active_partner(tx, caller)
    if code is None:
        return _answer({"status": "ERROR", "msg": "access denied"})
    no, ref = without_nul(no), without_nul(ref)
    if not no and not ref:
        return _answer({"status": "ERROR", "msg": "no or ref required"})
    wanted = [_order.prt_cd == code]
    if no:
        wanted.append(_order.ord_no == whole_number(no))
    if ref:
        wanted.append(_order.ext_ref == ref)
    order = await tx.one(
        select(*_SHOWN, customer.c.cust_cd)
        .select_from(ord_hdr.outerjoin(customer, customer.c.cust_no == _order.cust_no))
        .where(*wanted)
        .order_by(_order.ord_no.desc())  # a reference can be there twice; the newest order answers
        .limit(1)
    )
    if order is None:
        return _answer({"status": "ERROR", "msg": "not found"})
    lines = await tx.rows(
        select(_line.ln_no, _line.item_no, _line.qty, _line.prc)
        .where(_line.ord_no == order["ord_no"])
        .order_by(_line.ln_no)
    )
    return _answer(_document(order, lines))


def _document(order: dict[str, Any], lines: list[dict[str, Any]]) -> dict[str, object]:
    """Keys, their order and their odd types are part of the contract with the partners."""
    document: dict[str, object] = {
        "status": "OK",
        "order_no": str(order["ord_no"]),
        "ref": order["ext_ref"] or "",
        "cust": order["cust_cd"],
        "state": STATES.get(order["stat"], order["stat"]),
        "date": f"{order['ord_dt']:%Y-%m-%d %H:%M:%S}",
        "required": f"{order['req_dt']:%m/%d/%Y}" if order["req_dt"] is not None else None,
        "total": _amount(order["tot_amt"]),
        "currency": order["curr"],
        "rush": "Y" if order["rush_fl"] == "Y" else False,
    }
    if order["ship_via"]:
        document["ship_via"] = order["ship_via"]
    shown = [_line_document(line) for line in lines]
    document["lines"] = shown[0] if len(shown) == 1 else shown or ""  # none is "", one is an object, more are a list
    return document


def _line_document(line: dict[str, Any]) -> dict[str, object]:
    return {"no": line["ln_no"], "item": line["item_no"], "qty": str(line["qty"]), "price": _amount(line["prc"])}


def _amount(amount: Decimal) -> int | str:
    """A whole amount is a number, any other a string: 12 for 12.00, "12.50" for 12.50."""
    return int(amount) if amount == int(amount) else f"{amount:.2f}"


def _answer(document: dict[str, object]) -> Response:
    return Response(json.dumps(document), media_type="application/json")
