"""Keys that each side draws by itself, told apart from values that must be equal. Pure.

A number of a sequence, a UUID, a key of a counter that `banyan.toml` names: where both sides inserted the same row but
for such a column, its two values are one key under two names. From then on one stands for the other: in rows that refer
to it, in the answers, and in what the modern side is asked.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from api_gateway.verify.calls import Call
from api_gateway.verify.writes import EPOCH_SINCE, Image, Row

Column = tuple[str, str]
"""(place, name), such as ("public.orders", "id")."""

_TOKEN = re.compile(r"[\w-]+")
_LOTTERY = re.compile(
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?=[A-Za-z_-]*\d)(?=[\d_-]*[A-Za-z])[\w-]{20,64}", re.IGNORECASE
)
"""A UUID, or as long a word of letters and digits: nobody chose it."""


@dataclass(frozen=True, slots=True)
class KeyColumns:
    """drawn    columns that the database fills by itself, or that the project names.
    refers   columns of foreign keys, and the columns that they refer to.
    """

    drawn: frozenset[Column] = frozenset()
    refers: Mapping[Column, Column] = field(default_factory=dict)

    def of(self, place: str, name: str) -> Column | None:
        """The drawn column whose values stand here; without a foreign key, one of the same name counts."""
        here = (place, name)
        seen = set()
        while here not in self.drawn and here in self.refers and here not in seen:
            seen.add(here)
            here = self.refers[here]
        return here if here in self.drawn else next((known for known in sorted(self.drawn) if known[1] == name), None)


class Keys:
    """What is known of the present copies."""

    def __init__(self, columns: KeyColumns) -> None:
        self._columns = columns
        # Values of one drawn column are the same key; those that are drawn by lot are, wherever they stand (None).
        self._controls: dict[tuple[Column | None, str], Any] = {}
        self._candidates: dict[tuple[Column | None, str], str] = {}
        self._pairs: set[tuple[str, str]] = set()
        self._modern: dict[str, str] = {}

    def learn(self, control: Sequence[Row], candidate: Sequence[Row]) -> bool:
        """Look at what both inserted. True when a number got two names: requests cannot tell it from other numbers."""
        has_numbers = False
        for place, here, there in self._twins(control, candidate):
            for name in here.keys() & there.keys():
                one, other = here[name], there[name]
                if one == other or not self._is_drawn(place, name, one, other):
                    continue
                domain = self._columns.of(place, name)
                if (domain, str(one)) in self._candidates or (domain, str(other)) in self._controls:
                    continue  # a key has two names, not three: this row refers to another
                self._candidates[domain, str(one)] = str(other)
                self._controls[domain, str(other)] = one
                self._pairs.add((str(one), str(other)))
                if _LOTTERY.fullmatch(str(one)):
                    self._modern[str(one)] = str(other)
                has_numbers = has_numbers or not _LOTTERY.fullmatch(str(one))
        return has_numbers

    def renamed(self, rows: Iterable[Row]) -> list[Row]:
        """The candidate's rows with the control's keys."""
        if not self._controls:
            return list(rows)
        return [
            replace(row, before=self._image(row.place, row.before), after=self._image(row.place, row.after))
            for row in rows
        ]

    def same(self, control: str | None, candidate: str | None) -> bool:
        """Whether two texts differ in nothing but keys under their two names."""
        if not self._pairs or control is None or candidate is None:
            return False
        if _TOKEN.sub("", control) != _TOKEN.sub("", candidate):
            return False
        words = zip(_TOKEN.findall(control), _TOKEN.findall(candidate), strict=True)
        return all(one == other or (one, other) in self._pairs for one, other in words)

    def for_modern(self, call: Call) -> Call:
        """The call with the modern side's keys, where legacy's cannot be mistaken for anything else."""
        if not self._modern:
            return call
        pairs: dict[str, Any] = {
            part: tuple((name, self._translated(value)) for name, value in given)
            for part in ("path", "query", "headers", "form")
            if (given := getattr(call, part)) is not None
        }
        return replace(call, **pairs, body=None if call.body is None else self._translated(call.body))

    def _translated(self, text: str) -> str:
        return _TOKEN.sub(lambda word: self._modern.get(word[0], word[0]), text)

    def _image(self, place: str, image: Image | None) -> Image | None:
        if image is None:
            return None
        return {name: self._controls.get((self._columns.of(place, name), str(it)), it) for name, it in image.items()}

    def _is_drawn(self, place: str, name: str, one: Any, other: Any) -> bool:
        by_lot = (
            isinstance(one, str) and isinstance(other, str) and _LOTTERY.fullmatch(one) and _LOTTERY.fullmatch(other)
        )
        return bool(by_lot and len(one) == len(other)) or (place, name) in self._columns.drawn

    def _twins(self, control: Sequence[Row], candidate: Sequence[Row]) -> Iterator[tuple[str, Image, Image]]:
        """Inserted rows of both sides that are alike but for what is drawn, in the order they were written."""
        theirs: dict[Hashable, list[Image]] = defaultdict(list)
        for row in candidate:
            if row.verb == "insert" and row.after is not None:
                theirs[self._likeness(row.place, row.after)].append(row.after)
        for row in control:
            if row.verb == "insert" and row.after is not None:
                alike = theirs[self._likeness(row.place, row.after)]
                if alike:
                    yield row.place, row.after, alike.pop(0)

    def _likeness(self, place: str, image: Image) -> Hashable:
        """The row without what may be drawn. Numbers within texts may be keys that are told, large ones are clocks."""
        kept = []
        for name, value in sorted(image.items()):
            if self._columns.of(place, name) is None and not (isinstance(value, str) and _LOTTERY.fullmatch(value)):
                is_clock = isinstance(value, (int, float)) and value > EPOCH_SINCE
                kept.append((name, re.sub(r"\d+", "#", value) if isinstance(value, str) else repr(is_clock or value)))
        return place, tuple(kept)
