"""Our side: the gateway as `banyan serve` starts it, set up by the same commands that a person types.

Everything is on: API keys, scopes, rows of the caller alone, tags, the log (to a file), limits.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.database import Bench
from benchmarks.sides import ALL
from benchmarks.works import ORDERS, Name, Position, new_orders, numbers, request

HERE = Path(__file__).parent
SCOPES = ("orders:read", "orders:write", "customers:read")


@dataclass(slots=True)
class Banyan:
    bench: Bench
    folder: Path
    name: str = "banyan"
    works: frozenset[Name] = ALL
    key: str = ""
    port: int = 0
    environment: dict[str, str] = field(default_factory=dict)
    cursors: list[str] = field(default_factory=list)

    def prepare(self) -> None:
        """Schema banyan, the snapshot, grants, one consumer and its key."""
        project = self.folder / "project"
        shutil.rmtree(project, ignore_errors=True)
        shutil.copytree(HERE / "project", project, ignore=shutil.ignore_patterns("__pycache__"))
        self.environment = {
            **os.environ,
            "BANYAN_PROJECT": str(project),
            "BANYAN_STATE_DIR": str(self.folder / "state"),
            "BANYAN_DATABASE_URL": self.bench.url(),
            "BANYAN_OWNER_DATABASE_URL": self.bench.url("banyan_owner"),
            "BANYAN_API_DATABASE_URL": self.bench.url("banyan_api"),
            "BANYAN_READ_DATABASE_URL": self.bench.url("banyan_read"),
            "BANYAN_SESSION_SECRET": secrets.token_urlsafe(32),
            "BANYAN_PASS_SECRET": secrets.token_urlsafe(32),
        }
        self._banyan("migrate", "up")
        self._banyan("check", "--write", may_find=True)  # nothing is granted yet, and it says so
        self._banyan("grants", "--apply")
        scopes = [word for scope in SCOPES for word in ("--scope", scope)]
        self._banyan("consumers", "add", "north", *scopes, "--value", "seller=NORTH")
        self.key = self._banyan("consumers", "key", "north").strip()

    def start(self, port: int, log: Path) -> subprocess.Popen[bytes]:
        self.port = port
        command = [sys.executable, "-m", "api_gateway.cli", "serve", "--port", str(port)]
        with log.open("wb") as output:
            return subprocess.Popen(command, env=self.environment, stdout=output, stderr=output)

    def requests(self, work: Name, at: list[Position]) -> list[str]:
        key = ("authorization", f"Bearer {self.key}")
        match work:
            case "get":
                return [request("GET", f"/api/v1/orders/{number}", [key]) for number in numbers()]
            case "list":
                return [request("GET", f"{self._list()}&cursor={cursor}", [key]) for cursor in self._walked(len(at))]
            case "include":
                target = f"{self._list()}&include=customer,lines"
                return [request("GET", f"{target}&cursor={cursor}", [key]) for cursor in self._walked(len(at))]
            case "insert":
                return [request("POST", "/api/v1/orders", [key], order) for order in new_orders()]
            case "export-ndjson":
                return [request("GET", self._export(), [key, ("accept", "application/x-ndjson")])]
            case "export-csv":
                return [request("GET", self._export(), [key, ("accept", "text/csv")])]

    @staticmethod
    def _list() -> str:
        return "/api/v1/orders?status=open&limit=50"

    @staticmethod
    def _export() -> str:
        return f"/api/v1/orders?number%5Blte%5D={ORDERS}&sort=number"

    def _walked(self, count: int) -> list[str]:
        """A cursor is signed, so the pages are walked once."""
        target = self._list()
        while len(self.cursors) < count:
            address = f"http://127.0.0.1:{self.port}{target}"
            asked = urllib.request.Request(address, headers={"authorization": f"Bearer {self.key}"})
            with urllib.request.urlopen(asked) as answer:
                self.cursors.append(json.load(answer)["next_cursor"])
            target = f"{self._list()}&cursor={self.cursors[-1]}"
        return self.cursors

    def _banyan(self, *words: str, may_find: bool = False) -> str:
        command = [sys.executable, "-m", "api_gateway.cli", *words]
        answer = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
        if answer.returncode not in ((0, 1) if may_find else (0,)):
            raise SystemExit(f"banyan {' '.join(words)}: {answer.stderr.strip() or answer.stdout.strip()}")
        return answer.stdout
