"""Writes of the API that somebody else has put back: usually a form of the legacy app, saved as it was opened earlier.

The journal knows what each write of the last day changed, and from what. A column that holds again what it held
before, although no later write of the API did that, is reverted. It is seen by reading the rows, some hundred keys at a
time: no trigger stands in the legacy app's way.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg import AsyncConnection
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.elements import quoted_name

from api_gateway.events import DatabaseLost, WriteReverted
from api_gateway.logging import report
from shared_models.images import image_of
from shared_models.pool import settings_option
from shared_models.spelling import quoted_text
from shared_models.state import journal, reverted
from shared_models.statements import Row, run, run_async

EVERY = 20.0
"""Seconds between two looks."""
WATCHED: sa.ColumnElement[Any] = sa.literal_column("interval '24 hours'")
KEYS_AT_ONCE = 500
MOST_ENTRIES = 200_000
"""Of a look: older ones wait for nobody; the journal of a busy day is longer."""

_Place = tuple[str, str]


@dataclass(slots=True)
class _Claims:
    """The newest write of each column of each row. `open`: entries by table and key, with their columns."""

    open: dict[_Place, dict[str, list[tuple[Row, list[str]]]]] = field(default_factory=dict)
    _taken: set[tuple[_Place, str, str | None]] = field(default_factory=set)

    def add(self, entry: Row) -> None:
        """Entries come newest first."""
        place, key = (entry["schema"], entry["table"]), json.dumps(entry["key"], sort_keys=True)
        if (place, key, None) in self._taken:
            return
        mine = [name for name in entry["columns"] if (place, key, name) not in self._taken]
        self._taken |= {(place, key, name) for name in entry["columns"]}
        if entry["verb"] != "update":
            self._taken.add((place, key, None))
        if mine and entry["before"] is not None and entry["key"]:  # a row without a key is not found again
            self.open.setdefault(place, {}).setdefault(key, []).append((entry, mine))


async def watch_forever(owner_url: str, read_url: str) -> None:
    """Look again and again; a database that is away is waited for."""
    while True:
        try:
            async with await _connected(owner_url) as owner, await _connected(read_url) as reader:
                while True:
                    for found in await look(owner, reader):
                        table = f"{found['schema']}.{found['table']}"
                        principal, request = found["principal"], found["request"]
                        report(WriteReverted(found["journal"], table, ", ".join(found["columns"]), principal, request))
                    await asyncio.sleep(EVERY)
        except psycopg.Error as error:
            report(DatabaseLost(type(error).__name__))
            await asyncio.sleep(EVERY)


async def _connected(url: str) -> AsyncConnection[Any]:
    """Under the manners of the pool, so that images are written alike."""
    return await AsyncConnection.connect(
        url, autocommit=True, application_name="banyan reverted", options=settings_option()
    )


async def look(owner: AsyncConnection[Any], reader: AsyncConnection[Any]) -> list[Row]:
    """Writes that are seen to be reverted now for the first time, kept as evidence. Raises psycopg.Error."""
    claims = _Claims()
    entries = sa.select(journal).where(journal.c.at > sa.func.now() - WATCHED)
    for entry in await run_async(owner, entries.order_by(journal.c.id.desc()).limit(MOST_ENTRIES)):
        claims.add(entry)
    found: list[Row] = []
    for place, keys in claims.open.items():
        texts = list(keys)
        for start in range(0, len(texts), KEYS_AT_ONCE):
            chunk = texts[start : start + KEYS_AT_ONCE]
            found += await _compared(reader, place, {key: keys[key] for key in chunk})
    return [row for entry in found for row in await run_async(owner, _kept(entry))]


def read_reverted(connection: psycopg.Connection[Any], limit: int = 1000) -> list[Row]:
    """What was seen so far, newest first."""
    return list(run(connection, sa.select(reverted).order_by(reverted.c.seen.desc()).limit(limit)))


async def _compared(
    reader: AsyncConnection[Any], place: _Place, claims: dict[str, list[tuple[Row, list[str]]]]
) -> list[Row]:
    """Entries of one table whose columns hold what they held before; a table we may not read any more is left out."""
    columns = sorted({name for entries in claims.values() for _, mine in entries for name in mine})
    keys = [json.loads(key) for key in claims]
    try:
        rows = await run_async(reader, _rows(place, keys, columns))
    except (psycopg.errors.InsufficientPrivilege, psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn):
        return []
    now = {
        json.dumps({name: row[f"k{n}"] for n, name in enumerate(keys[0])}, sort_keys=True): {
            name: row[f"c{n}"] for n, name in enumerate(columns)
        }
        for row in rows
    }
    return [
        {**entry, "columns": back}
        for key, entries in claims.items()
        for entry, mine in entries
        if key in now and (back := _back(entry, mine, now[key]))
    ]


def _back(entry: Row, mine: Iterable[str], now: Row) -> list[str]:
    """The columns that hold what they held before. A row that was deleted is back when all of it is."""
    before, after = entry["before"], entry["after"]
    same = [name for name in mine if name in before and now[name] == before[name]]
    if after is None:
        return same if len(same) == len(before) else []
    return [name for name in same if after.get(name) != before[name]]


def _rows(place: _Place, keys: list[dict[str, str]], columns: Iterable[str]) -> sa.Select[Any]:
    schema, name = place
    named: list[sa.ColumnClause[Any]] = [sa.column(quoted_name(text, True)) for text in {*columns, *keys[0]}]
    table = sa.table(quoted_name(name, True), *named, schema=quoted_name(schema, True))
    shown = [image_of(table.c[text]).label(f"c{n}") for n, text in enumerate(columns)]
    shown += [image_of(table.c[text]).label(f"k{n}") for n, text in enumerate(keys[0])]
    return sa.select(*shown).where(sa.or_(*_matches(table, keys)))


def _matches(table: sa.TableClause, keys: list[dict[str, str]]) -> Iterator[sa.ColumnElement[bool]]:
    """PostgreSQL reads a bare literal as the type of the column it is compared with: so an index can be used."""
    for key in keys:
        yield sa.and_(*(table.c[n].op("=", is_comparison=True)(_literal(text)) for n, text in key.items()))


def _literal(text: str) -> sa.ColumnElement[Any]:
    return sa.literal_column(quoted_text(text))


def _kept(entry: Row) -> sa.sql.dml.ReturningInsert[Any]:
    names = ("principal", "operation", "request", "schema", "table", "key", "columns")
    row = {name: entry[name] for name in names}
    row |= {"journal": entry["id"], "written": entry["at"]}
    row |= {image: _only(entry[image], entry["columns"]) for image in ("before", "after")}
    return insert(reverted).values(row).on_conflict_do_nothing().returning(reverted)


def _only(image: dict[str, str | None] | None, columns: list[str]) -> dict[str, str | None] | None:
    return None if image is None else {name: image[name] for name in columns if name in image}
