"""audit_log has no key, so the ORM cannot have it."""

from datetime import datetime
from typing import NamedTuple

from django.db import connection

from sales.fields import local_now


class Entry(NamedTuple):
    at: datetime
    who: str
    what: str
    txt: str | None


def write(who: str, what: str, tbl: str, ref: object, txt: str) -> None:
    with connection.cursor() as c:
        c.execute(
            "INSERT INTO audit_log (at, who, what, tbl, ref, txt) VALUES (%s, %s, %s, %s, %s, %s)",
            [local_now(), who[:30], what, tbl, str(ref)[:40], txt],
        )


def trail(tbl: str, ref: object, limit: int = 20) -> list[Entry]:
    """Newest first."""
    with connection.cursor() as c:
        c.execute(
            "SELECT at, who, what, txt FROM audit_log WHERE tbl = %s AND ref = %s ORDER BY at DESC LIMIT %s",
            [tbl, str(ref), limit],
        )
        return [Entry(*row) for row in c.fetchall()]
