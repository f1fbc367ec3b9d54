"""`GET /partner/orders.xml`: a partner's own orders, newest first, fifty a page, as XML in Latin-1."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any

from fastapi import Response
from sqlalchemy import ColumnElement, false, func, select

from api_gateway.api.transactions import Read
from api_gateway.evidence.mimic import LegacyCaller
from northgate_api.mimics.habits import PARTNER_COLUMNS, STATES, active_partner, day, whole_number, without_nul
from northgate_api.tables import customer, ord_dtl, ord_hdr
from shared_models.database import ReadTransaction
from shared_models.grants import touches

PAGE = 50
SMALLINT = range(-(2**15), 2**15)

_order = ord_hdr.c


@touches(
    select={
        **PARTNER_COLUMNS,
        "ord_hdr": ["ord_no", "cust_no", "prt_cd", "ext_ref", "stat", "ord_dt", "req_dt", "rush_fl", "tot_amt", "curr"],
        "ord_dtl": ["ord_no"],
        "customer": ["cust_no", "cust_cd", "nm"],
    }
)
async def order_list(
    tx: Read, caller: LegacyCaller, since: str = "", status: str = "", page: str = "", token: str = ""
) -> Response:
    """Every answer has status 200: CRANE's library throws the body of anything else away."""
    code = await active_partner(tx, caller)
    if code is None:
        return _error(1, "Invalid token")
    wanted = [_order.prt_cd == code]
    if since := without_nul(since):
        first_day = day(since)
        if first_day is None:
            return _error(2, "Bad date in since")
        wanted.append(_order.ord_dt >= datetime.combine(first_day, time()))
    if status := without_nul(status):
        number = whole_number(status)
        wanted.append(_order.stat == number if number in SMALLINT else false())
    return await _page(tx, code, wanted, max(1, whole_number(page)))


async def _page(tx: ReadTransaction, code: str, wanted: list[ColumnElement[bool]], page: int) -> Response:
    """A page beyond the last is empty, and no error."""
    count = int(await tx.value(select(func.count()).select_from(ord_hdr).where(*wanted)))
    skipped = (page - 1) * PAGE
    orders = await tx.rows(_orders(wanted, skipped)) if skipped < count else []
    head = f'<orders partner="{_escape(code)}" page="{page}" pages="{-(-count // PAGE)}" count="{count}">\n'
    return _xml(head + "".join(map(_order_element, orders)) + "</orders>\n")


def _orders(wanted: list[ColumnElement[bool]], skipped: int) -> Any:
    """Orders whose customer was merged away stay in the list, so the customer is joined from the left."""
    lines = select(func.count()).select_from(ord_dtl).where(ord_dtl.c.ord_no == _order.ord_no).scalar_subquery()
    columns = (
        _order.ord_no,
        _order.ext_ref,
        _order.ord_dt,
        _order.req_dt,
        _order.stat,
        _order.tot_amt,
        _order.curr,
        _order.rush_fl,
    )
    return (
        select(*columns, customer.c.cust_no, customer.c.cust_cd, customer.c.nm, lines.label("lines"))
        .select_from(ord_hdr.outerjoin(customer, customer.c.cust_no == _order.cust_no))
        .where(*wanted)
        .order_by(_order.ord_dt.desc(), _order.ord_no.desc())
        .limit(PAGE)
        .offset(skipped)
    )


def _order_element(order: dict[str, Any]) -> str:
    pieces = [f'<order no="{order["ord_no"]}" ref="{_escape(order["ext_ref"])}">']
    if order["cust_no"] is not None:
        pieces.append(f'<customer code="{_escape(order["cust_cd"])}">{_escape(order["nm"])}</customer>')
    else:
        pieces.append("<customer/>")
    pieces.append(f"<date>{order['ord_dt']:%m/%d/%Y %H:%M}</date>")
    if order["req_dt"] is not None:
        pieces.append(f"<required>{order['req_dt']:%Y-%m-%d}</required>")
    pieces.append(f"<status>{STATES.get(order['stat'], order['stat'])}</status>")
    pieces.append(f"<lines>{order['lines']}</lines><total>{order['tot_amt']:.2f}</total>")
    pieces.append(f"<currency>{_escape(order['curr'])}</currency>")
    if order["rush_fl"] == "Y":
        pieces.append("<rush/>")
    return "".join(pieces) + "</order>\n"


def _error(code: int, message: str) -> Response:
    return _xml(f'<error code="{code}">{message}</error>\n')


def _escape(value: str | None) -> str:
    return (value or "").replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def _xml(body: str) -> Response:
    """What Latin-1 does not have becomes a character reference."""
    whole = '<?xml version="1.0" encoding="ISO-8859-1"?>\n' + body
    return Response(
        whole.encode("latin-1", "xmlcharrefreplace"), headers={"content-type": "text/xml; charset=ISO-8859-1"}
    )
