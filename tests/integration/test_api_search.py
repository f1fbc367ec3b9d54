"""Words are searched in a tsvector that the database keeps, where the contract says so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Annotated

import psycopg
import pytest

from api_gateway.postgres import Server
from shared_models.contract import Column, Key, Resource, Rows, Search
from tests.support.api import Api
from tests.support.writes import laid, served

SQL = """
CREATE TABLE film (id int PRIMARY KEY, title text NOT NULL, plot text NOT NULL, fulltext tsvector NOT NULL);
INSERT INTO film SELECT n, t, p, to_tsvector('english', t || ' ' || p)
  FROM (VALUES (1, 'Steel bolts', 'A drama of sharks'), (2, 'Sharks', 'A film'), (3, 'Brass', 'None')) v(n, t, p);
CREATE INDEX ON film USING gin (fulltext);
"""


class Film(Resource, table="film", path="films", rows=Rows.all(), search=Search(language="english", stored="fulltext")):
    id: Annotated[int, Key("id")]
    title: Annotated[str, Column("title")]


@pytest.fixture(scope="module")
def url(clone: Callable[[str], str]) -> str:
    return clone("template1")


@pytest.fixture(scope="module")
def api(server: Server, url: str) -> Iterator[Api]:
    module = ModuleType("films")
    vars(module).update(Film=Film)
    with served(server, url, laid(url, SQL, module)) as found:
        yield found


@pytest.mark.parametrize(
    ("words", "found"), [("shark", [1, 2]), ("sharks -bolt", [2]), ('"steel bolt"', [1]), ("sail", [])]
)
def test_what_the_column_holds_is_found_whatever_the_row_shows(api: Api, words: str, found: list[int]) -> None:
    assert [row["id"] for row in api.get("films", "ACME", params={"q": words}).json()["data"]] == found


def test_the_column_itself_is_as_unknown_as_any_other(api: Api) -> None:
    hidden, unknown = api.get("films?fulltext=1", "ACME"), api.get("films?fulltexx=1", "ACME")
    assert hidden.text.replace("fulltext", "fulltexx") == unknown.text


def test_the_role_may_read_it_and_no_more_than_is_needed(api: Api, url: str) -> None:
    with psycopg.connect(url) as connection:
        may = "SELECT has_column_privilege('banyan_api', 'film', c, 'SELECT') FROM unnest(ARRAY['fulltext', 'plot']) c"
        assert connection.execute(may).fetchall() == [(True,), (False,)]
