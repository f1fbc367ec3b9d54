"""`GET /partner/stock.csv`: for spreadsheets: semicolons, decimal comma, Latin-1, CRLF, quoted only where it must be.

Kept: what is oversold reads 0; an unknown category is an empty list.
"""

from __future__ import annotations

from fastapi import Response
from sqlalchemy import select

from api_gateway.api.transactions import Read
from api_gateway.evidence.mimic import LegacyCaller
from northgate_api.mimics.habits import PARTNER_COLUMNS, active_partner, latin1, plain, without_nul
from northgate_api.tables import item
from shared_models.grants import touches


@touches(
    select={**PARTNER_COLUMNS, "item": ["item_no", "descr", "cat_cd", "uom", "qty_oh", "prc", "act_fl"]},
)
async def stock_csv(tx: Read, caller: LegacyCaller, cat: str = "") -> Response:
    if await active_partner(tx, caller) is None:
        return plain("access denied\r\n", 403)
    i = item.c
    sold = select(i.item_no, i.descr, i.cat_cd, i.uom, i.qty_oh, i.prc).where(i.act_fl == "Y").order_by(i.item_no)
    if cat := without_nul(cat):
        sold = sold.where(i.cat_cd == cat.upper())
    lines = ["item_no;descr;cat;uom;qty;price\r\n"]
    for row in await tx.rows(sold):
        price = f"{row['prc']:.2f}".replace(".", ",")
        shown = [row["item_no"], _cell(row["descr"]), row["cat_cd"], row["uom"], str(max(row["qty_oh"], 0)), price]
        lines.append(";".join(shown) + "\r\n")
    answer = latin1("".join(lines), "text/csv")
    answer.headers["content-disposition"] = "attachment; filename=stock.csv"
    return answer


def _cell(value: str) -> str:
    return '"' + value.replace('"', '""') + '"' if ";" in value or '"' in value else value
