"""A gateway that takes connections and never answers is ended, and no other process is."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from api_gateway.edge.hung import end_hung_gateways
from api_gateway.postgres import free_port

SERVER = """
import http.server, sys
http.server.HTTPServer(("127.0.0.1", int(sys.argv[-1])), http.server.SimpleHTTPRequestHandler).serve_forever()
"""


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A process with a gateway's command line, described as `banyan up` does, that answers."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-c", SERVER, "serve", "--port", str(port)], stderr=subprocess.DEVNULL)
    (tmp_path / "up.json").write_text(
        json.dumps({"gateway": [f"http://127.0.0.1:{port}"], "pids": {"gateway": [process.pid]}})
    )
    yield process, port
    process.kill()
    process.wait()


async def listening(port: int) -> None:
    while True:
        with suppress(OSError):
            (await asyncio.open_connection("127.0.0.1", port))[1].close()
            return
        await asyncio.sleep(0.02)


async def test_a_gateway_that_hangs_is_ended(gateway: tuple[subprocess.Popen[bytes], int], tmp_path: Path) -> None:
    process, port = gateway
    await listening(port)
    process.send_signal(signal.SIGSTOP)
    watching = asyncio.create_task(end_hung_gateways((port,), tmp_path))
    assert await asyncio.to_thread(process.wait, 30) == -signal.SIGKILL
    watching.cancel()


async def test_a_gateway_that_answers_or_is_away_is_left_alone(
    gateway: tuple[subprocess.Popen[bytes], int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api_gateway.edge.hung._EVERY_SECONDS", 0.01)
    process, port = gateway
    await listening(port)
    watching = asyncio.create_task(end_hung_gateways((port, free_port()), tmp_path))
    await asyncio.sleep(0.5)  # some ten rounds
    assert process.poll() is None
    watching.cancel()


async def test_a_process_that_only_took_over_the_number_is_left_alone(
    gateway: tuple[subprocess.Popen[bytes], int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api_gateway.edge.hung._EVERY_SECONDS", 0.01)
    monkeypatch.setattr("api_gateway.edge.hung._ANSWER_SECONDS", 0.05)
    process, port = gateway
    await listening(port)
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    (tmp_path / "up.json").write_text(
        json.dumps({"gateway": [f"http://127.0.0.1:{port}"], "pids": {"gateway": [other.pid]}})
    )
    process.send_signal(signal.SIGSTOP)
    watching = asyncio.create_task(end_hung_gateways((port,), tmp_path))
    await asyncio.sleep(0.6)  # more than three silent rounds
    assert other.poll() is None
    watching.cancel()
    other.kill()
    other.wait()
