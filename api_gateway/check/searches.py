"""Can `q` be found by an index? PostgreSQL itself is asked to plan the very search, with everything else forbidden."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import psycopg
import sqlalchemy as sa

from api_gateway.api.searching import found
from api_gateway.check.disagreement import Disagreement
from api_gateway.check.indexes import LARGE
from api_gateway.check.subject import Live, Subject
from shared_models.prepared import prepared
from shared_models.resources import BoundResource, BoundSearch
from shared_models.snapshot import Table
from shared_models.spelling import quoted, quoted_text


def unindexed_searches(subject: Subject, live: Live) -> Iterator[Disagreement]:
    """One warning per resource whose large table would be read, and parsed word by word, from end to end."""
    for resource in subject.contract.together() if subject.contract is not None else ():
        search, table = resource.search, live.snapshot.table(resource.table.schema, resource.table.name)
        if search is None or table is None or table.is_view or table.row_estimate < LARGE:
            continue
        if all(map(table.column, _read_of(search))) and _uses_index(resource, live.connection) is False:
            yield _warning(resource, search, table)


def _uses_index(resource: BoundResource, connection: psycopg.Connection[Any]) -> bool | None:
    """None: this role may not ask, or the configuration is not there, which others tell."""
    row = resource.source.alias("t1")
    asked = prepared(sa.select(sa.literal_column("1")).select_from(row).where(*found(resource, row, searched=True)))
    try:
        with connection.transaction(force_rollback=True), psycopg.RawCursor(connection) as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute(b"EXPLAIN (FORMAT JSON) " + asked.sql, ["word"])
            plan = cursor.fetchone()
    except psycopg.Error:
        return None
    written = plan[0] if plan is not None else "[]"
    return any("@@" in str(node.get("Index Cond")) for node in _nodes(_read(written)[0]["Plan"]))


def _read_of(search: BoundSearch) -> tuple[str, ...]:
    return search.columns if search.stored is None else (search.stored,)


def _read(written: Any) -> Any:
    return json.loads(written) if isinstance(written, str) else written


def _nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from _nodes(inner)


def _warning(resource: BoundResource, search: BoundSearch, table: Table) -> Disagreement:
    texts = [f"{quoted(name)}::text" for name in search.columns]
    whole = texts[0] if len(texts) == 1 else " || ' ' || ".join(f"coalesce({text}, '')" for text in texts)
    expression = f"to_tsvector({quoted_text(search.language)}, {whole})"
    if search.stored is not None:
        expression = quoted(search.stored)
    place = f"{quoted(table.schema)}.{quoted(table.name)}"
    statement = f"CREATE INDEX CONCURRENTLY ON {place} USING gin ({expression});"
    named = ", ".join(_read_of(search))
    reason = f"{resource.name} may be searched"
    return Disagreement(
        code="index_missing",
        severity="warning",
        between="contract and live schema",
        message=f"{reason} by {named}: about {table.row_estimate:,} rows, and no index finds words so",
        advice=f"{statement} Or take `search` out of the contract.",
        table=table.qualified,
        column=named,
        details={"statement": statement, "needed_by": [reason]},
    )
