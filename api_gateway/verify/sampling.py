"""What the data holds, in a handful of rows: any of them and those out of the ordinary, each with what it refers to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from psycopg import sql

from api_gateway.routes import Route
from api_gateway.verify.copies import Copies
from shared_models.grants import place_of

SAMPLE = 40  # rows of a table
LARGE = 100_000  # rows; of a larger table a part is looked at
FEW = 12  # distinct values of a column that holds codes

Fields = dict[str, str]

# Of a column's rarest values, of those that come most often and of none, two rows each: people forget what hardly ever
# happens, what is not there, and that a thing may be there twice.
_EXTREMES = sql.SQL(
    "SELECT {1} AS value, {0} FROM (SELECT t.*, row_number() OVER (PARTITION BY {1} ORDER BY t.ctid) AS nth_, "
    "count(*) OVER (PARTITION BY {1}) AS so_often_, dense_rank() OVER (ORDER BY {1} IS NOT NULL) AS none_ FROM {2} t "
    "WHERE {4}) AS counted WHERE nth_ <= 2 ORDER BY none_, so_often_ {3}, value LIMIT 10"
)
_KEY = sql.SQL(
    "SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] "
    "WHERE i.indrelid = {}::regclass AND i.indisprimary AND i.indnatts = 1"
)


@dataclass(slots=True)
class Sampled:
    """rows    any rows. groups: by column, rows with one value each that is rare, common, or none.
    codes   columns with few distinct values.
    """

    rows: list[Fields] = field(default_factory=list)
    groups: dict[str, list[list[Fields]]] = field(default_factory=lambda: defaultdict(list))
    codes: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Table:
    place: tuple[str, str]
    columns: list[str]
    key: str | None
    is_large: bool

    @property
    def name(self) -> sql.Identifier:
        return sql.Identifier(*self.place)

    @property
    def alias(self) -> str:
        """A key is known by its table's name, too: parameters are called `item`, whatever its key is called."""
        return f"{self.place[1]}_{self.key}"

    @property
    def selected(self) -> sql.Composed:
        return sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(name)) for name in self.columns)

    def fields(self, row: Iterable[str | None]) -> Fields:
        kept = {name: text for name, text in zip(self.columns, row, strict=True) if text is not None}
        return kept | ({self.alias: kept[self.key]} if self.key is not None and self.key in kept else {})


def sample(copies: Copies, routes: Iterable[Route], seed: int, theirs: frozenset[str]) -> Sampled:
    """Of the columns that the routes' mimics declare to touch. `theirs`: values that name the consumers that call.

    Where a column names consumers, only rows of these count as out of the ordinary: of others nothing can be asked.
    """
    found = Sampled()
    tables = [_table(copies, place_of(place), sorted(columns)) for place, columns in sorted(_touched(routes).items())]
    by_table: dict[tuple[str, str], list[Fields]] = {}
    for table in tables:
        rows = _any_rows(copies, table, seed)
        groups = [] if table.is_large else _groups(copies, table, _owner(rows, theirs), theirs)
        for name, together in groups:
            found.groups[name] += together
            if _is_code(copies, table, name):
                found.codes.add(name)
        found.rows += rows
        by_table[table.place] = [*rows, *(row for _, together in groups for group in together for row in group)]
    for parent in tables:
        if parent.key is not None and not parent.is_large:
            _join(copies, parent, [row for place, rows in by_table.items() if place != parent.place for row in rows])
    return found


def _table(copies: Copies, place: tuple[str, str], columns: list[str]) -> _Table:
    there = sql.Literal(sql.Identifier(*place).as_string(None))
    ((rows,),) = copies.query(
        sql.SQL("SELECT reltuples::bigint FROM pg_class WHERE oid = {}::regclass").format(there), []
    )
    keys = [name for (name,) in copies.query(_KEY.format(there), [])]
    return _Table(place, columns, keys[0] if keys else None, rows > LARGE)


def _any_rows(copies: Copies, table: _Table, seed: int) -> list[Fields]:
    part = sql.SQL(" TABLESAMPLE SYSTEM (5) REPEATABLE (%s)" if table.is_large else "")
    query = sql.SQL("SELECT {} FROM {} t{} ORDER BY md5(t.ctid::text || %s) LIMIT {}")
    query_of = query.format(table.selected, table.name, part, sql.Literal(SAMPLE))
    return [table.fields(row) for row in copies.query(query_of, [*([seed] if table.is_large else []), str(seed)])]


def _owner(rows: Iterable[Fields], theirs: frozenset[str]) -> str | None:
    """The column that names consumers most often."""
    counts: dict[str, int] = defaultdict(int)
    for row in rows:
        for name, text in row.items():
            counts[name] += text.strip() in theirs and not text.strip().isdigit()
    best = max(sorted(counts), key=lambda name: counts[name], default=None)
    return best if best is not None and counts[best] else None


def _groups(
    copies: Copies, table: _Table, owner: str | None, theirs: frozenset[str]
) -> list[tuple[str, list[list[Fields]]]]:
    within: sql.Composable = sql.SQL("true")
    if owner in table.columns:
        within = sql.SQL("btrim({}::text) = ANY({})").format(sql.Identifier(owner), sql.Literal(sorted(theirs)))
    found = []
    for name in table.columns:
        by_value: dict[str, list[Fields]] = {}
        for order in (sql.SQL("ASC"), sql.SQL("DESC")):
            query = _EXTREMES.format(table.selected, sql.Identifier(name), table.name, order, within)
            seen: dict[str, list[Fields]] = {}
            for value, *row in copies.query(query, []):
                seen.setdefault(repr(value), []).append(table.fields(row))
            by_value |= seen
        found.append((name, list(by_value.values())))
    return found


def _is_code(copies: Copies, table: _Table, name: str) -> bool:
    query = sql.SQL("SELECT count(*) FROM (SELECT DISTINCT {} FROM {} LIMIT {}) AS known")
    ((count,),) = copies.query(query.format(sql.Identifier(name), table.name, sql.Literal(FEW + 1)), [])
    return 1 < int(count) <= FEW


def _join(copies: Copies, parent: _Table, rows: list[Fields]) -> None:
    """What a row refers to by the name of the parent's key is part of it: an invoice is whose order's it is."""
    key = parent.key or ""
    wanted = sorted({row[key] for row in rows if key in row})
    if not wanted or key not in parent.columns:
        return
    query = sql.SQL("SELECT {} FROM {} WHERE {}::text = ANY(%s)").format(
        parent.selected, parent.name, sql.Identifier(key)
    )
    parents = {fields[key]: fields for fields in map(parent.fields, copies.query(query, [wanted])) if key in fields}
    for row in rows:
        for name, text in parents.get(row.get(key, ""), {}).items():
            row.setdefault(name, text)


def _touched(routes: Iterable[Route]) -> Mapping[str, set[str]]:
    tables: dict[str, set[str]] = {}
    for route in routes:
        touches: Any = getattr(route.mimic, "__banyan_touches__", None)
        for kind in ("select", "insert", "update"):
            for table, columns in (getattr(touches, kind, None) or {}).items():
                tables.setdefault(table, set()).update(columns)
    return tables
