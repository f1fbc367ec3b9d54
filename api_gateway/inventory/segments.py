"""From a path to a template: which segments are values, told from one path alone. Pure.

A value is a number, a date, a UUID, hexadecimal digits, an address, anything long or random. What is a value only
because there are many of its kind (`NS-10023`, titles) is found later, by `crowds`.
"""

from __future__ import annotations

import re
from urllib.parse import quote, unquote_to_bytes

DEEPEST = 16  # segments; a deeper path is cut there
LONGEST = 60  # characters of a segment that is taken literally

_EXTENSION = re.compile(r"(.+)(\.[A-Za-z][A-Za-z0-9]{0,5})")
_KINDS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(pattern))
    for name, pattern in (
        ("date", r"(?:19|20)\d\d-?(?:0[1-9]|1[0-2])-?(?:0[1-9]|[12]\d|3[01])"),
        ("id", r"-?\d+"),
        ("uuid", r"(?i)\{?[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\}?"),
        ("hex", r"(?i)(?=[0-9a-f]*[0-9])(?=[0-9a-f]*[a-f])[0-9a-f]{10,}"),
        ("address", r"[^@/]+@[^@/]+\.[^@/]+"),
        ("token", r"(?=.*\d)(?=.*[a-z])(?=.*[A-Z])[\w+~.=-]{12,}"),
        ("token", r"(?=\D*\d)(?=[^A-Za-z]*[A-Za-z])[A-Za-z0-9_~+=]{16,}"),
    )
)

_TELLTALE = re.compile(r"[\d@]")
_BETWEEN = re.compile(r"[-_.~,+:]")
_RANDOM = re.compile(r"(?=\D*\d)(?=[^A-Za-z]*[A-Za-z])[A-Za-z0-9]{12,}")


def kind_of(text: str) -> str | None:
    """`id` of 4711, `date` of 2024-02-29; None: it may be a name."""
    if len(text) > LONGEST:
        return "text"
    if text.isdecimal() and len(text) != len("20240229"):
        return "id"
    if not _TELLTALE.search(text):
        return None
    return next((name for name, pattern in _KINDS if pattern.fullmatch(text)), None)


def template_of(path: str) -> str:
    """`/partner/invoice/{id}.txt` of `/partner/invoice/4711.txt`. `path`: as on the wire, latin-1, no query."""
    pieces = path.split("/")[1 : DEEPEST + 2]
    return "/" + "/".join([_segment(piece) for piece in pieces[:DEEPEST]] + (["…"] if len(pieces) > DEEPEST else []))


def _segment(raw: str) -> str:
    if raw.isalpha() and raw.isascii() and len(raw) <= LONGEST:
        return raw
    text = raw.partition(";")[0]  # `;jsessionid=…`
    if "%" in text or not text.isascii():
        text = unquote_to_bytes(text.encode("latin-1")).decode("utf-8", "replace")
    kind = kind_of(text)
    if kind is not None:
        return f"{{{kind}}}"
    named = _EXTENSION.fullmatch(text)
    kind = kind_of(named[1]) if named else None
    if named and kind is not None:
        return f"{{{kind}}}{named[2]}"
    if len(text) > 16 and any(_RANDOM.fullmatch(piece) for piece in _BETWEEN.split(text)):
        return "{text}"  # a secret may be part of it
    return quote(text, safe="!$&'()*+,:=@~")
