"""Watches the live schema in one process: takes out of service what does not fit, and puts it back by itself.

Looks every few seconds, and at once when a statement fails as if the schema had changed. A database that is away is no
drift: what was judged last stays.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import psycopg

from api_gateway import events
from api_gateway.api.contract import Contract, load_snapshot
from api_gateway.consumers import Consumer
from api_gateway.ledger import Outage, append_outages
from api_gateway.logging import report
from api_gateway.outages.judge import Judgement, judge, places_of
from api_gateway.outages.look import Rights, digest, read_rights
from api_gateway.project import Project
from shared_models.catalog import read_snapshot
from shared_models.database import Database
from shared_models.session import Convention, Session
from shared_models.snapshot import Snapshot

LOOK_EVERY = 2.0  # seconds
AT_ONCE = 0.1  # seconds at least between two looks, however many statements fail
FIRST_LOOK = 1.0  # seconds a process that starts waits for it
_CONNECT_SECONDS = 3
_CATALOGS = Session((("search_path", "pg_catalog"),))  # what we write by hand is PostgreSQL's own, whatever lies there


@dataclass(frozen=True, slots=True)
class Sight:
    """Where to look and where to write.

    database   what runs here runs through it; `url` is its address: the role whose rights count.
    owner_url  where the ledger is written; None: another process does.
    writes     whether the role is one that writes at all.
    roles      gives the roles that principals act as, where the host's convention has them do so.
    """

    database: Database
    url: str
    owner_url: str | None = None
    writes: bool = True
    roles: Callable[[], frozenset[str]] = frozenset


class SchemaWatch:
    """Calls `act(judgement)` whenever it changes. Until the first one, everything is taken to fit.

    async with SchemaWatch(project, contract, sight, serving_what_it_says): ...
    """

    def __init__(
        self, project: Project, contract: Contract, sight: Sight, act: Callable[[Judgement], None] = lambda _: None
    ) -> None:
        self._project, self._contract, self._sight, self._act = project, contract, sight, act
        self._places = places_of(project, contract)
        # Of a large schema only what is served: the whole of it would cost each process more than its start.
        self._before = load_snapshot(project, self._places)
        self._digest: str | None = None
        self._judgement = Judgement.whole(contract)
        self._told: tuple[Outage, ...] = ()
        self._written: tuple[Outage, ...] | None = None
        self._fault = ""
        self._doubted = asyncio.Event()
        self._looked = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        sight.database.when_doubted(self._doubted.set)

    @property
    def routes(self) -> frozenset[str]:
        return self._judgement.routes

    @property
    def outages(self) -> tuple[Outage, ...]:
        return self._judgement.outages

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._follow())
        try:
            async with asyncio.timeout(FIRST_LOOK):
                await self._looked.wait()
        except TimeoutError:
            pass  # a database that is away, or slow, keeps nobody from starting
        except BaseException:
            self._task.cancel()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _follow(self) -> None:
        while True:
            self._doubted.clear()
            started = time.monotonic()
            try:
                await self._look()
                self._fault = ""
            except Exception as error:  # noqa: BLE001  a watch that ended would leave the process blind for good
                self._report_fault(type(error).__name__)
            self._looked.set()
            await self._pause(started)

    async def _pause(self, started: float) -> None:
        await asyncio.sleep(max(0.0, AT_ONCE - (time.monotonic() - started)))
        try:
            async with asyncio.timeout(LOOK_EVERY):
                await self._doubted.wait()
        except TimeoutError:
            return

    async def _look(self) -> None:
        roles = self._sight.roles()
        present = await digest(self._sight.database.acting(_CATALOGS), self._places, roles)
        if present != self._digest:
            # judged first: what is served must never be newer than what is known about it
            judgement = await asyncio.to_thread(self._judge, roles)
            if self._digest is not None:
                await self._sight.database.renew()
            is_new = not judgement.is_as(self._judgement)
            self._judgement, self._digest = judgement, present
            if is_new:
                self._act(judgement)
            self._tell(judgement.outages)
        if self._sight.owner_url is not None and self._written != self._judgement.outages:
            outages = self._judgement.outages
            await asyncio.to_thread(_write, self._sight.owner_url, outages)
            self._written = outages

    def _judge(self, roles: frozenset[str]) -> Judgement:
        live, rights = self._read(roles)
        return judge(self._project, self._contract, self._before, live, rights)

    def _read(self, roles: frozenset[str]) -> tuple[Snapshot, Rights | None]:
        schemas = sorted({schema for schema, _ in self._places})
        with psycopg.connect(
            self._sight.url, autocommit=True, connect_timeout=_CONNECT_SECONDS, application_name="banyan schema watch"
        ) as connection:
            connection.execute("SET search_path = pg_catalog")
            live = read_snapshot(connection, schemas, self._places)
            if self._project.convention.role is not None and not roles:
                return live, None  # nobody is registered who would act as somebody
            return live, read_rights(connection, self._places, roles, writes=self._sight.writes)

    def _tell(self, outages: tuple[Outage, ...]) -> None:
        told = {outage.place: outage for outage in self._told}
        for outage in outages:
            if told.pop(outage.place, None) != outage:
                report(events.TakenOut(outage.subject, outage.name, outage.why))
        for subject, name in told:
            report(events.BackInService(subject, name))
        self._told = outages

    def _report_fault(self, error: str) -> None:
        if error != self._fault:
            self._fault = error
            report(events.SchemaNotSeen(error))


def roles_of(convention: Convention, consumers: Iterable[Consumer]) -> frozenset[str]:
    """The roles that these consumers act as in the host's database."""
    if convention.role is None:
        return frozenset()
    sessions = (convention.session(consumer.principal) for consumer in consumers)
    return frozenset(session.role for session in sessions if session is not None and session.role is not None)


def _write(owner_url: str, outages: Iterable[Outage]) -> None:
    with psycopg.connect(
        owner_url, autocommit=True, connect_timeout=_CONNECT_SECONDS, application_name="banyan outages"
    ) as connection:
        append_outages(connection, outages)
