"""What requests are filled with: values of the data, values that were just seen, and the ones that break programs."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from psycopg import sql

from api_gateway.routes import Route
from api_gateway.verify.copies import Copies
from api_gateway.verify.writes import Row
from shared_models.grants import place_of

SAMPLE = 40  # rows of a table
LARGE = 200_000  # rows; of a larger table a part is looked at
REMEMBERED = 30  # values of one name

BOUNDARIES = (
    *("", " ", "0", "1", "2", "-1", "+7", "007", "  7 ", "7 x", "1.5", "1,5", "1e3", "٣"),
    *("2147483647", "2147483648", "-2147483649", "9223372036854775808", "9" * 40, "0.005", "0.015", "-0"),
    *("abc", "ABC", "Zoë", "☃", "'", '"', "<&>", "%", "a;b", "a=b&c=d", "a\nb", "\0", "\\", "x" * 300),
    *("Y", "N", "true", "null", "2024-02-29", "2026-02-29", "02/29/2024", "31/12/2025", "0000-00-00", "9999-12-31"),
)

_RARE = sql.SQL("SELECT {0}::text FROM {1} WHERE {0} IS NOT NULL GROUP BY 1 ORDER BY count(*), 1 LIMIT 4")
_NAMED = re.compile(r"""([A-Za-z_][\w-]{0,30})["']?\s*[=:>]\s*["']?([^"'<>&,;|\s]{1,60})""")
_WORD = re.compile(r"[A-Za-z0-9][\w./:-]{0,40}")


class Values:
    """Draws values for parameters by their name. Deterministic for a seed and what was seen."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - a seed must bring back the same requests
        self._columns: dict[str, list[str]] = {}
        self._rows: list[dict[str, str]] = []
        self._seen: dict[str, list[str]] = {}
        today = datetime.now(UTC).date()
        self._days = [f"{day:{form}}" for day in (today, today - timedelta(30)) for form in ("%Y-%m-%d", "%m/%d/%Y")]

    def look_at(self, copies: Copies, routes: Iterable[Route], seed: int) -> None:
        """Sample the columns that the routes' mimics declare to touch."""
        for place, columns in sorted(_touched(routes).items()):
            self._sample(copies, place_of(place), sorted(columns), seed)

    def _sample(self, copies: Copies, place: tuple[str, str], columns: list[str], seed: int) -> None:
        table = sql.Identifier(*place)
        names = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(name)) for name in columns)
        ((rows,),) = copies.query(sql.SQL("SELECT reltuples::bigint FROM pg_class WHERE oid = {}::regclass").format(
            sql.Literal(table.as_string(None))), [])  # fmt: skip
        part = sql.SQL(" TABLESAMPLE SYSTEM (5) REPEATABLE (%s)" if rows > LARGE else "")
        query = sql.SQL("SELECT {} FROM {} t{} ORDER BY md5(t.ctid::text || %s) LIMIT {}").format(
            names, table, part, sql.Literal(SAMPLE)
        )
        for row in copies.query(query, [*([seed] if rows > LARGE else []), str(seed)]):
            kept = {name: text for name, text in zip(columns, row, strict=True) if text is not None}
            self._rows.append(kept)
            for name, text in kept.items():
                self._columns.setdefault(name, []).append(text)
        if rows <= LARGE:
            for name in columns:
                rare = sql.SQL(
                    "SELECT {0}::text FROM {1} WHERE {0} IS NOT NULL GROUP BY 1 ORDER BY count(*), 1 LIMIT 4"
                )
                found = copies.query(rare.format(sql.Identifier(name), table), [])
                if found:  # of an empty table there is nothing to draw
                    self._columns.setdefault(name, []).extend(text for (text,) in found)

    def remember(self, text: str, written: Iterable[Row]) -> None:
        """What an answer said and what a request wrote: the next requests may be about it."""
        for name, value in _NAMED.findall(text[:20_000])[:60]:
            self._keep(name.lower(), value)
        for word in _WORD.findall(text[:2_000])[:20]:
            self._keep("", word)
        for row in written:
            for column, value in (row.after or {}).items():
                if isinstance(value, (str, int, float)) and not isinstance(value, bool):
                    self._keep(column.lower(), str(value)[:100])

    def _keep(self, name: str, value: str) -> None:
        kept = self._seen.setdefault(name, [])
        if value in kept:
            kept.remove(value)
        kept.append(value)
        del kept[:-REMEMBERED]

    def row(self) -> dict[str, str]:
        """One row of the data, so that parameters of one request can belong together."""
        return self._random.choice(self._rows) if self._rows else {}

    def draw(self, name: str, row: dict[str, str], fuzz: list[str]) -> str:
        """A value for a parameter called `name`. `fuzz`: what its schema allows and forbids."""
        chance = self._random.random()
        if chance < 0.25 and (fitting := _named_like(name, row)):
            return row[self._random.choice(fitting)]
        if chance < 0.5 and (fitting := _named_like(name, self._columns)):
            return self._random.choice(self._columns[self._random.choice(fitting)])
        if chance < 0.7 and (fitting := _named_like(name, self._seen)):
            return self._random.choice(self._seen[self._random.choice(fitting)][-8:])
        if chance < 0.78 and self._columns:
            return self._random.choice(self._columns[self._random.choice(sorted(self._columns))])
        if chance < 0.84 and self._seen.get(""):
            return self._random.choice(self._seen[""])
        if chance < 0.9 and fuzz:
            return self._random.choice(fuzz)
        return self._random.choice((*BOUNDARIES, *self._days))

    @property
    def random(self) -> random.Random:
        return self._random


def _touched(routes: Iterable[Route]) -> dict[str, set[str]]:
    tables: dict[str, set[str]] = {}
    for route in routes:
        touches: Any = getattr(route.mimic, "__banyan_touches__", None)
        for kind in ("select", "insert", "update"):
            for table, columns in (getattr(touches, kind, None) or {}).items():
                tables.setdefault(table, set()).update(columns)
    return tables


def _named_like(name: str, known: Iterable[str]) -> list[str]:
    """Known names that share a word with this one, or the beginning of one: `no` is `ord_no`, `status` is `stat`."""
    wanted = _words(name)
    return sorted(other for other in known if any(_akin(one, two) for one in wanted for two in _words(other)))


@lru_cache(maxsize=4096)
def _words(name: str) -> frozenset[str]:
    return frozenset(word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+|\d+", name))


def _akin(one: str, two: str) -> bool:
    short, long = sorted((one, two), key=len)
    return short == long or (len(short) >= 3 and long.startswith(short))
