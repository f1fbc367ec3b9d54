"""The freeze: one switch that keeps everything from moving by itself. What a person moves goes on moving."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from sqlalchemy import Select, func, insert, select

from api_gateway.errors import Finding
from shared_models import state
from shared_models.statements import run

APPENDING = 0x62616E79616E01  # "banyan", 1: the advisory lock of whoever appends to the ledger


@dataclass(frozen=True, slots=True)
class Freeze:
    """Who froze what moves by itself, or let it go again (`frozen` False), since when and why."""

    at: datetime
    actor: str
    frozen: bool
    reason: str

    def as_json(self) -> dict[str, Any]:
        return {"at": self.at.isoformat(), "actor": self.actor, "frozen": self.frozen, "reason": self.reason}


class Frozen(Finding):
    """Nothing moves by itself now."""


def set_freeze(connection: Connection[Any], *, frozen: bool, actor: str, reason: str) -> Freeze:
    """Freeze or thaw, from this moment on for every process; nothing that moves by itself is under way afterwards."""
    with connection.transaction():
        run(connection, select(func.pg_advisory_xact_lock(APPENDING)))
        values = {"frozen": frozen, "actor": actor, "reason": reason}
        row = run(connection, insert(state.freeze).values(values).returning(state.freeze))[0]
    return Freeze(row["at"], row["actor"], row["frozen"], row["reason"])


def freeze_query() -> Select[Any]:
    """The newest word on it; no row: nobody ever froze anything."""
    return select(state.freeze).order_by(state.freeze.c.id.desc()).limit(1)


def read_freeze(connection: Connection[Any]) -> Freeze | None:
    """The freeze that is on; None when there is none."""
    rows = run(connection, freeze_query())
    if not rows or not rows[0]["frozen"]:
        return None
    return Freeze(rows[0]["at"], rows[0]["actor"], rows[0]["frozen"], rows[0]["reason"])


def refuse_if_frozen(connection: Connection[Any]) -> None:
    """Raises Frozen. Whoever holds the ledger's lock knows that it stays so."""
    present = read_freeze(connection)
    if present is not None:
        raise Frozen(f"{present.actor} froze what moves by itself: {present.reason}")
