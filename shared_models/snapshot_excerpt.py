"""A few tables out of a large `schema.lock.json`, without reading the rest: a gateway serves thirty of a thousand.

The file is written by `frozen_json` with each table and sequence at a depth of two blanks; what begins so is an entry.
A file in any other layout (somebody formatted it) is left as it is: slower, and right.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection

Names = Collection[tuple[str, str]]

_ENTRY = "\n  {"
_END = "\n ]"
_TEXT = r'"(?:[^"\\]|\\.)*"'
_NAMED = re.compile(rf'\s*"schema": ({_TEXT}),\s*"name": ({_TEXT})')
_OWNED = re.compile(rf'"owned_by": \[({_TEXT}), ({_TEXT}), {_TEXT}\]')


def excerpt(text: str, only: Names) -> str:
    """The file's text with these tables and the sequences that belong to them; types and functions stay whole."""
    wanted = {(_quoted(schema), _quoted(name)) for schema, name in only}
    text = _thinned(text, "tables", lambda entry: _named(_NAMED.match(entry), wanted))
    return _thinned(text, "sequences", lambda entry: _owned(_OWNED.search(entry), wanted))


def _thinned(text: str, part: str, is_wanted: Callable[[str], bool]) -> str:
    head = f'\n "{part}": ['
    start = text.find(head + _ENTRY)
    end = text.find(_END, start)
    if start < 0 or end < 0:
        return text
    start += len(head)
    entries = (entry.removesuffix(",") for entry in text[start:end].split(_ENTRY)[1:])
    kept = ",".join(_ENTRY + entry for entry in entries if is_wanted(entry))
    return text[:start] + kept + text[end:]


def _named(found: re.Match[str] | None, wanted: Names) -> bool:
    """An entry that does not begin with its name is kept: whoever reads it will say what is wrong."""
    return found is None or (found[1], found[2]) in wanted


def _owned(found: re.Match[str] | None, wanted: Names) -> bool:
    return found is not None and (found[1], found[2]) in wanted


def _quoted(name: str) -> str:
    return json.dumps(name, ensure_ascii=False)
