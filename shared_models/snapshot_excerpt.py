"""A few tables out of a large `schema.lock.json`, piece by piece: a gateway serves thirty of a thousand.

The file is written by `frozen_json` with each table and sequence at a depth of two blanks; what begins so is an entry.
A file in any other layout (somebody formatted it) is left as it is: slower, and right.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator
from typing import TextIO

Names = Collection[tuple[str, str]]

_ENTRY = "\n  {"
_END = "\n ]"
_AT_ONCE = 1 << 16  # characters: the file may be larger than all else that a gateway holds
_TEXT = r'"(?:[^"\\]|\\.)*"'
_NAMED = re.compile(rf'\s*"schema": ({_TEXT}),\s*"name": ({_TEXT})')
_OWNED = re.compile(rf'"owned_by": \[({_TEXT}), ({_TEXT}), {_TEXT}\]')


def excerpt(file: TextIO, only: Names) -> str:
    """The file's text with these tables and the sequences that belong to them; types and functions stay whole."""
    wanted = {(_quoted(schema), _quoted(name)) for schema, name in only}
    return "".join(_kept(_pieces(file), wanted))


def _pieces(file: TextIO) -> Iterator[str]:
    """What stands before the first entry, then each entry, the last of a list with all that follows it."""
    rest = ""
    while read := file.read(_AT_ONCE):
        *whole, rest = (rest + read).split(_ENTRY)
        yield from whole
    yield rest


def _kept(pieces: Iterator[str], wanted: Names) -> Iterator[str]:
    before = next(pieces)
    yield before
    is_wanted, separator = _chooser(before), ""
    for piece in pieces:
        entry, end, behind = piece.partition(_END)
        if is_wanted(entry, wanted):
            yield separator + _ENTRY + entry.removesuffix(",")
            separator = ","
        if end:
            yield end + behind
            is_wanted, separator = _chooser(behind), ""


def _chooser(before: str) -> Callable[[str, Names], bool]:
    """Which entries of the list whose head is the end of this text are kept."""
    if before.endswith('\n "tables": ['):
        return _is_named
    return _is_owned if before.endswith('\n "sequences": [') else lambda _entry, _wanted: True


def _is_named(entry: str, wanted: Names) -> bool:
    """An entry that does not begin with its name is kept: whoever reads it will say what is wrong."""
    found = _NAMED.match(entry)
    return found is None or (found[1], found[2]) in wanted


def _is_owned(entry: str, wanted: Names) -> bool:
    found = _OWNED.search(entry)
    return found is not None and (found[1], found[2]) in wanted


def _quoted(name: str) -> str:
    return json.dumps(name, ensure_ascii=False)
