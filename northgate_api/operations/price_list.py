"""Agreed prices into a partner's own list: what the legacy upload writes, however many rows, in a few statements."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import islice
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from northgate_api.operations.audit import log
from northgate_api.operations.callers import Partner
from northgate_api.operations.clock import local_now
from northgate_api.tables import imp_err, item, price_lst
from shared_models.database import ReadTransaction, WriteTransaction
from shared_models.grants import touches

AT_ONCE = 1000
Key = tuple[str, int, date]
Part = TypeVar("Part")


@dataclass(frozen=True, slots=True)
class Price:
    """One row that can be loaded."""

    item: str
    quantity: int
    amount: Decimal
    valid_from: date
    valid_to: date

    @property
    def key(self) -> Key:
        return self.item, self.quantity, self.valid_from


@dataclass(frozen=True, slots=True)
class Rejected:
    """One that cannot, and why. `row`: its number in the file, from 1."""

    row: int
    message: str
    text: str


@touches(select={"item": ["item_no"]})
async def known_items(tx: ReadTransaction) -> frozenset[str]:
    return frozenset(row["item_no"] for row in await tx.rows(sa.select(item.c.item_no)))


@touches(
    log,
    select={"price_lst": ["id", "item_no", "lst_cd", "min_qty", "vld_from"]},
    insert={
        "price_lst": ["item_no", "lst_cd", "min_qty", "prc", "vld_from", "vld_to"],
        "imp_err": ["imp_dt", "prt_cd", "row_no", "msg", "raw"],
    },
    update={"price_lst": ["prc", "vld_to"]},
)
async def load(tx: WriteTransaction, partner: Partner, prices: Sequence[Price], rejected: Sequence[Rejected]) -> None:
    """Rows of the file in their order: of two with the same key the later one counts. All of it, or nothing."""
    wanted = {price.key: price for price in prices}
    known = await _known(tx, partner.price_list)
    for part in _parts([price for key, price in wanted.items() if key in known]):
        await _update(tx, partner.price_list, part)
    for part in _parts([price for key, price in wanted.items() if key not in known]):
        await _insert(tx, partner.price_list, part)
    for refused in _parts(rejected):
        await _keep(tx, partner.code, refused)
    told = f"loaded={len(prices)} rejected={len(rejected)}"
    await log(tx, partner.code, "UPLOAD", "price_lst", partner.price_list, told)


async def _known(tx: ReadTransaction, price_list: str) -> set[Key]:
    p = price_lst.c
    rows = await tx.rows(sa.select(p.item_no, p.min_qty, p.vld_from).where(p.lst_cd == price_list))
    return {(row["item_no"], row["min_qty"], row["vld_from"]) for row in rows}


async def _update(tx: WriteTransaction, price_list: str, prices: Sequence[Price]) -> None:
    p = price_lst.c
    columns = [sa.column(column.name, column.type) for column in (p.item_no, p.min_qty, p.vld_from, p.prc, p.vld_to)]
    rows = [(price.item, price.quantity, price.valid_from, price.amount, price.valid_to) for price in prices]
    new = sa.values(*columns, name="new").data(rows)
    same = (p.item_no == new.c.item_no, p.min_qty == new.c.min_qty, p.vld_from == new.c.vld_from)
    await tx.execute(
        sa.update(price_lst).where(p.lst_cd == price_list, *same).values(prc=new.c.prc, vld_to=new.c.vld_to)
    )


async def _insert(tx: WriteTransaction, price_list: str, prices: Sequence[Price]) -> None:
    """One that somebody else has added in between is updated."""
    p = price_lst.c
    rows = [
        {
            "item_no": price.item,
            "lst_cd": price_list,
            "min_qty": price.quantity,
            "prc": price.amount,
            "vld_from": price.valid_from,
            "vld_to": price.valid_to,
        }
        for price in prices
    ]
    new = insert(price_lst).values(rows)
    key = [column.name for column in (p.item_no, p.lst_cd, p.min_qty, p.vld_from)]
    await tx.execute(
        new.on_conflict_do_update(index_elements=key, set_={"prc": new.excluded.prc, "vld_to": new.excluded.vld_to})
    )


async def _keep(tx: WriteTransaction, partner: str, rejected: Sequence[Rejected]) -> None:
    each = {"imp_dt": local_now(), "prt_cd": partner}
    rows = [{**each, "row_no": one.row, "msg": one.message, "raw": one.text[:200]} for one in rejected]
    await tx.execute(sa.insert(imp_err).values(rows))


def _parts(whole: Sequence[Part]) -> Iterator[list[Part]]:
    rest = iter(whole)
    while part := list(islice(rest, AT_ONCE)):
        yield part
