"""Ends gateways that hang: they take connections and never answer, so requests already in flight there wait for ever.

Envoy itself stops sending new requests to such a gateway; only its end frees those that it holds. Only gateways that
`banyan up` started on this machine are touched; `up` starts them again.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from api_gateway.edge.clusters import HEALTH_PATH
from api_gateway.events import ChildEnded
from api_gateway.logging import report

_EVERY_SECONDS = 0.5
_ANSWER_SECONDS = 1.0
_SILENT_TIMES = 3  # in a row; one blocked second is no reason


async def end_hung_gateways(ports: tuple[int, ...], state_dir: Path) -> None:
    """Ask every gateway for its health until cancelled, and end the ones that stay silent."""
    silent = dict.fromkeys(ports, 0)
    while True:
        await asyncio.sleep(_EVERY_SECONDS)
        for port, is_silent in zip(ports, await asyncio.gather(*map(_is_silent, ports)), strict=True):
            silent[port] = silent[port] + 1 if is_silent else 0
            if silent[port] >= _SILENT_TIMES:
                silent[port] = 0
                _end(port, state_dir)


async def _is_silent(port: int) -> bool:
    """It accepts a connection and says nothing. A gateway that is away, or that says 503, is not silent."""
    writer: asyncio.StreamWriter | None = None
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(f"GET {HEALTH_PATH} HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n\r\n".encode())
            await reader.read(1)
        return False
    except TimeoutError:
        return True
    except OSError:
        return False
    finally:
        if writer is not None:
            writer.transport.abort()


def _end(port: int, state_dir: Path) -> None:
    pid = _gateways(state_dir).get(port)
    if pid is None or not _serves(pid, port):
        return
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGKILL)
        report(ChildEnded(f"gateway on port {port}", None, "ended because it hung"))


def _gateways(state_dir: Path) -> Mapping[int, int]:
    """Port -> process, as `banyan up` describes its running instance."""
    try:
        document = json.loads((state_dir / "up.json").read_text("utf-8"))
        ports = [urlsplit(url).port or 0 for url in document["gateway"]]
        return dict(zip(ports, map(int, document["pids"]["gateway"]), strict=True))
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _serves(pid: int, port: int) -> bool:
    """A description may be old, and its process id another program's by now."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return b"serve" in words and str(port).encode() in words
