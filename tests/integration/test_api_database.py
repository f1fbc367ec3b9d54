"""The seam to the database: what a pool of few connections does when the server is slow, away, or cut off."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import psycopg
import pytest
import sqlalchemy as sa

from api_gateway.postgres import Server, free_port
from shared_models import faults
from shared_models.database import Database
from shared_models.prepared import parameter, prepared

sleep = prepared(sa.select(sa.func.pg_sleep(sa.cast(parameter("seconds"), sa.Double))))
one = prepared(sa.select(sa.literal_column("1")))
note = sa.table("note", sa.column("text"))
ADD = sa.insert(note).values(text="x")


def database(url: str, *, size: int = 2, statement_timeout: float = 5) -> Database:
    return Database(url, size=size, application_name="seam", statement_timeout=statement_timeout, lock_timeout=0.2)


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    with psycopg.connect(database_url) as connection:
        connection.execute("CREATE TABLE note (text text)")
    opened = database(database_url)
    yield opened
    await opened.close()


async def test_a_read_transaction_is_rolled_back_and_sees_one_point_in_time(db: Database, database_url: str) -> None:
    count = sa.select(sa.func.count()).select_from(note)
    async with db.read() as tx:
        assert await tx.value(count) == 0
        with psycopg.connect(database_url) as other:
            other.execute("INSERT INTO note VALUES ('y')")
        assert await tx.value(count) == 0
        with pytest.raises(faults.ReadOnly):
            await tx.rows(ADD)


async def test_a_write_transaction_commits_unless_it_raises_or_is_doomed(db: Database) -> None:
    async with db.write() as tx:
        await tx.execute(ADD)

    async def fail() -> None:
        async with db.write() as tx:
            await tx.execute(ADD)
            raise KeyError

    with pytest.raises(KeyError):
        await fail()
    async with db.write() as tx:
        await tx.execute(ADD)
        tx.doom()
    async with db.read() as tx:
        assert len(await tx.rows(sa.select(note))) == 1


async def test_when_every_connection_is_busy_the_next_waits_for_one_that_is_given_back(db: Database) -> None:
    answers = await asyncio.gather(*(db.fetch(sleep, {"seconds": "0.05"}) for _ in range(20)))
    assert len(answers) == 20


async def test_who_waits_too_long_is_told_that_we_are_busy(db: Database) -> None:
    sleepers = [asyncio.create_task(db.fetch(sleep, {"seconds": "4"})) for _ in range(2)]
    await asyncio.sleep(0.2)
    with pytest.raises(faults.DatabaseBusy):
        await db.fetch(one, {})
    for sleeper in sleepers:
        sleeper.cancel()
    await asyncio.gather(*sleepers, return_exceptions=True)


async def test_cancelled_requests_lose_no_connection(db: Database, database_url: str) -> None:
    for _ in range(10):
        tasks = [asyncio.create_task(db.fetch(sleep, {"seconds": "30"})) for _ in range(4)]
        await asyncio.sleep(0.02)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    assert await db.fetch(one, {}) == [[b"1"]]
    with psycopg.connect(database_url) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'seam' AND state <> 'idle'"
        ).fetchone()
    assert row == (0,)


async def test_a_cancelled_write_is_rolled_back(db: Database, database_url: str) -> None:
    started = asyncio.Event()

    async def write() -> None:
        async with db.write() as tx:
            await tx.execute(ADD)
            started.set()
            await asyncio.sleep(30)

    task = asyncio.create_task(write())
    await started.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    async with db.read() as tx:
        assert await tx.rows(sa.select(note)) == []


async def test_a_statement_that_takes_too_long_is_given_up(db: Database, database_url: str) -> None:
    impatient = database(database_url, statement_timeout=0.1)
    with pytest.raises(faults.StatementTimeout):
        await impatient.fetch(sleep, {"seconds": "3"})
    assert await impatient.fetch(one, {}) == [[b"1"]]
    await impatient.close()


async def test_a_lock_that_is_held_is_not_waited_for(db: Database, database_url: str) -> None:
    with psycopg.connect(database_url) as legacy:
        legacy.execute("LOCK TABLE note")
        with pytest.raises(faults.LockTimeout):
            async with db.write() as tx:
                await tx.execute(ADD)


async def test_a_database_that_is_away_says_so_and_is_used_again_when_it_is_back(db: Database) -> None:
    away = database(f"postgresql://nobody@127.0.0.1:{free_port()}/nothing")
    for _ in range(5):
        with pytest.raises(faults.DatabaseAway):
            await away.fetch(one, {})
        with pytest.raises(faults.DatabaseAway):
            async with away.write():
                pass
    await away.close()


async def test_connections_that_were_cut_while_idle_are_replaced_without_anybody_noticing(
    db: Database, database_url: str
) -> None:
    for _ in range(3):
        await asyncio.gather(*(db.fetch(sleep, {"seconds": "0.02"}) for _ in range(2)))
        with psycopg.connect(database_url) as connection:
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'seam'")
        assert await db.fetch(one, {}) == [[b"1"]]
        async with db.write() as tx:
            await tx.execute(ADD)


async def test_a_connection_lost_while_committing_is_looked_up_and_was_rolled_back(
    db: Database, database_url: str, server: Server
) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS"
            " $$BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END$$"
        )
        connection.execute(
            "CREATE CONSTRAINT TRIGGER cut AFTER INSERT ON note DEFERRABLE INITIALLY DEFERRED"
            " FOR EACH ROW EXECUTE FUNCTION cut()"
        )
    with pytest.raises(faults.DatabaseAway):
        async with db.write() as tx:
            await tx.execute(ADD)
    assert await db.fetch(one, {}) == [[b"1"]]
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT count(*) FROM note").fetchone() == (0,)


async def test_text_that_postgresql_cannot_take_is_a_bad_value(db: Database) -> None:
    with pytest.raises(faults.BadValue):
        async with db.write() as tx:
            await tx.execute(sa.insert(note).values(text="a\0b"))


async def test_more_statements_than_a_connection_remembers_are_run_all_the_same(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared_models.wire._KEPT", 3)
    few = database(database_url, size=1)
    for _ in range(2):
        for number in range(10):
            assert await few.fetch(prepared(sa.select(sa.literal_column(str(number)))), {}) == [[b"%d" % number]]
    remembered = prepared(sa.text("SELECT count(*) FROM pg_prepared_statements"))
    assert await few.fetch(remembered, {}) == [[b"3"]]
    await few.close()


async def test_an_answer_larger_than_any_buffer_comes_whole_and_a_question_arrives_whole(db: Database) -> None:
    length = prepared(sa.select(sa.cast(parameter("text"), sa.Text)))
    text = "x" * 20_000_000
    assert await db.fetch(length, {"text": text}) == [[text.encode()]]


async def test_a_copy_that_breaks_in_the_middle_raises_after_what_it_gave(db: Database) -> None:
    given: list[bytes] = []

    async def read() -> None:
        async with db.copied(
            b"COPY (SELECT 1000 / (100000 - n) FROM generate_series(1, 200000) n) TO STDOUT"
        ) as pieces:
            async for piece in pieces:
                given.append(piece)  # noqa: PERF401 - what was given before it broke is looked at

    with pytest.raises(faults.BadValue):
        await read()
    assert b"".join(given).startswith(b"0\n")


async def test_a_copy_that_nobody_reads_on_frees_its_connection(db: Database, database_url: str) -> None:
    endless = b"COPY (SELECT repeat('x', 1000) FROM generate_series(1, 10000000)) TO STDOUT"
    for _ in range(5):
        async with db.copied(endless) as pieces:
            assert len(await anext(pieces)) > 60000
    with pytest.raises(faults.DatabaseBusy):
        async with db.copied(endless), db.copied(endless), db.copied(endless):
            pass
