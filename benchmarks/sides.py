"""The peers: how each is started, and how it is asked. One process serves, but for gunicorn, which forks its worker."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import quote, urlencode

from benchmarks.works import Name, Position, new_orders, numbers, request

PEERS = Path(__file__).parent / "peers"


class Side(Protocol):
    """A server that can be asked every work of its `works`."""

    @property
    def name(self) -> str: ...

    @property
    def works(self) -> frozenset[Name]: ...

    def start(self, port: int, log: Path) -> subprocess.Popen[bytes]: ...

    def requests(self, work: Name, at: list[Position]) -> list[str]: ...


ALL: frozenset[Name] = frozenset(("get", "list", "include", "insert", "export-ndjson", "export-csv"))


@dataclass(frozen=True, slots=True)
class Peer:
    """`command` holds `{port}`; the peers agree on their addresses."""

    name: str
    command: tuple[str, ...]
    url: str
    works: frozenset[Name] = ALL
    folder: Path = PEERS

    def start(self, port: int, log: Path) -> subprocess.Popen[bytes]:
        command = [word.format(port=port) for word in self.command]
        environment = {**os.environ, "DATABASE_URL": self.url, "PORT": str(port), "NODE_ENV": "production"}
        with log.open("wb") as output:
            return subprocess.Popen(command, cwd=self.folder, env=environment, stdout=output, stderr=output)

    def requests(self, work: Name, at: list[Position]) -> list[str]:
        match work:
            case "get":
                return [request("GET", f"/orders/{number}") for number in numbers()]
            case "list":
                return [request("GET", f"/orders?{self._after(one)}") for one in at]
            case "include":
                return [request("GET", f"/orders-with-lines?{self._after(one)}") for one in at]
            case "insert":
                return [request("POST", "/orders", body=order) for order in new_orders()]
            case "export-ndjson":
                return [request("GET", "/orders.ndjson")]
            case "export-csv":
                return [request("GET", "/orders.csv")]

    def _after(self, position: Position) -> str:
        if self.name == "drf":  # as its CursorPagination writes it
            cursor = base64.b64encode(urlencode({"p": position.placed.replace("T", " ")}).encode()).decode()
            return f"status=open&cursor={quote(cursor)}"
        return f"status=open&placed_before={quote(position.placed)}&below={position.number}&limit=50"


def peers(url: str, python: Path) -> list[Peer]:
    """`python`: the environment of benchmarks/requirements.lock. fastify is absent where Node is."""
    uvicorn = (str(python), "-m", "uvicorn", "--port", "{port}", "--no-access-log", "--log-level", "warning")
    gunicorn = (
        str(python),
        "-m",
        "gunicorn",
        "--bind",
        "127.0.0.1:{port}",
        "--worker-class",
        "gthread",
        "--threads",
        "8",
    )
    found = [
        Peer("fastapi-sqlalchemy", (*uvicorn, "fastapi_sqlalchemy:app"), url),
        Peer("drf", (*gunicorn, "--keep-alive", "75", "--timeout", "600", "drf:application"), url),
        Peer("asyncpg", (*uvicorn, "asyncpg_by_hand:app"), url),
    ]
    node = shutil.which("node")
    if node and (PEERS / "fastify" / "node_modules").is_dir():
        found.insert(2, Peer("fastify", (node, "server.js"), url, folder=PEERS / "fastify"))
    return found
