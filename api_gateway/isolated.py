"""Processes of ours that run the project's code apart from everything else: how they are talked to, and what they get.

A frame is a JSON head and raw bytes, each with its length before it.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import json
import os
import signal
import struct
from typing import Any

_LENGTHS = struct.Struct("!II")
_PR_SET_PDEATHSIG = 1


def pack(head: dict[str, Any], body: bytes = b"") -> bytes:
    text = json.dumps(head).encode()
    return _LENGTHS.pack(len(text), len(body)) + text + body


async def read(reader: asyncio.StreamReader) -> tuple[dict[str, Any], bytes]:
    """One frame. Raises asyncio.IncompleteReadError when the other side is gone, ValueError for what is no frame."""
    head, body = _LENGTHS.unpack(await reader.readexactly(_LENGTHS.size))
    document: dict[str, Any] = json.loads(await reader.readexactly(head))
    return document, await reader.readexactly(body)


def environment() -> dict[str, str]:
    """This process's own, without what opens a database or signs a session."""
    secret = ("BANYAN_", "DATABASE_URL", "PGPASS", "PGSERVICE", "PGUSER")
    return {name: value for name, value in os.environ.items() if not name.startswith(secret)}


def die_with_parent() -> None:
    """A killed parent closes nothing itself; on Linux the kernel ends what it left behind, even in a busy loop."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
