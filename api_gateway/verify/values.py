"""What requests are filled with: values of the data, values that were just seen, and the ones that break programs."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from psycopg import sql

from api_gateway.routes import Route
from api_gateway.verify.copies import Copies
from api_gateway.verify.writes import Row
from shared_models.grants import place_of

SAMPLE = 40  # rows of a table
LARGE = 100_000  # rows; of a larger table a part is looked at
REMEMBERED = 30  # values of one name
ORDINARY = 0.4  # share of requests about any row
MISSPELLED = 0.06

BOUNDARIES = (
    *("", " ", "0", "1", "2", "-1", "+7", "007", "  7 ", "7 x", "1.5", "1,5", "1e3", "٣"),
    *("2147483647", "2147483648", "-2147483649", "9223372036854775808", "9" * 40, "0.005", "0.015", "-0"),
    *("abc", "ABC", "Zoë", "☃", "'", '"', "<&>", "%", "a;b", "a=b&c=d", "a\nb", "\0", "\\", "x" * 300),
    *("Y", "N", "true", "null", "2024-02-29", "2026-02-29", "02/29/2024", "31/12/2025", "0000-00-00", "9999-12-31"),
)

# Of a column's rarest values, of those that come most often and of none, two rows each: people forget what hardly ever
# happens, what is not there, and that a thing may be there twice.
_EXTREMES = sql.SQL(
    "SELECT {1} AS value, {0} FROM (SELECT t.*, row_number() OVER (PARTITION BY {1} ORDER BY t.ctid) AS nth_, "
    "count(*) OVER (PARTITION BY {1}) AS so_often_, dense_rank() OVER (ORDER BY {1} IS NOT NULL) AS none_ FROM {2} t) "
    "AS counted WHERE nth_ <= 2 ORDER BY none_, so_often_ {3}, value LIMIT 10"
)
_DAY = re.compile(r"(\d{4})-(\d\d)-(\d\d)")
_NAMED = re.compile(r"""([A-Za-z_][\w-]{0,30})["']?\s*[=:>]\s*["']?([^"'<>&,;|\s]{1,60})""")
_WORD = re.compile(r"[A-Za-z0-9][\w./:-]{0,40}")


class Values:
    """Draws values for parameters by their name. Deterministic for a seed and what was seen.

    callers  the values that the register knows of each consumer: rows that hold one are theirs.
    """

    def __init__(self, seed: int, callers: Mapping[str, Iterable[str]] | None = None) -> None:
        self._theirs = {code: frozenset(map(str.strip, known)) for code, known in (callers or {}).items()}
        self._random = random.Random(seed)  # noqa: S311 - a seed must bring back the same requests
        self._columns: dict[str, list[str]] = {}
        self._rows: list[dict[str, str]] = []
        self._groups: dict[str, list[list[dict[str, str]]]] = {}
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
        self._rows += self._taken(columns, copies.query(query, [*([seed] if rows > LARGE else []), str(seed)]))
        for name in columns if rows <= LARGE else ():
            for order in (sql.SQL("ASC"), sql.SQL("DESC")):
                found = copies.query(_EXTREMES.format(names, sql.Identifier(name), table, order), [])
                by_value: dict[Any, list[tuple[str | None, ...]]] = {}
                for value, *row in found:
                    by_value.setdefault(repr(value), []).append(tuple(row))
                self._groups.setdefault(name, []).extend(self._taken(columns, group) for group in by_value.values())

    def _taken(self, columns: list[str], rows: Iterable[tuple[str | None, ...]]) -> list[dict[str, str]]:
        taken = []
        for row in rows:
            kept = {name: text for name, text in zip(columns, row, strict=True) if text is not None}
            taken.append(kept)
            for name, text in kept.items():
                self._columns.setdefault(name, []).append(text)
                if day := _DAY.match(text):
                    self._days += [day[0], f"{day[2]}/{day[3]}/{day[1]}"]
        return taken

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

    def row(self, names: Iterable[str] = ()) -> dict[str, str]:
        """One row of the data, so that parameters of one request can belong together.

        Often one that is out of the ordinary in some column, rather in one that a parameter of these `names` is like.
        """
        drawn = self._random
        if not self._groups or drawn.random() < ORDINARY:
            return drawn.choice(self._rows) if self._rows else {}
        asked = sorted({column for name in names for column in _named_like(name, self._groups)})
        column = drawn.choice(asked if asked and drawn.random() < 0.5 else sorted(self._groups))
        groups = self._groups[column]
        return drawn.choice(drawn.choice(groups)) if groups else {}

    def callers_in(self, row: dict[str, str], callers: Iterable[str]) -> list[str]:
        """Those of these consumers whom the row is about."""
        held = {text.strip() for text in row.values()}
        return [code for code in callers if not held.isdisjoint(self._theirs.get(code, ()))]

    def draw(self, name: str, row: dict[str, str], fuzz: list[str], *, belonging: float = 0.0) -> str:
        """A value for a parameter called `name`.

        fuzz       what its schema allows and forbids.
        belonging  how probable it is that it comes from the row, where the row has one.
        """
        drawn = self._random
        in_row, in_columns, in_seen = (_named_like(name, known) for known in (row, self._columns, self._seen))
        if in_row and drawn.random() < belonging:
            return row[drawn.choice(in_row)]
        ways: list[tuple[int, Callable[[], str]]] = [
            (12, lambda: drawn.choice(BOUNDARIES)),
            (8, lambda: str(drawn.randint(0, 12))),
            (5, lambda: f"{drawn.randint(0, 200_000) / drawn.choice((100, 1000)):g}"),
            (8, lambda: drawn.choice(self._days)),
        ]
        if in_row:
            ways.append((25, lambda: row[drawn.choice(in_row)]))
        if in_columns:
            ways.append((25, lambda: self._of_column(drawn.choice(in_columns))))
        if in_seen:
            ways.append((17, lambda: drawn.choice(self._seen[drawn.choice(in_seen)][-8:])))
            ways.append((8, lambda: self._up_to(self._seen[drawn.choice(in_seen)][-1])))
        if self._columns:
            ways.append((6, lambda: self._of_column(drawn.choice(sorted(self._columns)))))
            ways.append((5, lambda: self._long(self._of_column(drawn.choice(sorted(self._columns))))))
        if self._seen.get(""):
            ways.append((4, lambda: drawn.choice(self._seen[""])))
        if fuzz:
            ways.append((6, lambda: drawn.choice(fuzz)))
        weights = [weight for weight, _ in ways]
        [way] = drawn.choices([draw for _, draw in ways], weights)
        text = way()
        return self._misspelled(text) if drawn.random() < MISSPELLED else text

    def _misspelled(self, text: str) -> str:
        """As people and their spreadsheets write it."""
        spelled = (text.lower(), text.upper(), f" {text}", f"{text} ", f"0{text}", text[:-1], f"{text}{text[-1:]}")
        return self._random.choice(spelled)

    def _of_column(self, name: str) -> str:
        return self._random.choice(self._columns[name])

    def _up_to(self, seen: str) -> str:
        """A number between 0 and one that was seen: a page of as many as there are."""
        return str(self._random.randint(0, int(seen))) if re.fullmatch(r"\d{1,9}", seen) else seen

    def _long(self, text: str) -> str:
        """Longer than most columns, and not the same at every place."""
        wanted = self._random.choice((21, 31, 41, 61, 81, 121, 260))
        return " ".join(text or "x" for _ in range(wanted // (len(text) + 1) + 1))[:wanted]

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
