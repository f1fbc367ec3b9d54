"""How the observer and its candidate processes talk: a JSON head and raw bytes, each with its length before it."""

from __future__ import annotations

import asyncio
import json
import struct
from typing import Any

_LENGTHS = struct.Struct("!II")


def pack(head: dict[str, Any], body: bytes = b"") -> bytes:
    text = json.dumps(head).encode()
    return _LENGTHS.pack(len(text), len(body)) + text + body


async def read(reader: asyncio.StreamReader) -> tuple[dict[str, Any], bytes]:
    """One frame. Raises asyncio.IncompleteReadError when the other side is gone, ValueError for what is no frame."""
    head, body = _LENGTHS.unpack(await reader.readexactly(_LENGTHS.size))
    document: dict[str, Any] = json.loads(await reader.readexactly(head))
    return document, await reader.readexactly(body)
