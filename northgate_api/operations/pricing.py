"""What an item costs a partner on a day, and whether it is sold."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import sqlalchemy as sa

from northgate_api.tables import item, price_lst
from shared_models.database import ReadTransaction
from shared_models.grants import touches


@dataclass(frozen=True, slots=True)
class Offer:
    item: str
    price: Decimal
    is_sold: bool


@touches(
    select={
        "item": ["item_no", "prc", "act_fl", "dscnt_dt"],
        "price_lst": ["item_no", "lst_cd", "min_qty", "prc", "vld_from", "vld_to"],
    }
)
async def offer(tx: ReadTransaction, price_list: str, item_no: str, quantity: int, on: date) -> Offer | None:
    """The best quantity break of the list that is valid on that day, else the item's own price. None: no such item."""
    i, p = item.c, price_lst.c
    broken = (
        sa.select(p.prc)
        .where(p.item_no == i.item_no, p.lst_cd == price_list, p.min_qty <= quantity)
        .where(p.vld_from <= on, p.vld_to >= on)
        .order_by(p.min_qty.desc(), p.vld_from.desc())
        .limit(1)
        .correlate(item)
        .scalar_subquery()
    )
    found = await tx.one(
        sa.select(i.item_no, sa.func.coalesce(broken, i.prc).label("prc"), i.act_fl, i.dscnt_dt).where(
            i.item_no == item_no
        )
    )
    if found is None:
        return None
    return Offer(found["item_no"], found["prc"], found["act_fl"] == "Y" and found["dscnt_dt"] > on)
