"""The journal: what each write changed, in the write's own transaction: key, columns, before, after.

An image is a column's value as PostgreSQL writes it as text under the pool's settings, so that two of them can be
compared; a long one is kept as its digest.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.selectable import CTE, NamedFromClause

from shared_models.database import WriteTransaction
from shared_models.images import image_of
from shared_models.prepared import parameter
from shared_models.resources import BoundResource
from shared_models.spelling import cast_to, constant, quoted_text
from shared_models.state import journal
from shared_models.values import Expression


def image(row: NamedFromClause[Any], columns: Iterable[str]) -> Expression:
    """The columns as one JSON object of texts."""
    texts = [image_of(row.c[name]).label(name) for name in columns]
    if not texts:
        return sa.literal_column("'{}'::pg_catalog.jsonb")
    shown = sa.select(*texts).correlate(row).subquery("image")
    whole = sa.select(sa.func.to_jsonb(sa.literal_column('"image".*'))).select_from(shown)
    return whole.scalar_subquery()


def journalled(resource: BoundResource, row: CTE, verb: str, columns: list[str], before: Expression | None) -> CTE:
    """The journal's entry about each row that a writing CTE returned. `before` comes from the row's lock."""
    images = image(row, columns)
    nothing = sa.cast(sa.null(), journal.c.before.type)
    entry = {
        "principal": cast_to(parameter("j_principal"), "pg_catalog.text"),
        "operation": cast_to(parameter("j_operation"), "pg_catalog.text"),
        "request": cast_to(parameter("j_request"), "pg_catalog.text"),
        "verb": constant(verb, "pg_catalog.text"),
        "schema": constant(resource.table.schema, "pg_catalog.text"),
        "table": constant(resource.table.name, "pg_catalog.text"),
        "key": image(row, [field.column.name for field in resource.key]),
        "columns": sa.literal_column("ARRAY[" + ", ".join(map(quoted_text, columns)) + "]::pg_catalog.text[]"),
        "before": images if verb == "delete" else before if before is not None else nothing,
        "after": nothing if verb == "delete" else images,
    }
    rows = sa.select(*entry.values()).select_from(row)
    return sa.insert(journal).from_select(list(entry), rows, include_defaults=False).cte("kept")


async def keep(tx: WriteTransaction, entries: list[dict[str, Any]]) -> None:
    """Entries that no writing statement kept by itself."""
    rows = [{**entry, "columns": sorted(entry["after"] or entry["before"] or {})} for entry in entries]
    async with tx.as_ourselves():
        await tx.execute(sa.insert(journal).values(rows))
