"""Values that other tools lose, read through the drafted API of the corner cases: exact, or PostgreSQL's own text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from api_gateway.api.contract import load_contract
from api_gateway.consumers import Consumer
from api_gateway.draft.init import init_project
from api_gateway.postgres import Server
from api_gateway.project import load_project
from tests.support.api import Api, prepare, serving
from tests.support.foreign import loads

pytestmark = pytest.mark.xdist_group("corner_cases")


@pytest.fixture(scope="module")
def api(clone: Callable[[str], str], server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    url = clone("template1")
    loads()["corner_cases"](url)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "CREATE SCHEMA more; CREATE EXTENSION hstore SCHEMA more; CREATE EXTENSION citext SCHEMA more"
        )
        connection.execute(_MORE.encode())
    folder = tmp_path_factory.mktemp("awkward") / "awkward_api"
    init_project(folder, url)
    project = load_project(folder)
    contract = load_contract(project)
    prepare(url, project, contract)
    reader = Consumer("reader", "Reads everything", frozenset(contract.scopes()), {})
    with serving(
        server.url(url.rsplit("/", 1)[1], user="banyan_api"), [reader], project=project, contract=contract
    ) as api:
        yield api


_MORE = r"""
CREATE TABLE more.value (id int PRIMARY KEY, h more.hstore, c more.citext, b bytea, ip inet, net cidr, j json, jb jsonb,
  bits bit(3)[], ints int[], r int4range, mr nummultirange, iv interval, at timestamp, n numeric[], big bigint[],
  doc xml);
INSERT INTO more.value VALUES (1, 'a=>1, b=>NULL', 'MiXed', '\x00ff', '10.0.0.1/8', '10.0.0.0/8',
  '{"n": 12345678901234567890.10}', '{"n": 12345678901234567890.10}', '{101,NULL}', '{1,NULL,3}', '[1,5)',
  '{[1.5,2),[3,4]}', '1 year 2 mons -3 days 04:05:06.789', '2024-03-10 02:30:00', '{1.10,NaN}',
  '{9223372036854775807}', NULL);
"""


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("codes", {"c": "ab", "b": "10101", "vb": "101", "one": "x", "v": ["abc", "d"]}),
        ("c13-ts/00000000-0000-0000-0000-000000000001", {"base_impact": "n/a", "all_impacts": ["A", "n/a"]}),
        ("c14-ts/1", {"a": "de-CH", "b": "en"}),
        ("c17-ts/1", {"a": [1, 2], "g": [[1, 2], [3, 4]], "d": None}),
        ("c18-ts/1", {"one": " ", "many": ["Another Test", " ", "", "a,b", "NULL", None]}),
        ("order-details/1", {"unit_price": 2, "c_100": "3", "a_b": "q", "column": "ж"}),
        ("c21-ts/1", {"d": "infinity", "ts": "-infinity", "tz": "infinity", "tm": "24:00:00", "iv": "P1M-1DT2H3M4.5S"}),
        ("c21-ts/2", {"d": "0001-10-10 BC", "tz": "15000-12-31T23:40:28+00:00", "iv": "P178000000Y"}),
        ("c21-ts/3", {"ts": "294276-12-31T23:59:59.999999", "tmz": "12:34:56.789012+05:30", "iv": "PT-0.000001S"}),
        ("c26-ts/1", {"f": {"id": 1, "path": 'a,"b'}, "b": {"name": "n", "files": [{"id": 4, "path": "d"}]}}),
        ("c27-ts/x%2Fy%3Fz=1&w,1,2", {"v": "slash and question mark in a key"}),
        ("c29-ts/9007199254740993", {"n": "NaN", "n2": "1.10", "nn": "12300", "f8": "Infinity", "o": 4294967295}),
        ("c29-ts/9007199254740993", {"big": "123456789012345678901234567890123456789012345678901234567890"}),
        ("c29-ts/-9223372036854775808", {"n": "Infinity", "f8": "NaN", "m": "$0.00"}),
        ("docs/2", {"active": "N", "posted": "", "prio": None}),
        ("c32-ts/2", {"during": "empty"}),
        ("people/x", {"metadata": {"a": 1}, "model_config": None, "copy": None, "json": None, "fields": None}),
        ("users/1", {"class": "k", "from": None, "none": None, "true": None, "c_2nd": None, "private": None}),
        ("lead-items/1", {"unit_price": 3, "unit_price_2": 2, "unit_price_3": 4, "unit_price_4": 5, "unitprice": 6}),
        ("values/1", {"h": {"a": "1", "b": None}, "c": "MiXed"}),
        ("values/1", {"b": "AP8=", "ip": "10.0.0.1/8", "net": "10.0.0.0/8"}),
        ("values/1", {"bits": ["101", None], "ints": [1, None, 3], "r": "[1,5)", "mr": "{[1.5,2),[3,4]}"}),
        ("values/1", {"iv": "P1Y2M-3DT4H5M6.789S", "at": "2024-03-10T02:30:00", "n": ["1.10", "NaN"]}),
        ("values/1", {"big": ["9223372036854775807"], "doc": None}),
    ],
)
def test_a_value_is_read_exactly(api: Api, path: str, expected: dict[str, Any]) -> None:
    answer = api.get(path, "reader")
    assert answer.status_code == 200, answer.text
    document = answer.json()
    row = document["data"][0] if "data" in document else document
    assert {name: row.get(name, "is not there") for name in expected} == expected


def test_numbers_inside_json_columns_keep_all_their_digits(api: Api) -> None:
    text = api.get("values/1", "reader").text
    assert text.count("12345678901234567890.10") == 2


def test_floats_keep_what_makes_them_what_they_are(api: Api) -> None:
    assert '"f4":0.1,' in api.get("c29-ts/9007199254740993", "reader").text
    assert '"f4":-0,' in api.get("c29-ts/-9223372036854775808", "reader").text


def test_duplicate_rows_of_a_table_without_a_key_are_all_there(api: Api) -> None:
    assert api.all("links?limit=1", "reader") == [{"a": 1, "b": 1}, {"a": 1, "b": 1}, {"a": None, "b": 1}]


@pytest.mark.parametrize(
    ("path", "name", "expected"),
    [
        ("bills?include=visit", "visit", {"branch": "B", "on_day": "2026-01-01", "nr": 1, "label": "B/1"}),
        ("bookings?include=slot", "slot", {"room": 1, "hour": 2, "name": "right"}),
        ("v-bookings?include=slot", "slot", {"room": 1, "hour": 2, "name": "right"}),
        ("bs?include=a", "a", {"nr": 1, "flag": True}),
        ("vbs?include=a", "a", {"nr": 1, "flag": True}),
        ("invs?include=customer_row", "customer_row", None),
        ("c22-nodes/2,1?include=node", "node", {"id": 1, "tenant": 1, "parent_id": None}),
        ("table01/2?include=parent", "parent", {"id": "1", "parent_id": None}),
    ],
)
def test_a_parent_is_found_by_all_the_columns_of_its_key(api: Api, path: str, name: str, expected: object) -> None:
    answer = api.get(path, "reader")
    assert answer.status_code == 200, answer.text
    document = answer.json()
    row = document["data"][0] if "data" in document else document
    assert row[name] == expected
