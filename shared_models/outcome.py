"""Did it commit? Asked on another connection, when the one that said COMMIT was cut before the answer came.

PostgreSQL knows the fate of a transaction by its id. One that is still open after a moment never got the COMMIT: its
session, which has lost its other side, is ended, and then the answer is certain.
"""

from __future__ import annotations

import asyncio
import time

import psycopg

from shared_models.faults import DatabaseFault
from shared_models.pool import Pool

_PATIENCE = 0.5  # seconds until a session that still has the transaction open is ended
_LONGEST = 5.0  # seconds until nobody knows
_STATUS = b"SELECT pg_catalog.pg_xact_status($1::pg_catalog.xid8)"
_END = b"""
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
 WHERE datname = current_database() AND usename = session_user AND state LIKE 'idle in transaction%'
   AND backend_xid = ($1::xid8)::xid
"""


async def has_committed(pool: Pool, transaction: str) -> bool | None:
    """None: it cannot be known now. `transaction`: its id, as pg_current_xact_id() gives it."""
    began = time.monotonic()
    wait = 0.02
    while time.monotonic() - began < _LONGEST:
        status = await _asked(pool, _STATUS, transaction)
        if status in ("committed", "aborted"):
            return status == "committed"
        if status is None:
            return None
        if status == "in progress" and time.monotonic() - began > _PATIENCE:
            await _asked(pool, _END, transaction)
        await asyncio.sleep(wait)
        wait = min(wait * 2, 0.5)
    return None


async def _asked(pool: Pool, query: bytes, transaction: str) -> str | None:
    """The first cell. None: PostgreSQL does not know it any more; `away`: nobody could be asked."""
    try:
        connection = await pool.acquire()
    except DatabaseFault:
        return "away"
    try:
        cursor = psycopg.AsyncRawCursor(connection)
        await cursor.execute(query, [transaction], prepare=False)
        row = await cursor.fetchone()
    except psycopg.Error:
        pool.discard_idle()
        return "away"
    else:
        return None if row is None else str(row[0]) if row[0] is not None else None
    finally:
        pool.release(connection)
