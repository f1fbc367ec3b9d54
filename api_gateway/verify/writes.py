"""The write sets of two sides: what each left behind in the end, row by row, and where they differ. Pure."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from api_gateway.evidence.bodies.sequences import align
from api_gateway.evidence.bodies.volatile import steady_times
from api_gateway.evidence.difference import Difference

EPOCH_SINCE = 1e9  # seconds, as of 2001

Verb = Literal["insert", "update", "delete", "truncate"]
Image = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Row:
    """One row that was written: where (`public.orders`), how, and its images as JSON (None: there is none)."""

    place: str
    verb: Verb
    before: Image | None
    after: Image | None

    @property
    def has_changed(self) -> bool:
        """An UPDATE that sets what is there already writes nothing that anybody could see."""
        return self.before != self.after

    @property
    def changed(self) -> Image:
        """What the write left behind: the new row, or only the columns that an update changed, or the deleted row."""
        if self.after is None:
            return self.before or {}
        before = self.before
        if before is None:
            return self.after
        return {name: value for name, value in self.after.items() if before.get(name) != value}


def settled(rows: Iterable[Row]) -> list[Row]:
    """The net effect: a row written twice counts once, one that was made and taken away again not at all.

    A row is followed by its image: what a later write found is what an earlier one left.
    """
    kept: list[Row] = []
    for row in rows:
        earlier = next(
            (i for i, other in enumerate(kept) if other.place == row.place and other.after == row.before is not None),
            None,
        )
        if earlier is None:
            kept.append(row)
            continue
        first = kept.pop(earlier)
        if row.after is not None:
            merged = replace(first, after=row.after)
            if merged.has_changed:
                kept.insert(earlier, merged)
        elif first.before is not None:
            kept.insert(earlier, Row(row.place, "delete", first.before, None))
    return kept


def differences(control: Iterable[Row], candidate: Iterable[Row], moment: datetime) -> Iterator[Difference]:
    """Paths `written.public.orders[2].total`: the second row of that table, in an order of the rows' own.

    moment  when they were written: a clock that was read then is no difference, in whatever zone it is kept.
    """
    here, there = _by_place(settled(control), moment), _by_place(settled(candidate), moment)
    for place in sorted({*here, *there}):
        yield from _rows(here.get(place, []), there.get(place, []), f"written.{place}")


def _by_place(rows: Iterable[Row], moment: datetime) -> dict[str, list[tuple[str, dict[str, Any]]]]:
    found: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for row in rows:
        image = {name: _steady(value, moment) for name, value in row.changed.items()}
        found.setdefault(row.place, []).append((row.verb, image))
    for images in found.values():
        images.sort(key=lambda each: (each[0], _text(each[1])))
    return found


def _rows(
    here: list[tuple[str, dict[str, Any]]], there: list[tuple[str, dict[str, Any]]], path: str
) -> Iterator[Difference]:
    for i, j in align([_key(each) for each in here], [_key(each) for each in there]):
        if i is not None and j is not None:
            if here[i] != there[j]:
                yield from _row(here[i], there[j], f"{path}[{i + 1}]")
        elif i is not None:
            yield Difference(f"{path}[{i + 1}]", "missing", f"{here[i][0]} {_text(here[i][1])}", None)
        elif j is not None:
            yield Difference(f"{path}[{j + 1}]", "extra", None, f"{there[j][0]} {_text(there[j][1])}")


def _row(here: tuple[str, dict[str, Any]], there: tuple[str, dict[str, Any]], path: str) -> Iterator[Difference]:
    if here[0] != there[0]:
        yield Difference(path, "value", f"{here[0]} {_text(here[1])}", f"{there[0]} {_text(there[1])}")
        return
    for name in [*here[1], *(name for name in there[1] if name not in here[1])]:
        place = f"{path}.{name}"
        if name not in there[1]:
            yield Difference(place, "missing", _text(here[1][name]), None)
        elif name not in here[1]:
            yield Difference(place, "extra", None, _text(there[1][name]))
        elif here[1][name] != there[1][name]:
            yield Difference(place, "value", _text(here[1][name]), _text(there[1][name]))


def _steady(value: Any, moment: datetime) -> Any:
    if isinstance(value, str):
        return steady_times(value, moment)
    if isinstance(value, (int, float)) and value > EPOCH_SINCE:  # a clock that is kept as a number
        text = steady_times(f"{value}", moment)
        return value if text[:1].isdigit() else text
    if isinstance(value, list):
        return [_steady(item, moment) for item in value]
    if isinstance(value, dict):
        return {name: _steady(item, moment) for name, item in value.items()}
    return value


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _key(each: tuple[str, dict[str, Any]]) -> Hashable:
    return each[0], _text(each[1])
