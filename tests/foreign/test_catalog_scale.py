"""A large awkward schema is read with as many statements as a small one, and the same from an older server."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import psycopg
import pytest

from shared_models.catalog import read_snapshot, user_schemas
from shared_models.drift import compare
from shared_models.snapshot import Snapshot
from tests.support.debian_postgres import DebianServer
from tests.support.large_schema import Large

_MIDDLE = Large(tables=120, views=24, functions=120)


@pytest.fixture(scope="module")
def url(clone: Callable[[str], str]) -> str:
    made = clone("template1")
    _MIDDLE.load(made)
    return made


def _read(url: str, sent: list[object] | None = None) -> Snapshot:
    counting = _counting([] if sent is None else sent)
    with psycopg.connect(url, autocommit=True, cursor_factory=counting) as connection:
        return read_snapshot(connection, user_schemas(connection))


def test_a_large_schema_takes_as_many_statements_as_a_small_one(url: str, database_url: str) -> None:
    Large(tables=9, views=3, functions=0).load(database_url)
    sent_for_large: list[object] = []
    sent_for_small: list[object] = []
    large, small = _read(url, sent_for_large), _read(database_url, sent_for_small)
    assert len(large.tables) == 144 > 10 * len(small.tables)
    assert len(sent_for_large) == len(sent_for_small) < 30


def test_it_is_as_large_and_as_awkward_as_it_says(url: str) -> None:
    snapshot = _read(url)
    tables = [table for table in snapshot.tables if not table.is_view]
    assert (len(tables), len(snapshot.tables) - len(tables)) == (120, 24)
    assert 11.5 < sum(len(table.columns) for table in tables) / len(tables) < 12.5
    assert len(snapshot.schemas) == 5
    assert any(not table.unique_keys() for table in tables)
    assert any(table.partition_of for table in tables)
    assert any(len(key.columns) > 1 for table in tables for key in table.foreign_keys)
    assert any(key.target_schema != table.schema for table in tables for key in table.foreign_keys)
    assert any(" " in table.name for table in tables)
    assert len(snapshot.functions) < 10, "of the functions only those that something calls"


def test_an_older_server_gives_an_equal_snapshot(url: str, debian_server: DebianServer) -> None:
    with psycopg.connect(debian_server.url(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE middle")
    _MIDDLE.load(debian_server.url("middle"))
    older, newer = _read(debian_server.url("middle")), _read(url)
    assert compare(older, newer) == []
    assert older == newer


def test_equal_types_are_one_object_however_many_columns(url: str) -> None:
    columns = [column for table in _read(url).tables for column in table.columns]
    assert len({id(column.type) for column in columns}) == len({column.type for column in columns}) < len(columns) / 20


def _counting(sent: list[object]) -> type[psycopg.Cursor[object]]:
    class Counting(psycopg.Cursor[object]):
        def execute(self, query: object, *arguments: object, **more: object) -> Counting:
            sent.append(query)
            super().execute(query, *arguments, **more)
            return self

        def stream(self, query: object, *arguments: object, **more: object) -> Iterator[object]:
            sent.append(query)
            return super().stream(query, *arguments, **more)

    return Counting
