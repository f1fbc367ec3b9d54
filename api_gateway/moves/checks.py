"""Asks the project's own checks every so often; what is broken for long enough takes its routes back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

import httpx2
import psycopg
from psycopg import AsyncConnection, Connection

from api_gateway import events, ledger
from api_gateway.evidence.alarm import Alarm
from api_gateway.evidence.checks import Verdict, note_check
from api_gateway.logging import report
from api_gateway.moves.automatic import Overseer
from api_gateway.moves.plans import take_steps
from api_gateway.project import Project
from api_gateway.thresholds import Check

LOOK_EVERY = 0.5

_OPTIONS = "-c default_transaction_read_only=on -c lock_timeout=1s"


async def ask(check: Check, read_url: str) -> tuple[Verdict, str]:
    """What it says now, and why. Never raises."""
    try:
        async with asyncio.timeout(check.timeout):
            return await (_ask_http(check.url) if check.url is not None else _ask_sql(check.sql or "", read_url))
    except Exception as error:  # noqa: BLE001  # what cannot be asked says nothing about modern
        return "inconclusive", type(error).__name__


async def _ask_sql(sql: str, read_url: str) -> tuple[Verdict, str]:
    connection = await AsyncConnection.connect(read_url, options=_OPTIONS, application_name="banyan check")
    async with connection:
        row = await (await connection.execute(sql.encode())).fetchone()
    if row is None or not isinstance(row[0], bool):
        return "inconclusive", "no true or false came back"
    return ("fine", "") if row[0] else ("broken", "false")


async def _ask_http(url: str) -> tuple[Verdict, str]:
    async with httpx2.AsyncClient(follow_redirects=False) as client:
        answer = await client.get(url)
    return ("fine", "") if answer.is_success else ("broken", f"status {answer.status_code}")


@dataclass(slots=True)
class Rounds:
    """The worker's part: asks what is due, acts on what is broken, and takes the steps of plans."""

    project: Project
    owner_url: str
    read_url: str | None
    _due: dict[str, float] = field(default_factory=dict)
    _connection: asyncio.Lock = field(default_factory=asyncio.Lock)
    _overseer: Overseer = field(init=False)

    def __post_init__(self) -> None:
        self._overseer = Overseer(self.project)

    async def forever(self) -> None:
        """Until cancelled; when the database goes away, wait and begin again."""
        while True:
            try:
                await self._round()
            except psycopg.Error as error:
                report(events.TaskFailed("checks and plans", type(error).__name__))
                await asyncio.sleep(2)
            await asyncio.sleep(LOOK_EVERY)

    async def _round(self) -> None:
        asked = await self._ask_what_is_due()
        await asyncio.to_thread(self._act, asked)

    async def _ask_what_is_due(self) -> Mapping[str, tuple[Verdict, str]]:
        now = time.monotonic()
        due = {name: one for name, one in self.project.configuration.checks.items() if self._due.get(name, 0.0) <= now}
        for name, check in due.items():
            self._due[name] = now + check.every
        said = await asyncio.gather(*(self._ask(check) for check in due.values()))
        return dict(zip(due, said, strict=True))

    async def _ask(self, check: Check) -> tuple[Verdict, str]:
        """Over HTTP all at once, in SQL one after the other: connections are few."""
        async with self._connection if check.url is None else nullcontext():
            return await ask(check, self.read_url or "")

    def _act(self, asked: Mapping[str, tuple[Verdict, str]]) -> None:
        options = "-c statement_timeout=5s -c lock_timeout=2s"
        with psycopg.connect(
            self.owner_url, autocommit=True, connect_timeout=2, options=options, application_name="banyan rounds"
        ) as connection:
            for name, (verdict, detail) in asked.items():
                times = note_check(connection, name, verdict, detail)
                check = self.project.configuration.checks[name]
                if verdict == "broken" and times >= check.times and not check.dry_run:
                    self._take_back(connection, name, check, detail, times)
            take_steps(connection, self.project)

    def _take_back(self, connection: Connection[Any], name: str, check: Check, detail: str, times: int) -> None:
        said = f"check {name} is broken ({detail}), {times} times in a row"
        found = Alarm("check", said, {"check": name, "detail": detail, "times": times})
        for (route, consumer), stage in ledger.read_table(connection).stages.items():
            if stage.is_modern and check.is_about(route) and route in self.project.routes:
                self._overseer.go_back(connection, route, consumer, found)
