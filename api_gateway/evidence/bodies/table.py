"""CSV (RFC 4180 and its many cousins): cells by column name, whatever the delimiter."""

from __future__ import annotations

import csv
from collections.abc import Iterator

from api_gateway.evidence.bodies.sequences import align
from api_gateway.evidence.bodies.text import line_endings
from api_gateway.evidence.difference import Difference

DELIMITERS = ";,\t|"


def differences(control: str, candidate: str) -> Iterator[Difference]:
    """Paths `row[3].price`: rows from 1 as a spreadsheet counts them, columns named by the control's first row."""
    delimiter = _delimiter(control)
    yield from line_endings(control, candidate)
    try:
        here, there = _rows(control, delimiter), _rows(candidate, delimiter)
    except csv.Error as error:
        yield Difference("table", "malformed", None, str(error))
        return
    names = here[0] if here else ()
    for i, j in align(here, there):
        if i is not None and j is not None:
            yield from _cells(here[i], there[j], names, f"row[{i + 1}]")
        elif i is not None:
            yield Difference(f"row[{i + 1}]", "missing", delimiter.join(here[i]), None)
        elif j is not None:
            yield Difference(f"row[{j + 1}]", "extra", None, delimiter.join(there[j]))


def _cells(here: tuple[str, ...], there: tuple[str, ...], names: tuple[str, ...], row: str) -> Iterator[Difference]:
    for column in range(max(len(here), len(there))):
        place = f"{row}.{names[column] if column < len(names) else column + 1}"
        if column >= len(there):
            yield Difference(place, "missing", here[column], None)
        elif column >= len(here):
            yield Difference(place, "extra", None, there[column])
        elif here[column] != there[column]:
            yield Difference(place, "value", here[column], there[column])


def _delimiter(text: str) -> str:
    header = text.partition("\n")[0]
    return max(DELIMITERS, key=header.count)


def _rows(text: str, delimiter: str) -> list[tuple[str, ...]]:
    return [tuple(row) for row in csv.reader(text.splitlines(keepends=True), delimiter=delimiter)]
