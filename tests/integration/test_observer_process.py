"""`banyan observe`, the whole process: exchanges come in as Envoy sends them, evidence comes out."""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import grpc
import psycopg
import pytest

from api_gateway import consumers, ledger
from api_gateway.edge import exchange_wire
from api_gateway.evidence.control import ask_legacy
from api_gateway.evidence.observation import Observation
from api_gateway.evidence.read import read_calls
from api_gateway.ledger import Move
from api_gateway.postgres import Server, free_port
from api_gateway.stages import Stage
from tests.support.api import NORTHGATE
from tests.support.legacy import running_legacy

TOKEN = hashlib.sha256(b"northgate-demo-token-ACME").hexdigest()[:32]
TARGET = f"/partner/orders.xml?token={TOKEN}&page=2"
PROCESS = "/envoy.service.ext_proc.v3.ExternalProcessor/Process"


@pytest.fixture
def owner(server: Server, writing_url: str) -> Iterator[psycopg.Connection[Any]]:
    """The example's database, with one partner registered who stands at shadow with its order list."""
    url = server.url(writing_url.rsplit("/", 1)[1], user="banyan_owner")
    with psycopg.connect(url, autocommit=True) as connection:
        consumers.add_consumer(connection, "acme", "Acme", values={"prt_cd": "ACME"})
        consumers.add_credential(connection, "acme", "query", TOKEN)
        move = Move("orders.list", "acme", Stage.legacy, Stage.shadow, "test", "to be observed")
        ledger.append(connection, move, expected_version=0)
        yield connection


@pytest.fixture
def observer(server: Server, writing_url: str, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    name = writing_url.rsplit("/", 1)[1]
    port = free_port()
    environment = {
        **os.environ,
        "BANYAN_PROJECT": str(NORTHGATE),
        "BANYAN_STATE_DIR": str(tmp_path),
        "BANYAN_OWNER_DATABASE_URL": server.url(name, user="banyan_owner"),
        "BANYAN_READ_DATABASE_URL": server.url(name, user="banyan_read"),
        "BANYAN_OBSERVER_PORT": str(port),
    }
    with subprocess.Popen([sys.executable, "-m", "api_gateway.cli", "observe"], env=environment) as process:
        process.port = port
        try:
            yield process
        finally:
            process.kill()


def eventually(holds: Callable[[], Any]) -> Any:
    """The first true thing it returns. Fails when that does not come within a minute."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with suppress(grpc.RpcError):
            if found := holds():
                return found
        time.sleep(0.1)
    raise AssertionError("it did not come")


def send(port: int, target: str, answer: Observation) -> bool:
    """One whole exchange, in the pieces in which Envoy sends it."""
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        call = channel.stream_stream(PROCESS, request_serializer=lambda piece: piece.SerializeToString())
        metadata = (("x-banyan-route", "orders.list"), ("x-banyan-copy", "whole"))
        list(call(iter(pieces(target, answer)), metadata=metadata, wait_for_ready=True, timeout=30))
    return True


def pieces(target: str, answer: Observation) -> list[Any]:
    request, head, body = (exchange_wire._Request() for _ in range(3))
    for name, value in ((":method", "GET"), (":path", target), (":authority", "northgate")):
        request.request_headers.headers.headers.add(key=name, raw_value=value.encode("latin-1"))
    request.request_headers.end_of_stream = True
    for name, value in ((":status", str(answer.status)), *answer.headers):
        head.response_headers.headers.headers.add(key=name, raw_value=value.encode("latin-1"))
    body.response_body.body, body.response_body.end_of_stream = answer.body, True
    return [request, head, body]


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_running(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


@pytest.mark.timeout(240)
def test_exchanges_become_evidence_and_nothing_is_left_at_the_end(
    observer: Any, owner: psycopg.Connection[Any], writing_url: str
) -> None:
    with running_legacy(writing_url) as legacy:
        host = ((b"host", b"northgate"),)
        answer = asyncio.run(ask_legacy(legacy, "GET", TARGET, host))

    version = ledger.read_table(owner).version
    eventually(lambda: any(p.kind == "observer" and p.acknowledged == version for p in ledger.processes(owner)))
    send(observer.port, TARGET, answer)
    send(observer.port, "/partner/orders.xml?token=forgotten", answer)

    query = "SELECT verdict, consumer, shape, request ->> 'target' FROM banyan.comparison"
    rows = eventually(lambda: owner.execute(query).fetchall())
    assert rows == [("match", "acme", "GET page=integer token=code", "/partner/orders.xml?token=•••&page=2")]
    counted = eventually(lambda: found if len(found := read_calls(owner, "orders.list")) == 2 else None)
    assert {(c.consumer, c.stage, c.count) for c in counted} == {("acme", "shadow", 1), (None, "legacy", 1)}

    [candidate] = children(observer.pid)
    observer.send_signal(signal.SIGTERM)
    assert observer.wait(20) == 0
    assert not is_running(candidate)
    assert all(p.kind != "observer" for p in ledger.processes(owner))


@pytest.mark.timeout(240)
def test_a_killed_observer_takes_its_candidates_with_it(observer: Any, owner: psycopg.Connection[Any]) -> None:
    answer = Observation.answer(200, [(b"content-type", b"text/xml")], b"<orders/>")
    send(observer.port, TARGET, answer)
    [candidate] = eventually(lambda: children(observer.pid))
    observer.kill()
    eventually(lambda: not is_running(candidate))
