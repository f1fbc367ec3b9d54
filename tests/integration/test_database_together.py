"""Readers of one statement share round trips: each gets the rows of its own values, and its own refusal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import psycopg
import pytest

from shared_models import wire
from shared_models.database import Database
from shared_models.faults import BadValue, DatabaseFault
from shared_models.prepared import Prepared

_ROW = Prepared(b"SELECT text FROM note WHERE id = $1::int", ("id",))
_DEAR = Prepared(b"SELECT pg_sleep($1::float)", ("seconds",))


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    with psycopg.connect(database_url) as connection:
        connection.execute("CREATE TABLE note (id int PRIMARY KEY, text text)")
        connection.execute("INSERT INTO note SELECT n, 'note ' || n FROM generate_series(1, 100) AS n")
    opened = Database(database_url, size=4, application_name="together", statement_timeout=5, lock_timeout=2)
    yield opened
    await opened.close()


async def get(db: Database, number: object) -> list[wire.Cells]:
    return await db.fetch(_ROW, {"id": str(number)}, together=True)


@pytest.fixture
async def trips(db: Database, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many asked in each round trip that was led, once the statement is known to take a moment."""
    found: list[int] = []
    shared = wire.fetch_each

    async def noted(connection: wire.Connection, sql: bytes, several: list[wire.Arguments]) -> object:
        found.append(len(several))
        return await shared(connection, sql, several)

    monkeypatch.setattr("shared_models.together._MOMENT", 60.0)  # however busy the machine is
    await get(db, 1)
    monkeypatch.setattr(wire, "fetch_each", noted)
    return found


async def test_each_gets_its_own_row_in_few_round_trips(db: Database, trips: list[int]) -> None:
    rows = await asyncio.gather(*(get(db, n) for n in range(1, 31)))
    assert rows == [[[b"note %d" % n]] for n in range(1, 31)]
    assert trips == [1, 29]


async def test_who_is_refused_is_told_so_and_the_others_have_their_rows(db: Database, trips: list[int]) -> None:
    asked: list[object] = [1, 2, "no number", 3, 1000, 4]
    rows = await asyncio.gather(*(get(db, one) for one in asked), return_exceptions=True)
    assert isinstance(rows[2], BadValue)
    assert [row for row in rows if not isinstance(row, BaseException)] == [
        [[b"note 1"]],
        [[b"note 2"]],
        [[b"note 3"]],
        [],
        [[b"note 4"]],
    ]
    assert trips == [1, 5]


@pytest.mark.parametrize("gone", [0, 1, 3])
async def test_who_gives_up_takes_nobody_along(db: Database, trips: list[int], gone: int) -> None:
    """Whoever it is: the one who asks for all, the one who would be the next to do so, one of those in between."""
    asking = [asyncio.create_task(get(db, n)) for n in range(1, 6)]
    await asyncio.sleep(0)
    asking[gone].cancel()
    rows = await asyncio.gather(*asking, return_exceptions=True)
    assert isinstance(rows.pop(gone), asyncio.CancelledError)
    assert rows == [[[b"note %d" % n]] for n in range(1, 6) if n != gone + 1]
    assert await get(db, 7) == [[b"note 7"]]
    assert trips


async def test_a_connection_that_is_cut_is_replaced(db: Database, trips: list[int], database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'together'")
    rows = await asyncio.gather(*(get(db, n) for n in range(1, 11)))
    assert rows == [[[b"note %d" % n]] for n in range(1, 11)]
    assert trips


async def test_the_schema_may_change_in_between(db: Database, trips: list[int], database_url: str) -> None:
    star = Prepared(b"SELECT note.* FROM note WHERE id = $1::int", ("id",))
    assert await db.fetch(star, {"id": "1"}, together=True) == [[b"1", b"note 1"]]
    with psycopg.connect(database_url, autocommit=True) as other:
        other.execute("ALTER TABLE note ADD COLUMN more int DEFAULT 5")
    rows = await asyncio.gather(*(db.fetch(star, {"id": str(n)}, together=True) for n in range(1, 6)))
    assert rows == [[[b"%d" % n, b"note %d" % n, b"5"]] for n in range(1, 6)]
    assert trips


async def test_what_takes_long_is_run_side_by_side(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*_: object) -> object:
        raise AssertionError

    monkeypatch.setattr(wire, "fetch_each", never)
    await asyncio.gather(*(db.fetch(_DEAR, {"seconds": "0.02"}, together=True) for _ in range(6)))
    await asyncio.gather(*(db.fetch(_DEAR, {"seconds": "0.02"}, together=True) for _ in range(6)))


async def test_a_database_that_is_away_is_told_to_each(database_url: str) -> None:
    nowhere = Database(f"{database_url}?port=1", size=2, application_name="t", statement_timeout=1, lock_timeout=1)
    rows = await asyncio.gather(*(get(nowhere, n) for n in range(3)), return_exceptions=True)
    assert all(isinstance(row, DatabaseFault) for row in rows)
