"""Which tables hold dates that their fields promise not to hold? A first look, of many tables in one statement.

Of the few that are found the rows are counted by `rows`, like those of any other promise.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from psycopg import errors, sql

from api_gateway.check.subject import Live
from shared_models.calendar import promised_form
from shared_models.resources import BoundResource, Field

_BATCH = 25
_REFUSALS = (errors.QueryCanceled, errors.InsufficientPrivilege)
# A day inside the calendar of RFC 3339, for local times: what is found here is looked at once more, exactly.
_FIRST, _LAST = "0001-01-02", "9999-12-30"

Place = tuple[str, str]


def promising(resource: BoundResource) -> list[Field]:
    """Fields that promise `format: date` or `date-time` of their rows."""
    return [field for field in resource.fields.values() if promised_form(field.value) is not None]


def suspects(resources: Iterable[BoundResource], live: Live, timeout: str) -> Collection[Place]:
    """Tables that hold such a date, and those of which it cannot be told so quickly."""
    columns: dict[Place, set[str]] = {}
    for resource in resources:
        found = {field.column.name for field in promising(resource)}
        if found:
            columns.setdefault((resource.table.schema, resource.table.name), set()).update(found)
    return frozenset(_holding(sorted(columns.items()), live, timeout))


def _holding(asked: Sequence[tuple[Place, set[str]]], live: Live, timeout: str) -> Iterator[Place]:
    for start in range(0, len(asked), _BATCH):
        batch = asked[start : start + _BATCH]
        looks = [_look(n, *one) for n, one in enumerate(batch)]
        try:
            with live.connection.transaction():
                live.connection.execute(f"SET LOCAL statement_timeout = '{timeout}'".encode())
                live.connection.execute(b"SET LOCAL transaction_read_only = on")
                rows = live.connection.execute(sql.SQL(" UNION ALL ").join(looks)).fetchall()
                yield from (batch[row[0]][0] for row in rows)
        except _REFUSALS:
            yield from (place for place, _ in batch)


def _look(number: int, place: Place, columns: set[str]) -> sql.Composable:
    beyond = sql.SQL(" OR ").join(
        sql.SQL("{0} OPERATOR(pg_catalog.<) {1} OR {0} OPERATOR(pg_catalog.>) {2}").format(
            sql.Identifier(name), sql.Literal(_FIRST), sql.Literal(_LAST)
        )
        for name in sorted(columns)
    )
    return sql.SQL("(SELECT {} FROM {} WHERE {} LIMIT 1)").format(sql.Literal(number), sql.Identifier(*place), beyond)
