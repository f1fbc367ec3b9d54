"""`GET /partner/invoice/4711.txt`: the page the line printer got. 72 columns, CRLF, Latin-1, basic auth.

Kept: what is no number is Django's own page of what is not found; another partner's invoice is not there; whatever is
neither open nor paid is CREDITED.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import Response
from sqlalchemy import select

from api_gateway.api.transactions import Read
from api_gateway.evidence.mimic import LegacyCaller
from northgate_api.mimics.habits import PARTNER_COLUMNS, active_partner, latin1, password_wanted, plain
from northgate_api.tables import customer, inv_dtl, inv_hdr, ord_hdr
from shared_models.database import ReadTransaction
from shared_models.grants import touches

WIDTH = 72
LARGEST = 2**31 - 1
NOT_FOUND = """
<!doctype html>
<html lang="en">
<head>
  <title>Not Found</title>
</head>
<body>
  <h1>Not Found</h1><p>The requested resource was not found on this server.</p>
</body>
</html>
"""

_line = inv_dtl.c


@touches(
    select={
        **PARTNER_COLUMNS,
        "inv_hdr": [
            "inv_no", "ord_no", "cust_no", "inv_dt", "due_dt", "stat", "net_amt", "tax_amt", "gross_amt", "pd_dt",
        ],
        "ord_hdr": ["ord_no", "prt_cd", "ext_ref", "curr"],
        "customer": ["cust_no", "cust_cd", "nm", "addr1", "ctry", "zip", "city"],
        "inv_dtl": ["inv_no", "ln_no", "item_no", "descr", "qty", "prc", "ln_amt"],
    }
)  # fmt: skip
async def invoice_text(tx: Read, caller: LegacyCaller, no: str) -> Response:
    if not re.fullmatch("[0-9]+", no):
        headers = {"content-type": "text/html; charset=utf-8", "x-frame-options": "DENY"}
        return Response(NOT_FOUND, 404, headers)
    code = await active_partner(tx, caller)
    if code is None:
        return password_wanted()
    number = int(no[:4000])  # gunicorn reads no line that is longer
    invoice = await _invoice(tx, code, number) if number <= LARGEST else None
    if invoice is None:
        return plain("NO SUCH INVOICE\r\n", 404)
    lines = await tx.rows(
        select(_line.ln_no, _line.item_no, _line.descr, _line.qty, _line.prc, _line.ln_amt)
        .where(_line.inv_no == invoice["inv_no"])
        .order_by(_line.ln_no)
    )
    return latin1("".join(f"{line.rstrip()}\r\n" for line in _page(invoice, lines)), "text/plain")


async def _invoice(tx: ReadTransaction, partner: str, number: int) -> Mapping[str, Any] | None:
    i, o, c = inv_hdr.c, ord_hdr.c, customer.c
    shown = (i.inv_no, i.ord_no, i.inv_dt, i.due_dt, i.stat, i.net_amt, i.tax_amt, i.gross_amt, i.pd_dt)
    return await tx.one(
        select(*shown, o.ext_ref, o.curr, c.cust_cd, c.nm, c.addr1, c.ctry, c.zip, c.city)
        .select_from(inv_hdr.join(ord_hdr, o.ord_no == i.ord_no).join(customer, c.cust_no == i.cust_no))
        .where(i.inv_no == number, o.prt_cd == partner)
    )


def _page(inv: Mapping[str, Any], lines: Sequence[Mapping[str, Any]]) -> list[str]:
    out = [
        f"{'NORTHGATE SUPPLY':<40}{'INVOICE':>14} {inv['inv_no']:>17}",
        f"{'1800 Cameron Street':<40}{'DATE':>14} {inv['inv_dt']:%m/%d/%Y}",
        f"{'Harrisburg PA 17103':<40}{'DUE':>14} {inv['due_dt']:%m/%d/%Y}",
        f"{'':<40}{'ORDER':>14} {inv['ord_no']:>17}",
        f"{'':<40}{'YOUR REF':>14} {(inv['ext_ref'] or '')[:17]:>17}",
        "",
        f"{inv['cust_cd']:<8}  {inv['nm']}"[:WIDTH],
        f"{'':10}{inv['addr1']}"[:WIDTH],
        f"{'':10}{inv['ctry']} {inv['zip']} {inv['city']}"[:WIDTH],
        "-" * WIDTH,
        f"{'LN':>3} {'ITEM':<12} {'DESCRIPTION':<26} {'QTY':>6} {'PRICE':>9} {'AMOUNT':>10}",
        "-" * WIDTH,
    ]
    for line in lines:
        what = f"{line['ln_no']:>3} {line['item_no']:<12.12} {line['descr']:<26.26}"
        out.append(f"{what} {line['qty']:>6} {line['prc']:>9.2f} {line['ln_amt']:>10.2f}")
    totals = [("NET", inv["net_amt"]), ("TAX", inv["tax_amt"]), (f"TOTAL {inv['curr']}", inv["gross_amt"])]
    out += ["-" * WIDTH, *(f"{label:>58} {amount:>13.2f}" for label, amount in totals)]
    if inv["stat"] != "O":
        out.append(f"*** PAID {inv['pd_dt']:%m/%d/%Y}" if inv["stat"] == "P" else "*** CREDITED")
    return out
