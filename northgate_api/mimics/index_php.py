"""`GET /index.php`: what is left of the PHP site's front door. `price` is listed; `item` and `ping` are answered too.

Kept: every answer has status 200; the action is read in upper or lower case; a quantity of 0 or nonsense is 1.
"""

from __future__ import annotations

from fastapi import Response
from sqlalchemy import select

from api_gateway.api.transactions import Read
from api_gateway.evidence.mimic import LegacyCaller
from northgate_api.mimics.habits import err, plain, whole_number, without_nul
from northgate_api.operations.callers import find_partner
from northgate_api.operations.clock import today
from northgate_api.operations.pricing import offer
from northgate_api.tables import item as items
from shared_models.database import ReadTransaction
from shared_models.grants import touches


@touches(find_partner, offer, select={"item": ["item_no", "descr", "cat_cd", "uom", "act_fl"]})
async def index_php(tx: Read, caller: LegacyCaller, action: str = "", item: str = "", qty: str = "") -> Response:
    action = without_nul(action).lower()
    if action == "ping":
        return plain("PONG")
    partner = await find_partner(tx, caller)
    if partner is None:
        return err("AUTH", "bad token")
    if action not in ("price", "item"):
        return err("ACTION", "unknown action")
    number = without_nul(item).strip().upper()
    if action == "item":
        return await _described(tx, number)
    found = await offer(tx, partner.price_list, number, whole_number(without_nul(qty)) or 1, today())
    return err("ITEM", "unknown item") if found is None else plain(f"{found.item}|{found.price:.2f}|USD")


async def _described(tx: ReadTransaction, number: str) -> Response:
    i = items.c
    found = await tx.one(select(i.item_no, i.descr, i.cat_cd, i.uom, i.act_fl).where(i.item_no == number))
    return err("ITEM", "unknown item") if found is None else plain("|".join(map(str, found.values())))
