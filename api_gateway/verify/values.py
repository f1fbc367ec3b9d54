"""What requests are filled with: values of the data, values that were just seen, and the ones that break programs."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from api_gateway.routes import Route
from api_gateway.verify.copies import Copies
from api_gateway.verify.sampling import Fields, sample
from api_gateway.verify.writes import Row

REMEMBERED = 30  # values of one name
ORDINARY = 0.25  # share of requests about any row
OF_CODES = 8  # how much rather a column of codes is what a request is about
MISSPELLED = 0.06

BOUNDARIES = (
    *("", " ", "0", "1", "2", "-1", "+7", "007", "  7 ", "7 x", "1.5", "1,5", "1e3", "٣"),
    *("2147483647", "2147483648", "-2147483649", "9223372036854775808", "9" * 40, "0.005", "0.015", "-0"),
    *("abc", "ABC", "Zoë", "☃", "'", '"', "<&>", "%", "a;b", "a=b&c=d", "a\nb", "\0", "\\", "x" * 300),
    *("Y", "N", "true", "null", "2024-02-29", "2026-02-29", "02/29/2024", "31/12/2025", "0000-00-00", "9999-12-31"),
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
        self._rows: list[Fields] = []
        self._groups: dict[str, list[list[Fields]]] = {}
        self._codes: set[str] = set()
        self._seen: dict[str, list[str]] = {}
        today = datetime.now(UTC).date()
        self._days = [f"{day:{form}}" for day in (today, today - timedelta(30)) for form in ("%Y-%m-%d", "%m/%d/%Y")]

    def look_at(self, copies: Copies, routes: Iterable[Route], seed: int) -> None:
        """Sample the columns that the routes' mimics declare to touch."""
        found = sample(copies, routes, seed, frozenset().union(*self._theirs.values()))
        self._rows, self._groups, self._codes = found.rows, found.groups, found.codes
        for row in [*found.rows, *(row for groups in found.groups.values() for group in groups for row in group)]:
            for name, text in row.items():
                self._columns.setdefault(name, []).append(text)
                if day := _DAY.match(text):
                    self._days += [day[0], f"{day[2]}/{day[3]}/{day[1]}"]

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

    def subject(self, names: Iterable[str] = ()) -> tuple[Fields, tuple[str, str] | None]:
        """One row of the data, so that parameters of one request can belong together; and which one it is about.

        Often a row out of the ordinary in some column: one that a parameter of these `names` is like, which the request
        is then about (its name, the column), or any other, rather of codes.
        """
        drawn = self._random
        if not self._groups or drawn.random() < ORDINARY:
            return (drawn.choice(self._rows) if self._rows else {}), None
        like = {name: found for name in names if (found := _named_like(name, self._groups))}
        focus = None
        if like and drawn.random() < 0.6:
            name = drawn.choice(list(like))
            focus = name, drawn.choice(like[name])
            column = focus[1]
        else:
            known = sorted(self._groups)
            [column] = drawn.choices(known, [OF_CODES if name in self._codes else 1 for name in known])
        groups = self._groups[column]
        none = [group for group in groups if group and column not in group[0]]
        group = drawn.choice(none if none and drawn.random() < 0.2 else groups) if groups else []
        return (drawn.choice(group) if group else {}), focus

    def row(self) -> Fields:
        """One row of the data."""
        return self.subject()[0]

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
