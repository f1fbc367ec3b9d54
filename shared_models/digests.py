"""Short stand-ins for texts that are too long to freeze: equal when two servers of any version hold the same query.

PostgreSQL gives a view's query back from its parse tree. Until 15 it wrote `t.a` where a view reads one table, since
16 it writes `a`; layout differs too. So white space and the qualifiers of columns do not count. Which relations are
read is in the snapshot beside the digest.
"""

from __future__ import annotations

import re
from hashlib import sha256

_NAME = r'(?:"(?:[^"]|"")*"|[^\W\d][\w$]*)'
# A literal stays as it is; a qualifier is dropped unless the name behind it is a function's.
_PIECE = re.compile(rf"(?P<literal>'(?:[^']|'')*')|(?P<qualifier>{_NAME}\.)(?=(?>{_NAME})(?!\())|(?P<space>\s+)")


def query_digest(text: str) -> str:
    return _digest(_PIECE.sub(lambda piece: piece["literal"] or (" " if piece["space"] else ""), text))


def body_digest(source: str, sql_body: str | None) -> str:
    """Of a function: its source, or its parsed body where it was written in the SQL standard's way."""
    return query_digest(sql_body) if sql_body else _digest(source)


def _digest(text: str) -> str:
    return sha256(text.strip().encode()).hexdigest()[:16]
