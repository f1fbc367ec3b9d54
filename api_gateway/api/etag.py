"""The tag of a row (RFC 9110, section 8.8.3): made of its whole document, so no choice of fields moves it.

    "<row>"               the row as the contract shows it: every field, nothing included
    "<row>.<included>"    an answer with parents or children: the second part moves with them

If-Match compares the row's part alone: what was included is not what is written.
"""

from __future__ import annotations

import hashlib
import re

_LISTED = re.compile(rb'[\s,]*(W/)?"([\x21\x23-\x7e\x80-\xff]*)"\s*(?=,|$)')


def digest(document: bytes) -> bytes:
    """24 letters that stand for these bytes."""
    return hashlib.blake2b(document, digest_size=12).hexdigest().encode()


def tag_of(row: bytes, included: bytes | None = None) -> bytes:
    """The strong tag, in its quotes. `row`: the document with all its fields; `included`: parents and children."""
    tag = digest(row) if included is None else digest(row) + b"." + digest(included)
    return b'"' + tag + b'"'


def is_known(if_none_match: bytes, tag: bytes) -> bool:
    """Does the caller have it? Compared weakly (RFC 9110, section 13.1.2); what is no list of tags knows nothing."""
    if if_none_match.strip() == b"*":
        return True
    try:
        return tag[1:-1] in [opaque for _, opaque in _listed(if_none_match)]
    except ValueError:
        return False


def allows(if_match: bytes, row: bytes) -> bool:
    """May a row with this document be changed? Compared strongly (RFC 9110, section 13.1.1): a weak tag never matches.

    Raises ValueError for what is no list of tags.
    """
    if if_match.strip() == b"*":
        return True
    tags = [opaque.partition(b".")[0] for weak, opaque in _listed(if_match) if not weak]
    return digest(row) in tags


def _listed(header: bytes) -> list[tuple[bool, bytes]]:
    found, at = [], 0
    while match := _LISTED.match(header, at):
        found.append((match[1] is not None, match[2]))
        at = match.end()
    if not found or header[at:].strip(b" \t,"):
        raise ValueError("not a list of entity tags")
    return found
