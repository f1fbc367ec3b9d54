"""An observer's working parts beside a project whose mimics do whatever a mimic can do, and the exchanges it is fed."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace
from typing import Any

import psycopg

from api_gateway.consumers import Register
from api_gateway.edge.exchange import Copy, Exchange
from api_gateway.evidence.isolation import CandidatePool
from api_gateway.evidence.record import Recorder
from api_gateway.observer.exchanges import Exchanges
from api_gateway.project import Project
from api_gateway.recordings.keep import Keeper
from api_gateway.stages import Stage, StageTable

FILES = {
    "banyan.toml": 'name = "observed"\n',
    "routes.py": """
        from api_gateway.routes import FormToken, QueryToken, Recorded, Route
        from observed.mimics import deeds

        def route(name, **given):
            # whoever is to be late is so soon; whoever is to answer is given time, since the machine may be busy
            timeout = 20.0 if name in ("good", "bad") else 1.0
            mimic = getattr(deeds, name)
            return Route(name, "GET", f"/{name}", QueryToken("token"), mimic=mimic, timeout=timeout, **given)

        names = "good bad raising exiting ending hanging burning huge hungry writing sleeping secrets printing".split()
        routes = [
            *(route(name) for name in names),
            route("committing"),
            Route("form", "POST", "/form", FormToken("token")),
            Route("kept", "GET", "/kept", QueryToken("token"), recorded=Recorded()),
            Route("unwritten", "GET", "/unwritten", QueryToken("token")),
        ]
    """,
    "mimics/deeds.py": """
        import asyncio, os, time

        import sqlalchemy as sa
        from fastapi import Response

        from api_gateway.api.transactions import Read, Write
        from api_gateway.evidence.mimic import LegacyCaller

        async def good(caller: LegacyCaller, q: str = "") -> Response:
            return Response(f"good {caller.code if caller else 'nobody'} {q}", media_type="text/plain")

        async def bad(caller: LegacyCaller) -> Response:
            return Response("bad", media_type="text/plain")

        async def raising() -> Response:
            raise ValueError("row 4711")

        async def exiting() -> Response:
            raise SystemExit(1)

        async def ending() -> Response:
            os._exit(3)

        async def hanging() -> Response:
            await asyncio.Event().wait()

        async def burning() -> Response:
            while True:
                pass

        def sleeping() -> Response:
            time.sleep(3600)

        async def huge() -> Response:
            return Response(b"x" * 100_000_000)

        async def hungry() -> Response:
            return Response(b"x" * 2_000_000_000)

        async def writing(tx: Write) -> Response:
            return Response("written")

        async def committing(tx: Read) -> Response:
            connection = await tx._begun.ready()
            await connection.execute("COMMIT")
            await connection.execute("SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE")
            await connection.execute("DELETE FROM banyan.unlisted")
            return Response("good", media_type="text/plain")

        async def secrets(tx: Read) -> Response:
            found = [name for name in os.environ if name.startswith(("BANYAN_", "PGPASS"))]
            return Response(",".join(found), media_type="text/plain")

        async def printing() -> Response:
            print("x" * 1_000_000, flush=True)
            return Response("good", media_type="text/plain")
    """,
}


@dataclass
class Standing:
    """Stages and register, as a watcher holds them."""

    table: StageTable
    register: Register


@dataclass
class Observer:
    """The working parts of an observer, without its receiver."""

    exchanges: Exchanges
    recorder: Recorder
    candidates: CandidatePool
    standing: Standing
    project: Project
    keeper: Keeper

    def shadow(self, *routes: str) -> None:
        self.standing.table = StageTable(1, {(route, None): Stage.shadow for route in routes})

    async def compared(self, connection: psycopg.Connection[Any], number: int) -> list[dict[str, Any]]:
        """The comparisons, once there are that many. Fails when they do not come."""
        columns = "route, consumer, verdict, shape, fingerprint, differences, request"
        query = f"SELECT {columns} FROM banyan.comparison ORDER BY id"
        for _ in range(600):
            await self.recorder.flush()
            with connection.cursor(row_factory=psycopg.rows.dict_row) as cursor:
                rows = cursor.execute(query).fetchall()
            if len(rows) >= number:
                return rows
            await asyncio.sleep(0.05)
        raise AssertionError(f"{len(rows)} of {number} comparisons came")


def exchange(name: str, answer: str, **given: Any) -> Exchange:
    now = time.monotonic()
    plain = Exchange(
        route_name=name,
        why="",
        copied=Copy.whole,
        declined=False,
        method="GET",
        target=f"/{name}?token=tok-acme",
        request_headers=((b"host", b"x"),),
        request_body=b"",
        status=200,
        response_headers=((b"content-type", b"text/plain; charset=utf-8"),),
        response_body=answer.encode(),
        complete=True,
        truncated=False,
        source_address="127.0.0.1",
        started=now - 0.01,
        finished=now,
    )
    return replace(plain, **given)
