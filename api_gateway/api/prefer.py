"""The Prefer header (RFC 7240): wishes that may be ignored, and which of them were not."""

from __future__ import annotations

import re

_PREFERENCE = re.compile(r"""\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*(?:=\s*("(?:[^"\\]|\\.)*"|[^\s";,]*))?[^,]*""")


def preferences(header: str | None) -> dict[str, str]:
    """Preferences by name in lower case; of one given twice the first counts. What cannot be read is no wish."""
    found: dict[str, str] = {}
    for part in (header or "").split(","):
        if match := _PREFERENCE.fullmatch(part):
            found.setdefault(match[1].lower(), (match[2] or "").strip('"'))
    return found


def applied(header: str | None) -> list[tuple[bytes, bytes]]:
    """Of a read: whatever is not understood is refused anyway, so `handling=strict` is always granted."""
    if header is None or preferences(header).get("handling") != "strict":
        return []
    return [(b"preference-applied", b"handling=strict")]
