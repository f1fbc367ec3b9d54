"""The processes of this installation, and what each of them acts on.

Every process says twice a second that it lives and which versions it has acknowledged. Whoever was not seen for
`LIVE_FOR`, by the database's clock, is dead and is not waited for.
"""

from __future__ import annotations

import os
import socket
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from psycopg import Connection
from sqlalchemy import ScalarSelect, Select, delete, func, select
from sqlalchemy.dialects.postgresql import Insert, insert

from api_gateway import __version__
from shared_models import state
from shared_models.statements import Row, run

ProcessKind = Literal["app", "worker", "observer", "edge"]

LIVE_FOR = timedelta(seconds=3)
ASK_EVERY = 0.02

_now = func.clock_timestamp()
_live = state.process.c.seen > _now - LIVE_FOR


@dataclass(frozen=True, slots=True)
class Identity:
    """Who this process is to the others."""

    kind: ProcessKind
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    host: str = field(default_factory=socket.gethostname)
    pid: int = field(default_factory=os.getpid)
    build: str = __version__


@dataclass(frozen=True, slots=True)
class Process:
    """A process as the database knows it. `acknowledged` is the ledger version that it acts on."""

    id: str
    kind: ProcessKind
    host: str
    pid: int
    build: str
    started: datetime
    seen: datetime
    acknowledged: int
    register_version: int
    live: bool

    @property
    def name(self) -> str:
        return f"{self.kind} {self.pid} on {self.host}"


def acknowledgement(identity: Identity, version: int, register_version: int) -> Insert:
    """The statement with which a process says: I live, and I act on these versions."""
    mine = {
        "kind": identity.kind,
        "host": identity.host,
        "pid": identity.pid,
        "build": identity.build,
        "acknowledged": version,
        "register_version": register_version,
    }
    return (
        insert(state.process)
        .values(id=identity.id, **mine)
        .on_conflict_do_update(index_elements=["id"], set_={**mine, "seen": _now})
        .inline()
    )


def acknowledge(connection: Connection[Any], identity: Identity, version: int, register_version: int = 0) -> None:
    run(connection, acknowledgement(identity, version, register_version))


def leave(connection: Connection[Any], identity: Identity) -> None:
    run(connection, delete(state.process).where(state.process.c.id == identity.id))


def processes(connection: Connection[Any]) -> list[Process]:
    """Every process that did not leave, the dead ones of the last day included, the oldest first."""
    query = _processes().where(state.process.c.seen > _now - timedelta(days=1))
    return [_process(row) for row in run(connection, query)]


def laggards(connection: Connection[Any], version: int) -> list[Process]:
    """The live processes that do not act on this ledger version yet."""
    return [_process(row) for row in run(connection, _lagging(state.process.c.acknowledged < version))]


def register_laggards(connection: Connection[Any], version: int) -> list[Process]:
    """The live processes that do not know this version of the register yet."""
    return [_process(row) for row in run(connection, _lagging(state.process.c.register_version < version))]


def live_gateways() -> ScalarSelect[int]:
    """How many gateways share the load."""
    count = select(func.count()).select_from(state.process)
    return count.where(state.process.c.kind == "app", _live).scalar_subquery()


def _processes() -> Select[Any]:
    return select(state.process, _live.label("live")).order_by(state.process.c.started)


def _lagging(behind: Any) -> Select[Any]:
    return _processes().where(_live, behind)


def _process(row: Row) -> Process:
    return Process(**row)


def names(found: Sequence[Process]) -> str:
    """The processes as one readable list."""
    return ", ".join(process.name for process in found)


def await_processes(lagging: Callable[[], Sequence[Process]], timeout: float) -> Sequence[Process]:
    """Ask until nobody lags or `timeout` seconds have passed; who still lags. The connection must commit as it goes."""
    deadline = time.monotonic() + timeout
    while True:
        late = lagging()
        if not late or time.monotonic() >= deadline:
            return late
        time.sleep(ASK_EVERY)
