"""Asks Envoy's administration, over a Unix socket that only this user can open."""

from __future__ import annotations

import http.client
import json
import socket
from pathlib import Path

from api_gateway.edge.table import TABLE_NAME


class Unreachable(Exception):
    """Envoy does not answer: it is not up yet, no longer, or hangs."""


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: Path, seconds: float) -> None:
        super().__init__("envoy", timeout=seconds)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class Admin:
    """Blocking, and quick: every call is answered or given up within `seconds`."""

    def __init__(self, path: Path, *, seconds: float = 1.0) -> None:
        self._path = path
        self._seconds = seconds

    def ask(self, target: str, *, method: str = "GET") -> str:
        """The answer's text. Raises Unreachable."""
        connection = _Connection(self._path, self._seconds)
        try:
            connection.request(method, target)
            answer = connection.getresponse()
            text = answer.read().decode()
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(str(error)) from error
        finally:
            connection.close()
        if answer.status != 200:
            raise Unreachable(f"{target}: {answer.status}")
        return text

    def node(self) -> str:
        """The node id of the bootstrap that it runs."""
        return str(json.loads(self.ask("/server_info"))["node"]["id"])

    def is_ready(self) -> bool:
        try:
            return self.ask("/ready").strip() == "LIVE"
        except Unreachable:
            return False

    def port(self) -> int:
        """The port that clients come in at."""
        statuses = json.loads(self.ask("/listeners?format=json"))["listener_statuses"]
        return next(
            int(each["local_address"]["socket_address"]["port_value"]) for each in statuses if each["name"] == "edge"
        )

    def table_version(self) -> str:
        """The version of the route table that it acts on, "" for none."""
        return self.stat(f"http.edge.rds.{TABLE_NAME}.version_text")

    def active_requests(self) -> int:
        return int(self.stat("http.edge.downstream_rq_active") or 0)

    def stat(self, name: str) -> str:
        """One value out of Envoy's statistics, "" when there is none."""
        answer = self.ask(f"/stats?filter=^{name.replace('.', '[.]')}$")
        return answer.partition(": ")[2].strip().strip('"')
