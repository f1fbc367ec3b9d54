"""The watch: every process acts on the newest stages soon, says so, and goes on when the database does not."""

from __future__ import annotations

import asyncio
import contextlib
import json
import stat
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from api_gateway import consumers, ledger
from api_gateway.consumers import Register
from api_gateway.ledger import Kept, Move, Watcher, keep, read_kept
from api_gateway.ledger import watch as follow
from api_gateway.postgres import Server
from api_gateway.stages import Stage, StageTable

Owner = psycopg.Connection[Any]

TO_SHADOW = Move("orders.list", "acme", Stage.legacy, Stage.shadow, "ann", "first look")
NOWHERE = "postgresql://banyan_owner@127.0.0.1:1/nothing"


class Seen:
    """What a process was told, in order; it can refuse, or take its time."""

    def __init__(self) -> None:
        self.tables: list[StageTable] = []
        self.registers: list[Register] = []
        self.refuse = False

    def __call__(self, table: StageTable, register: Register) -> None:
        if self.refuse:
            raise RuntimeError("not now")
        self.tables.append(table)
        self.registers.append(register)

    @property
    def stage(self) -> Stage:
        return self.tables[-1].stage("orders.list", "acme")


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest.fixture
async def watcher(owner_url: str, tmp_path: Path, seen: Seen) -> AsyncIterator[Watcher]:
    async with Watcher(owner_url, "app", tmp_path, seen) as started:
        yield started


async def until(holds: Callable[[], bool]) -> None:
    """Wait for something that must come; the test's own timeout ends the wait for what does not."""
    while not holds():
        await asyncio.sleep(0.01)


async def test_a_process_starts_at_what_the_database_says(
    owner: Owner, owner_url: str, tmp_path: Path, seen: Seen
) -> None:
    ledger.append(owner, TO_SHADOW, 0)
    async with Watcher(owner_url, "app", tmp_path, seen) as watcher:
        assert seen.stage is Stage.shadow
        assert watcher.table == seen.tables[-1]
        assert watcher.connected


async def test_a_move_reaches_the_process_and_is_acknowledged(owner: Owner, watcher: Watcher, seen: Seen) -> None:
    entry = ledger.append(owner, TO_SHADOW, 0)
    await until(lambda: not ledger.laggards(owner, entry.version))
    assert seen.stage is Stage.shadow
    (process,) = ledger.processes(owner)
    assert (process.id, process.kind, process.acknowledged) == (watcher.identity.id, "app", entry.version)


async def test_a_new_key_and_its_end_reach_the_process(owner: Owner, watcher: Watcher) -> None:
    consumers.add_consumer(owner, "acme", "Acme")
    key = consumers.create_key(owner, "acme")
    await until(lambda: watcher.register.by_key(key) is not None)
    consumers.revoke(owner, "acme")
    version = consumers.register_version(owner)
    await until(lambda: not ledger.register_laggards(owner, version))
    assert watcher.register.by_key(key) is None


async def test_a_version_is_not_acknowledged_before_the_process_acts_on_it(
    owner: Owner, owner_url: str, tmp_path: Path
) -> None:
    may_act, acting = asyncio.Event(), asyncio.Event()

    async def slowly(table: StageTable, register: Register) -> None:
        if table.version:
            acting.set()
            await may_act.wait()

    async with Watcher(owner_url, "edge", tmp_path, slowly):
        entry = ledger.append(owner, TO_SHADOW, 0)
        await acting.wait()
        assert len(ledger.laggards(owner, entry.version)) == 1
        may_act.set()
        await until(lambda: not ledger.laggards(owner, entry.version))


async def test_what_a_process_refuses_is_offered_again_and_not_acknowledged(
    owner: Owner, watcher: Watcher, seen: Seen
) -> None:
    seen.refuse = True
    entry = ledger.append(owner, TO_SHADOW, 0)
    await asyncio.sleep(1.2)
    assert len(ledger.laggards(owner, entry.version)) == 1
    assert watcher.table.version == 0
    seen.refuse = False
    await until(lambda: not ledger.laggards(owner, entry.version))
    assert seen.stage is Stage.shadow


async def test_a_killed_listener_loses_nothing(
    owner: Owner, administrator_url: str, watcher: Watcher, seen: Seen
) -> None:
    with psycopg.connect(administrator_url, autocommit=True) as administrator:
        for _ in range(3):
            administrator.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'banyan app watch'"
            )
        entry = ledger.append(owner, TO_SHADOW, 0)
    await until(lambda: seen.tables[-1].version == entry.version)
    await until(lambda: not ledger.laggards(owner, entry.version))


async def test_a_lost_notice_is_made_up_for_by_asking(owner: Owner, watcher: Watcher, seen: Seen) -> None:
    owner.execute(
        "INSERT INTO banyan.ledger (actor, kind, route, consumer, from_stage, to_stage, reason)"
        " VALUES ('ann', 'promotion', 'orders.list', 'acme', 'legacy', 'shadow', 'by hand, without a notice')"
    )
    await until(lambda: seen.stage is Stage.shadow)


async def test_a_process_that_ends_in_order_is_not_waited_for(
    owner: Owner, owner_url: str, tmp_path: Path, seen: Seen
) -> None:
    async with Watcher(owner_url, "worker", tmp_path, seen):
        assert len(ledger.processes(owner)) == 1
    assert ledger.processes(owner) == []


async def test_without_the_database_a_process_starts_at_the_last_known_stages(tmp_path: Path, seen: Seen) -> None:
    register = Register.of(3, [consumers.Consumer("acme", "Acme")], [])
    keep(tmp_path, Kept(StageTable(9, {("orders.list", "acme"): Stage.canary}), register))
    async with Watcher(NOWHERE, "app", tmp_path, seen) as watcher:
        assert seen.stage is Stage.canary
        assert watcher.register.consumers.keys() == {"acme"}
        assert not watcher.connected


@pytest.mark.parametrize("content", [None, "", "{", "[]", '{"version": 1, "stages": []}'])
async def test_without_the_database_and_without_a_readable_file_everything_is_at_legacy(
    tmp_path: Path, seen: Seen, content: str | None
) -> None:
    if content is not None:
        (tmp_path / "stages.json").write_text(content)
    async with Watcher(NOWHERE, "app", tmp_path, seen):
        assert seen.stage is Stage.legacy


async def test_the_last_known_stages_are_in_the_file(
    owner: Owner, watcher: Watcher, seen: Seen, tmp_path: Path
) -> None:
    consumers.add_consumer(owner, "acme", "Acme")
    entry = ledger.append(owner, TO_SHADOW, 0)
    await until(lambda: (kept := read_kept(tmp_path)) is not None and kept.table.version == entry.version)
    kept = read_kept(tmp_path)
    assert kept is not None
    assert kept.table.stage("orders.list", "acme") is Stage.shadow
    assert kept.register.consumers.keys() == {"acme"}
    assert stat.S_IMODE((tmp_path / "stages.json").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["stages.json"]
    assert StageTable.from_json((tmp_path / "stages.json").read_text()) == kept.table


async def test_a_file_that_cannot_be_written_does_not_hold_up_a_move(
    owner: Owner, owner_url: str, tmp_path: Path, seen: Seen
) -> None:
    blocked = tmp_path / "not-a-folder"
    blocked.write_text("")
    async with Watcher(owner_url, "app", blocked, seen):
        entry = ledger.append(owner, TO_SHADOW, 0)
        await until(lambda: not ledger.laggards(owner, entry.version))


@pytest.mark.parametrize(
    ("damage", "repair"),
    [
        ("ALTER SCHEMA banyan RENAME TO elsewhere", "ALTER SCHEMA elsewhere RENAME TO banyan"),
        ("REVOKE USAGE ON SCHEMA banyan FROM banyan_owner", "GRANT USAGE ON SCHEMA banyan TO banyan_owner"),
    ],
    ids=["dropped", "refused"],
)
async def test_without_its_schema_a_process_keeps_its_stages_and_comes_back(
    owner: Owner, administrator_url: str, watcher: Watcher, seen: Seen, damage: str, repair: str
) -> None:
    entry = ledger.append(owner, TO_SHADOW, 0)
    await until(lambda: seen.tables[-1].version == entry.version)
    with psycopg.connect(administrator_url, autocommit=True) as administrator:
        administrator.execute(damage.encode())
        await until(lambda: not watcher.connected)
        assert watcher.table.stage("orders.list", "acme") is Stage.shadow
        administrator.execute(repair.encode())
    entry = ledger.append(owner, replace(TO_SHADOW, route="orders.status"), entry.version)
    await until(lambda: seen.tables[-1].version == entry.version)


async def test_behind_a_lock_a_process_keeps_its_stages_and_comes_back(
    administrator_url: str, owner: Owner, watcher: Watcher, seen: Seen
) -> None:
    with psycopg.connect(administrator_url) as administrator:
        administrator.execute("LOCK TABLE banyan.ledger, banyan.process IN ACCESS EXCLUSIVE MODE")
        await until(lambda: not watcher.connected)
    entry = ledger.append(owner, TO_SHADOW, 0)
    await until(lambda: seen.tables[-1].version == entry.version)


async def test_it_survives_a_restart_of_the_server(tmp_path: Path, seen: Seen) -> None:
    from api_gateway.postgres import start
    from shared_models.migrations import upgrade

    server: Server = start(tmp_path / "data", durable=False)
    try:
        upgrade(server.url())
        async with Watcher(server.url(user="banyan_owner"), "app", tmp_path / "state", seen) as watcher:
            server.stop()
            await until(lambda: not watcher.connected)
            server = start(tmp_path / "data", port=server.port, durable=False)
            with psycopg.connect(server.url(user="banyan_owner"), autocommit=True) as owner:
                entry = ledger.append(owner, TO_SHADOW, 0)
                await until(lambda: not ledger.laggards(owner, entry.version))
            await until(lambda: seen.stage is Stage.shadow)
    finally:
        server.stop()


async def test_watching_goes_on_until_it_is_cancelled(owner: Owner, owner_url: str, tmp_path: Path, seen: Seen) -> None:
    task = asyncio.create_task(follow(owner_url, "observer", tmp_path, seen))
    await until(lambda: bool(seen.tables))
    entry = ledger.append(owner, TO_SHADOW, 0)
    await until(lambda: seen.tables[-1].version == entry.version)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert ledger.processes(owner) == []


async def test_a_process_that_is_ended_while_it_starts_is_not_waited_for(
    owner: Owner, owner_url: str, tmp_path: Path
) -> None:
    acting = asyncio.Event()

    async def forever(table: StageTable, register: Register) -> None:
        acting.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(follow(owner_url, "observer", tmp_path, forever))
    await acting.wait()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert ledger.processes(owner) == []
    assert [other for other in asyncio.all_tasks() if other is not asyncio.current_task()] == []


def test_a_kept_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    keep(tmp_path, Kept(StageTable(1)))
    with pytest.raises(AttributeError):
        keep(tmp_path, Kept(StageTable(2), None))
    assert json.loads((tmp_path / "stages.json").read_text())["version"] == 1
    assert [path.name for path in tmp_path.iterdir()] == ["stages.json"]
