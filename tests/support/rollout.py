"""Real processes around a small project: edge, gateways, worker and observer, beside a scripted legacy app.

The project's mimics do what files in its folder say, so that a candidate can begin to fail while it is live.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from api_gateway import consumers, ledger, moves
from api_gateway.ledger import Entry
from api_gateway.postgres import free_port
from api_gateway.project import load_project
from api_gateway.stages import Stage
from shared_models.migrations import upgrade
from shared_models.snapshot import Snapshot
from tests.support.instance import BANYAN, ROOT
from tests.support.upstream import Answer, Upstream, request, send

ROUTES = """
import asyncio
from pathlib import Path

from fastapi import Response
from api_gateway.routes import HeaderToken, QueryToken, Route

HERE = Path(__file__).parent


def says(name):
    async def mimic() -> Response:
        mood = (HERE / "mood" / name)
        text = mood.read_text() if mood.exists() else ""
        if text == "fails":
            raise ValueError(name)
        if text.startswith("late "):
            await asyncio.sleep(float(text.removeprefix("late ")))
        return Response("other" if text == "other" else "modern", media_type="text/plain")
    return mimic


routes = [
    Route("orders", "GET", "/orders", QueryToken("token"), mimic=says("orders"), successor="/api/v1/orders"),
    Route("items", "GET", "/items", QueryToken("token"), mimic=says("items")),
    Route("intake", "POST", "/intake", QueryToken("token"), mimic=says("intake")),
    Route("prices", "GET", "/prices", QueryToken("token"), mimic=says("prices"), group="catalogue"),
    Route("stock", "GET", "/stock", QueryToken("token"), mimic=says("stock"), group="catalogue"),
]
"""
PARTNERS = ("acme", "bolt")


@dataclass(slots=True)
class World:
    """What runs. `answer` of legacy is `legacy` as text; every call of `get` and `post` goes through the edge."""

    folder: Path
    legacy: Upstream
    edge_port: int
    console_port: int
    owner_url: str
    environment: Mapping[str, str]
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    answered: list[tuple[int, bytes]] = field(default_factory=list)

    async def get(self, path: str, consumer: str | None = None, **headers: str) -> Answer:
        """A call, kept in `answered`."""
        token = f"?token=tok-{consumer}" if consumer else ""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = await send(self.edge_port, request("GET", f"{path}{token}", sent))
        self.answered.append((answer.status, answer.body))
        return answer

    async def post(self, path: str, consumer: str | None = None) -> Answer:
        token = f"?token=tok-{consumer}" if consumer else ""
        return await send(self.edge_port, request("POST", f"{path}{token}", {}, b"qty=1"))

    async def says(self, path: str, consumer: str | None, body: bytes) -> bool:
        return (await self.get(path, consumer)).body == body

    async def stand(self, route: str, consumer: str | None, *stages: str, share: float | None = None) -> None:
        """Move there on somebody's word, one stage after the other, until every process acts on it."""

        def move() -> None:
            project = load_project(self.folder / "project")
            word: dict[str, Any] = {"actor": "ann", "reason": "of the test", "override": "Test", "timeout": 20.0}
            with self.owner() as connection:
                for stage in stages:
                    part = share if stage == stages[-1] else None
                    outcome = moves.move(
                        connection, project, route, Stage(stage), consumer=consumer, share=part, **word
                    )
                    assert not outcome.laggards

        await asyncio.to_thread(move)

    async def back(self, route: str) -> None:
        """Everybody on this route is at legacy."""

        def move() -> None:
            with self.owner() as connection:
                project = load_project(self.folder / "project")
                moves.rollback_everyone(connection, project, route, actor="ann", reason="of the test", timeout=20.0)

        await asyncio.to_thread(move)

    def banyan(self, *words: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), **self.environment}
        return subprocess.run(
            [*BANYAN, *words], cwd=self.folder, env=environment, capture_output=True, text=True, timeout=60, check=False
        )

    def mood(self, mimic: str, mood: str = "") -> None:
        """What a mimic does from now on: `fails`, `other`, `late 0.2`; nothing: what it should."""
        (self.folder / "project" / "mood").mkdir(exist_ok=True)
        (self.folder / "project" / "mood" / mimic).write_text(mood)

    def owner(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self.owner_url, autocommit=True)

    def history(self, route: str | None = None) -> list[Entry]:
        with self.owner() as connection:
            return ledger.history(connection, route=route)

    def log(self, name: str) -> list[dict[str, Any]]:
        lines = (self.folder / f"{name}.log").read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]


async def eventually(what: str, holds: Callable[[], Any], seconds: float = 30.0) -> Any:
    """Ask until it is so; what it said then."""
    deadline = time.monotonic() + seconds
    while True:
        answer = holds()
        if asyncio.iscoroutine(answer):
            answer = await answer
        if answer:
            return answer
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        await asyncio.sleep(0.02)


def write_project(folder: Path, routes: str = ROUTES, toml: str = "") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    nothing_compared = "[legacy]\ncompared = 0.0\n"  # these mimics say `modern` where legacy says `legacy`
    (folder / "banyan.toml").write_text(f'name = "shop"\n{nothing_compared}{textwrap.dedent(toml)}')
    (folder / "routes.py").write_text(routes)
    (folder / "contract.py").write_text("")
    (folder / "schema.lock.json").write_text(Snapshot(("public",)).to_json())


@asynccontextmanager
async def world(
    folder: Path,
    administrator_url: str,
    *,
    routes: str = ROUTES,
    toml: str = "",
    environment: Mapping[str, str] | None = None,
    kinds: Sequence[str] = ("serve", "worker", "observe", "edge"),
    gateways: int = 1,
) -> AsyncIterator[World]:
    """Start everything over an empty database, wait until all of it is there, and stop it at the end."""
    await asyncio.to_thread(upgrade, administrator_url)
    write_project(folder / "project", routes, toml)
    legacy = Upstream(answer=b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\nlegacy")
    await legacy.start()
    ports = [free_port() for _ in range(3 + gateways)]
    edge_port, console_port, observer_port, *gateway_ports = ports
    roles = {name: administrator_url.replace("postgres@", f"banyan_{name}@") for name in ("owner", "api", "read")}
    with psycopg.connect(roles["owner"], autocommit=True) as owner:
        for code in PARTNERS:
            consumers.add_consumer(owner, code, code.title())
            consumers.add_credential(owner, code, "query", f"tok-{code}")
    settings = {
        "BANYAN_PROJECT": str(folder / "project"),
        "BANYAN_STATE_DIR": str(folder / "state"),
        **{f"BANYAN_{name.upper()}_DATABASE_URL": url for name, url in roles.items()},
        "BANYAN_LEGACY_URL": f"http://127.0.0.1:{legacy.port}",
        "BANYAN_EDGE_PORT": str(edge_port),
        "BANYAN_CONSOLE_PORT": str(console_port),
        "BANYAN_OBSERVER_PORT": str(observer_port),
        "BANYAN_GATEWAY_PORTS": ",".join(map(str, gateway_ports)),
        "BANYAN_ACKNOWLEDGE_TIMEOUT": "20",  # of a busy machine
        "BANYAN_PASS_SECRET": "pass-secret",
        "BANYAN_SESSION_SECRET": "session-secret-of-this-test",
        **(environment or {}),
    }
    made = World(folder, legacy, edge_port, console_port, roles["owner"], settings)
    wanted = [kind for kind in kinds if kind != "serve"]
    if "serve" in kinds:
        wanted += [f"serve --port {port}" for port in gateway_ports]
    try:
        for words in wanted:
            made.processes[words] = _start(made, words)
        await eventually("every process runs", lambda: _is_whole(made, len(wanted)), 150)
        yield made
    finally:
        for process in made.processes.values():
            process.send_signal(signal.SIGTERM)
        for process in made.processes.values():
            await asyncio.to_thread(process.wait, 20)
        await legacy.stop()


def _start(made: World, words: str) -> subprocess.Popen[bytes]:
    log = made.folder / f"{words.split()[0]}.log"
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "api_gateway.cli", *words.split()],
            cwd=made.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), **made.environment},
            stdout=output,
            stderr=subprocess.STDOUT,
        )


def _is_whole(made: World, number: int) -> bool:
    for words, process in made.processes.items():
        if process.poll() is not None:
            raise AssertionError(f"{words} ended:\n" + (made.folder / f"{words.split()[0]}.log").read_text()[-3000:])
    with made.owner() as connection:
        return len(ledger.processes(connection)) == number
