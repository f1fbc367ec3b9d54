"""Number ranges without gaps: the row of `ctr` stays locked until the transaction ends, a rollback gives it back."""

from __future__ import annotations

import sqlalchemy as sa

from northgate_api.tables import ctr
from shared_models.database import WriteTransaction
from shared_models.grants import touches


@touches(select={"ctr": ["ctr_cd", "nxt"]}, update={"ctr": ["nxt"]})
async def draw(tx: WriteTransaction, name: str) -> int:
    """The next number of the range: INV for invoices, CUST for customers. Raises LookupError for an unknown one."""
    drawn = sa.update(ctr).where(ctr.c.ctr_cd == name).values(nxt=ctr.c.nxt + 1).returning(ctr.c.nxt)
    rows = await tx.execute(drawn)
    if not rows:
        raise LookupError(f"there is no number range {name}")
    return int(rows[0]["nxt"]) - 1
