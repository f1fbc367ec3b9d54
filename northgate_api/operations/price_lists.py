"""What the legacy price upload writes: a partner's agreed prices, row by row.

price_lst  the price of an item from a quantity and a day on: changed where it is there, else new
imp_err    one row per row that cannot be loaded, with legacy's own words
audit_log  UPLOAD, when the file is done
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from api_gateway.jobs import Record, RowFault
from northgate_api.contract import OPEN_END
from northgate_api.operations.callers import Partner
from northgate_api.operations.clock import local_now
from northgate_api.tables import imp_err, item, price_lst
from shared_models.database import ReadTransaction, WriteTransaction
from shared_models.grants import touches

COLUMNS = ("item_number", "min_quantity", "price", "valid_from", "valid_to")
CENT = Decimal("0.01")
KEY = ("item_no", "min_qty", "vld_from")


@dataclass(frozen=True, slots=True)
class Price:
    item_no: str
    min_qty: int
    prc: Decimal
    vld_from: date
    vld_to: date

    @property
    def key(self) -> tuple[Any, ...]:
        return self.item_no, self.min_qty, self.vld_from


def read_row(record: Record, today: date) -> Price | RowFault:
    """`item_number,min_quantity,price[,valid_from[,valid_to]]`. Whether there is such an item is not known here."""

    def fault(field: str | None, code: str, detail: str) -> RowFault:
        return RowFault(record.row, code, detail, field, record.raw[:200])

    if record.cells is None or not 3 <= len(record.cells) <= len(COLUMNS):
        return fault(None, "bad_row", "bad row")
    number, quantity, price, since, until = [*record.cells, "", ""][: len(COLUMNS)]
    if not (quantity or "1").isascii() or not (quantity or "1").isdigit() or not 0 < int(quantity or 1) < 2**31:
        return fault("min_quantity", "bad_quantity", "bad quantity")
    try:
        amount = Decimal(price)
        if not 0 < amount < 10**8:
            raise InvalidOperation
    except InvalidOperation:
        return fault("price", "bad_price", "bad price")
    try:
        begin, end = (date.fromisoformat(text) if text else none for text, none in ((since, today), (until, OPEN_END)))
    except ValueError:
        return fault("valid_from", "bad_date", "bad date")
    return Price(number.upper(), int(quantity or 1), amount.quantize(CENT), begin, end)


@touches(
    select={"item": ["item_no"], "price_lst": ["item_no", "lst_cd", "min_qty", "prc", "vld_from", "vld_to"]},
    insert={
        "price_lst": ["item_no", "lst_cd", "min_qty", "prc", "vld_from", "vld_to"],
        "imp_err": ["imp_dt", "prt_cd", "row_no", "msg", "raw"],
    },
    update={"price_lst": ["prc", "vld_to"]},
)
async def load(tx: WriteTransaction, partner: Partner, records: Sequence[Record], today: date) -> list[RowFault]:
    """Load what can be loaded; of two rows for the same price the later one counts. Returns what is wrong."""
    read = [(record, read_row(record, today)) for record in records]
    known = await _known_items(tx, {price.item_no for _, price in read if isinstance(price, Price)})
    faults: list[RowFault] = []
    prices: dict[tuple[Any, ...], Price] = {}
    for record, price in read:
        if isinstance(price, RowFault):
            faults.append(price)
        elif price.item_no not in known:
            told = f"unknown item {price.item_no[:20]}"
            faults.append(RowFault(record.row, "unknown_item", told, "item_number", record.raw[:200]))
        else:
            prices[price.key] = price
    await _store(tx, partner.price_list.rstrip(), list(prices.values()))
    await _reject(tx, partner, faults)
    return faults


async def _known_items(tx: ReadTransaction, numbers: set[str]) -> set[str]:
    wanted = sa.func.jsonb_array_elements_text(sa.cast(sorted(numbers), JSONB)).column_valued("wanted")
    return {
        row["item_no"] for row in await tx.rows(sa.select(item.c.item_no).where(item.c.item_no.in_(sa.select(wanted))))
    }


async def _store(tx: WriteTransaction, price_list: str, prices: list[Price]) -> None:
    """Change first, then add what was not there: an upsert would use up numbers that legacy does not."""
    p, given = price_lst.c, _given(prices)
    same = (p.item_no == given.c.item_no, p.min_qty == given.c.min_qty, p.vld_from == given.c.vld_from)
    changed = await tx.execute(
        sa.update(price_lst)
        .where(p.lst_cd == price_list, *same)
        .values(prc=given.c.prc, vld_to=given.c.vld_to)
        .returning(p.item_no, p.min_qty, p.vld_from)
    )
    there = {tuple(row[name] for name in KEY) for row in changed}
    missing = [price for price in prices if price.key not in there]
    if missing:
        names = ["item_no", "lst_cd", "min_qty", "prc", "vld_from", "vld_to"]
        new = _given(missing)
        values = [new.c.item_no, sa.literal(price_list), *(new.c[name] for name in names[2:])]
        await tx.execute(sa.insert(price_lst).from_select(names, sa.select(*values).order_by(new.c.n)))


def _given(prices: Sequence[Price]) -> sa.TableValuedAlias:
    """The rows as one value: a thousand of them are one parameter, and one statement for every number of them."""
    rows = [
        {
            "n": n,
            "item_no": price.item_no,
            "min_qty": price.min_qty,
            "prc": str(price.prc),
            "vld_from": price.vld_from.isoformat(),
            "vld_to": price.vld_to.isoformat(),
        }
        for n, price in enumerate(prices)
    ]
    columns: list[sa.ColumnClause[Any]] = [
        sa.column("n", sa.Integer),
        sa.column("item_no", sa.Text),
        sa.column("min_qty", sa.Integer),
        sa.column("prc", sa.Numeric),
        sa.column("vld_from", sa.Date),
        sa.column("vld_to", sa.Date),
    ]
    text = sa.cast(sa.literal(json.dumps(rows), sa.Text), JSONB)
    return sa.func.jsonb_to_recordset(text).table_valued(*columns, name="given").render_derived(with_types=True)


async def _reject(tx: WriteTransaction, partner: Partner, faults: Sequence[RowFault]) -> None:
    if faults:
        known = {"imp_dt": local_now(), "prt_cd": partner.code}
        rows = [{**known, "row_no": f.row, "msg": f.detail[:80], "raw": (f.raw or "")[:200]} for f in faults]
        await tx.execute(sa.insert(imp_err).values(rows))
