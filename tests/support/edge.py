"""A real Envoy between a scripted legacy app and a scripted gateway, with the product's own bootstrap and tables."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from api_gateway.edge import envoy
from api_gateway.edge.envoy import Envoy
from api_gateway.edge.files import EdgeFiles
from api_gateway.edge.shape import Shape, read_upstream
from api_gateway.edge.table import everything_to_legacy, route_table
from api_gateway.postgres import free_port
from api_gateway.routes import Route
from api_gateway.stages import Stage, StageTable
from tests.support.upstream import Received, Script, Upstream, read_body

SECRET = "pass-secret-of-this-test"
DECLINE = f"HTTP/1.1 503 Service Unavailable\r\nX-Banyan-Pass: {SECRET}\r\nContent-Length: 0\r\n\r\n".encode()
MODERN = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nmodern"


@dataclass(slots=True)
class Gateway(Upstream):
    """A gateway as the edge sees one: it answers its health path, and everything else with `answer` or `decide`."""

    answer: bytes = MODERN
    decide: Script | None = None

    async def start(self, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self.script = self._gateway
        await Upstream.start(self, port, tls)

    async def _gateway(self, got: Received, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if got.target == b"/banyan/health":
            self.received.remove(got)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        elif self.decide is not None:
            await self.decide(got, reader, writer)
        else:
            got.body = await read_body(got.head, reader)
            writer.write(self.answer)


@dataclass(slots=True)
class Edge:
    """The running edge. `port` is where clients come in."""

    port: int
    legacy: Upstream
    gateway: Gateway
    envoy: Envoy
    files: EdgeFiles
    shape: Shape

    async def move(self, routes: Sequence[Route], stages: dict[str, str], *, unlisted_share: float = 0.0) -> None:
        """Put these routes at these stages (`name` or `name@consumer`), and wait until Envoy acts on it."""
        table = StageTable(1, {_place(place): Stage(stage) for place, stage in stages.items()})
        keep_proto = self.shape.keep_proto
        document = route_table(
            routes,
            table,
            prefixes=["/api"],
            pass_secret=SECRET,
            keep_proto=keep_proto,
            unlisted_share=unlisted_share,
        )
        if self.envoy.admin.table_version() != document["version_info"]:
            self.files.write_table(document)
        await asyncio.to_thread(self.envoy.wait_for_table, document["version_info"], 5)
        if self.gateway.is_listening:
            await self.seen_healthy()
        self.legacy.received.clear()
        self.gateway.received.clear()

    async def reset(self) -> None:
        """Both sides answer as they do at first, and the gateway is there."""
        self.legacy.answer, self.legacy.script = Upstream().answer, None
        self.gateway.answer, self.gateway.decide = MODERN, None
        if not self.gateway.is_listening:
            await self.gateway.start(self.shape.gateways[0])
        await self.seen_healthy()

    async def seen_healthy(self) -> None:
        """On a busy machine a gateway that answered its check late is passed over for a moment, as it should be."""
        while self.envoy.admin.stat("cluster.listed.membership_healthy") != "2":  # the gateway, and the way to legacy
            await asyncio.sleep(0.02)


def _place(text: str) -> tuple[str, str | None]:
    route, _, consumer = text.partition("@")
    return route, consumer or None


@asynccontextmanager
async def edge(folder: Path, *, observer_port: int | None = None, **shape: object) -> AsyncIterator[Edge]:
    legacy, gateway = Upstream(), Gateway()
    await legacy.start()
    await gateway.start()
    files = EdgeFiles(folder)
    files.prepare()
    made = Shape(
        host="127.0.0.1",
        port=0,
        legacy=read_upstream(f"http://127.0.0.1:{legacy.port}"),
        table=files.table,
        admin_socket=files.admin_socket,
        gateways=(gateway.port,),
        observer_port=observer_port or free_port(),
    )
    made = replace(made, **shape)
    files.write_table(everything_to_legacy(keep_proto=made.keep_proto))
    running = await asyncio.to_thread(envoy.start, envoy.find_envoy(), files, made)
    try:
        yield Edge(running.admin.port(), legacy, gateway, running, files, made)
    finally:
        await asyncio.to_thread(running.stop, drain_seconds=0)
        await gateway.stop()
        await legacy.stop()
