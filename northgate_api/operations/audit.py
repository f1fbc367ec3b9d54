"""The legacy app's own log, `audit_log`: it has no key, and the order desk reads it."""

from __future__ import annotations

import sqlalchemy as sa

from northgate_api.operations.clock import local_now
from northgate_api.tables import audit_log
from shared_models.database import WriteTransaction
from shared_models.grants import touches


@touches(insert={"audit_log": ["at", "who", "what", "tbl", "ref", "txt"]})
async def log(tx: WriteTransaction, who: str, what: str, table: str, ref: object, text: str) -> None:
    """`what`: NEW, CHG, UPLOAD, as legacy has them. What is too long is cut, as there."""
    entry = {"at": local_now(), "who": who[:30], "what": what, "tbl": table, "ref": str(ref)[:40], "txt": text}
    await tx.execute(sa.insert(audit_log).values(entry))
