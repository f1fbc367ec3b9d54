"""Each kind of value through a table of its own, over HTTP: read exactly, found by each operator as PostgreSQL finds it,
ordered and paged as PostgreSQL orders it, written as new and as a change, and stored then as it was before. And as a key.
"""

# ruff: noqa: E501  one kind is one line

from __future__ import annotations

import json
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID

import psycopg
import pytest
from psycopg import sql

from api_gateway.api.contract import Contract
from api_gateway.consumers import Consumer
from api_gateway.postgres import Server
from api_gateway.project import load_project
from shared_models.binding import bind
from shared_models.catalog import read_snapshot
from shared_models.contract import Aggregates, BigInt, Bytes, Column, Json, Key, LocalTime, Resource, Rows
from shared_models.granting import apply, wanted
from shared_models.grants import grants
from shared_models.inputs import json_text
from shared_models.migrations import upgrade
from tests.support.api import NORTHGATE, Api, serving

pytestmark = pytest.mark.xdist_group("value_kinds")

_TYPES = """
CREATE SCHEMA ext; CREATE EXTENSION hstore SCHEMA ext; CREATE EXTENSION citext SCHEMA ext; CREATE EXTENSION ltree SCHEMA ext;
CREATE SCHEMA k;
CREATE TABLE k.contract (id int PRIMARY KEY, since date NOT NULL, until date, maybe date NOT NULL, local timestamp);
INSERT INTO k.contract VALUES (1, '2024-01-01', '2024-12-31', '2024-12-31', '2024-12-31 12:00'),
  (2, '2024-01-01', 'infinity', '-infinity', '0044-03-15 BC'), (3, '2024-01-01', '15000-01-01', '9999-12-31', NULL),
  (4, '2024-01-01', NULL, '0001-01-01', '9999-12-31 23:00');
CREATE TYPE k."Odd Mood" AS ENUM ('zz', 'it''s', 'a,b', ' ', '', 'Ünï', 'NULL', '{x}', '50%', 'x/y', '(a)', 'a"b\\c');
CREATE TYPE k.pair AS (n int, t text);
CREATE DOMAIN k.grid AS int[][]; CREATE DOMAIN k.cents AS numeric(12,2) CHECK (VALUE > -100); CREATE DOMAIN k.deep AS k.cents;
CREATE TYPE k.span_of_floats AS RANGE (subtype = float8);
"""


@dataclass(frozen=True, slots=True)
class Kind:
    """`shown`: by PostgreSQL's text of a value, what JSON says of it. `given`: other JSON that is stored as such a value."""

    type: str
    annotation: Any
    shown: dict[str, Any]
    is_key: bool = True


def _same(*texts: str) -> dict[str, Any]:
    return {text: text for text in texts}


BIG = "9" * 40 + "." + "1" * 30
KINDS: dict[str, Kind] = {
    "int2": Kind("int2", int, {"-32768": -32768, "0": 0, "32767": 32767}),
    "int8": Kind("int8", int, {"-9223372036854775808": -(2**63), "9007199254740993": 9007199254740993}),
    "int8_string": Kind("int8", BigInt, _same("-9223372036854775808", "0", "9223372036854775807")),
    "oid": Kind("oid", int, {"0": 0, "4294967295": 4294967295}),
    "numeric": Kind("numeric", Decimal, _same("NaN", "Infinity", "-Infinity", "0.10", "-0.00000000000000000001", BIG)),
    "numeric_scaled": Kind("numeric(12,2)", Decimal, _same("NaN", "1.10", "-9999999999.99", "0.00")),
    "numeric_negative_scale": Kind("numeric(3,-2)", Decimal, _same("12300", "-99900", "0")),
    "numeric_number": Kind("numeric", float, {"NaN": "NaN", "-Infinity": "-Infinity", "1.50": Decimal("1.50"), BIG: Decimal(BIG)}),
    "domain": Kind("k.cents", Decimal, _same("NaN", "1.10", "-99.99")),
    "domain_of_domain": Kind("k.deep", Decimal, _same("0.01", "5.00")),
    "float8": Kind("float8", float, {"NaN": "NaN", "Infinity": "Infinity", "-Infinity": "-Infinity", "0.30000000000000004": Decimal("0.30000000000000004"), "5e-324": Decimal("5e-324"), "1.7976931348623157e+308": Decimal("1.7976931348623157e+308")}),
    "float4": Kind("float4", float, {"NaN": "NaN", "-Infinity": "-Infinity", "0.1": Decimal("0.1"), "3.4028235e+38": Decimal("3.4028235e+38"), "1e-45": Decimal("1e-45")}),
    "money": Kind("money", Decimal, {"-$1,234.50": "-1234.50", "$92,233,720,368,547,758.07": "92233720368547758.07", "$0.00": "0.00"}),
    "bool": Kind("bool", bool, {"true": True, "false": False}),
    "text": Kind("text", str, _same("", " ", "a/b", "100%_", "it's \"q\"", "a,b", "\\", "null", "Ä\n\t😀", "x\u2028y", "..", "(a)", "a\x01\x7f")),
    "varchar": Kind("varchar(5)", str, _same("", "abcde", "a b ", "ééééé")),
    "char": Kind("char(4)", str, {"ab": "ab", "a b": "a b", "": "", "é%_x": "é%_x"}),
    "one_char": Kind('"char"', str, _same("", "q", "Z")),
    "name": Kind("name", str, _same("n" * 63, "A b", "")),
    "citext": Kind("ext.citext", str, _same("MiXed", "other", "100%")),
    "enum": Kind('k."Odd Mood"', str, _same("zz", "it's", "a,b", " ", "", "Ünï", "NULL", "{x}", "50%", "x/y", "(a)", 'a"b\\c')),
    "date": Kind("date", date, _same("0001-01-01", "2024-02-29", "9999-12-31")),
    "date_beyond": Kind("date", date | str, _same("-infinity", "0044-03-15 BC", "2024-02-29", "15000-12-31", "5874897-12-31", "infinity")),
    "date_text": Kind("date", str, _same("-infinity", "4713-01-01 BC", "infinity")),
    "timestamptz": Kind("timestamptz", datetime, {"2024-07-01 10:00:00.123456+00": "2024-07-01T10:00:00.123456+00:00", "0001-01-01 00:00:00+00": "0001-01-01T00:00:00+00:00"}),
    "timestamptz_beyond": Kind("timestamptz", datetime | str, {"-infinity": "-infinity", "infinity": "infinity", "0044-03-15 00:00:00+00 BC": "0044-03-15T00:00:00+00:00 BC", "294276-12-31 23:59:59.999999+00": "294276-12-31T23:59:59.999999+00:00"}),
    "timestamp": Kind("timestamp", str, {"-infinity": "-infinity", "infinity": "infinity", "2024-03-10 02:30:00.000001": "2024-03-10T02:30:00.000001", "4713-01-01 00:00:00 BC": "4713-01-01T00:00:00 BC", "294276-12-31 23:59:59.999999": "294276-12-31T23:59:59.999999"}),
    "time": Kind("time", time, _same("00:00:00", "13:45:00.5", "24:00:00")),
    "timetz": Kind("timetz", str, _same("00:00:00-15:59", "12:34:56.789012+05:30", "24:00:00+02")),
    "interval": Kind("interval", timedelta, {"1 year 2 mons -3 days +04:05:06.789": "P1Y2M-3DT4H5M6.789S", "178000000 years": "P178000000Y", "-00:00:00.000001": "PT-0.000001S", "00:00:00": "PT0S", "-1 mons +1 day": "P-1M1D", "2562047788:00:54.775807": "PT2562047788H54.775807S"}),
    "uuid": Kind("uuid", UUID, _same("00000000-0000-0000-0000-000000000000", "6f1c3b1e-7d0c-4a52-9d0c-0b8d4f6f3b11")),
    "bytea": Kind("bytea", Bytes, {"\\x": "", "\\x00ff27": "AP8n", "\\x" + "00" * 60: "A" * 80}, is_key=False),
    "json_text": Kind("json", str, _same('{"n" : 12345678901234567890.10, "n": 1}', "null", "[1e400]"), is_key=False),
    "json": Kind("json", Json, {'{"n":12345678901234567890.10,"t":"a"}': {"n": Decimal("12345678901234567890.10"), "t": "a"}, "[]": [], "1.50": Decimal("1.50")}, is_key=False),
    "jsonb": Kind("jsonb", Json, {'{"n": 12345678901234567890.10}': {"n": Decimal("12345678901234567890.10")}, "[null, true]": [None, True], '"x"': "x"}, is_key=False),
    "hstore": Kind("ext.hstore", dict[str, str | None], {'"a"=>"1", "b"=>NULL, "c \\"d"=>"NULL"': {"a": "1", "b": None, 'c "d': "NULL"}, "": {}}, is_key=False),
    "bit": Kind("bit(5)", str, _same("10101", "00000")),
    "varbit": Kind("varbit", str, _same("", "1", "101010101")),
    "inet": Kind("inet", str, _same("10.0.0.1/8", "::ffff:1.2.3.4", "192.168.0.1")),
    "cidr": Kind("cidr", str, _same("10.0.0.0/8", "2001:db8::/32")),
    "macaddr": Kind("macaddr", str, _same("08:00:2b:01:02:03", "ff:ff:ff:ff:ff:ff")),
    "macaddr8": Kind("macaddr8", str, _same("08:00:2b:01:02:03:04:05")),
    "pg_lsn": Kind("pg_lsn", str, _same("16/B374D848", "0/0")),
    "int4range": Kind("int4range", str, _same("[2,6)", "(,5)", "empty", "[1,)")),
    "numrange": Kind("numrange", str, _same("[1.50,)", "(0,1]", "empty")),
    "daterange": Kind("daterange", str, _same("[2026-01-31,infinity)", "[-infinity,2026-01-31)", '["0044-03-15 BC",2026-01-31)')),
    "tstzrange": Kind("tstzrange", str, _same('["2026-01-30 18:30:00+00",)', "empty")),
    "range_of_host": Kind("k.span_of_floats", str, _same("[0.1,0.30000000000000004)", "(,)")),
    "multirange": Kind("nummultirange", str, _same("{[1.5,2),[3,4]}", "{}")),
    "ltree": Kind("ext.ltree", str, _same("Top.Science", "A", "")),
    "tsvector": Kind("tsvector", str, _same("'fox':3 'quick':2A", ""), is_key=False),
    "point": Kind("point", str, _same("(0.1,-1e+300)", "(NaN,Infinity)"), is_key=False),
    "box": Kind("box", str, _same("(1,1),(0,0)"), is_key=False),
    "polygon": Kind("polygon", str, _same("((0,0),(1,1),(1,0))"), is_key=False),
    "circle": Kind("circle", str, _same("<(0,0),0.1>"), is_key=False),
    "composite_text": Kind("k.pair", str, _same('(1,"a ""b"", c")', "(,)"), is_key=False),
    "composite_array_text": Kind("k.pair[]", str, _same('{"(1,\\"a b\\")",NULL}', "{}"), is_key=False),
    "ints": Kind("int4[]", list[int | None], {"{1,NULL,3}": [1, None, 3], "{}": [], "{{1,2},{3,4}}": [[1, 2], [3, 4]]}, is_key=False),
    "ints_bounds": Kind("int4[]", str, _same("[0:1]={7,8}", "{}"), is_key=False),
    "texts": Kind("text[]", list[str | None], {'{"a,b","\\"","\\\\","NULL","",NULL}': ["a,b", '"', "\\", "NULL", "", None], "{}": [], "{{{a}}}": [[["a"]]]}, is_key=False),
    "numerics": Kind("numeric[]", list[Decimal], {"{1.50,NaN,Infinity}": ["1.50", "NaN", "Infinity"]}, is_key=False),
    "bigints": Kind("int8[]", list[BigInt], {"{9007199254740993}": ["9007199254740993"]}, is_key=False),
    "floats": Kind("float8[]", list[float], {"{0.1,NaN,-Infinity}": [Decimal("0.1"), "NaN", "-Infinity"]}, is_key=False),
    "dates": Kind("date[]", list[date], {'{infinity,"0044-03-15 BC",2024-02-29}': ["infinity", "0044-03-15 BC", "2024-02-29"]}, is_key=False),
    "moments": Kind("timestamptz[]", list[datetime], {'{"2024-07-01 10:00:00+00",infinity}': ["2024-07-01T10:00:00+00:00", "infinity"]}, is_key=False),
    "enums": Kind('k."Odd Mood"[]', list[str | None], {'{"a,b"," ","","NULL",NULL,"{x}"}': ["a,b", " ", "", "NULL", None, "{x}"]}, is_key=False),
    "chars": Kind("char(3)[]", list[str], {'{"a  ","bc "}': ["a", "bc"]}, is_key=False),
    "bools": Kind("bool[]", list[bool | None], {"{t,NULL,f}": [True, None, False]}, is_key=False),
    "uuids": Kind("uuid[]", list[UUID], {"{6f1c3b1e-7d0c-4a52-9d0c-0b8d4f6f3b11}": ["6f1c3b1e-7d0c-4a52-9d0c-0b8d4f6f3b11"]}, is_key=False),
    "inets": Kind("inet[]", list[str], {"{10.0.0.1,::1}": ["10.0.0.1", "::1"]}, is_key=False),
    "jsonbs": Kind("jsonb[]", list[Any], {'{"{\\"a\\": 1.50}",NULL}': [{"a": Decimal("1.50")}, None]}, is_key=False),
    "bits": Kind("bit(2)[]", list[str], {"{10,01}": ["10", "01"]}, is_key=False),
    "domain_over_array": Kind("k.grid", list[Any], {"{{1,2},{3,NULL}}": [[1, 2], [3, None]], "{}": []}, is_key=False),
}  # fmt: skip
_SIGNS = {"eq": "=", "ne": "<>", "lt": "<", "lte": "<=", "gt": ">", "gte": ">="}


@dataclass(frozen=True, slots=True)
class Served:
    api: Api
    connection: psycopg.Connection[Any]

    def found(self, path: str, **query: str) -> list[int]:
        answer = self.api.client.get(f"/api/v1/{path}", params={"sort": "id", **query}, headers={"x-api-key": "acme"})
        assert answer.status_code == 200, (query, answer.text)
        return [row["id"] for row in answer.json()["data"]]

    def ids(self, name: str, condition: str = "true", *values: str, order: str = "id") -> list[int]:
        table = sql.Identifier("k", name)
        query = sql.SQL("SELECT id FROM {} WHERE {} ORDER BY {}").format(
            table,
            sql.SQL(condition),
            sql.SQL(order),  # type: ignore[arg-type]  # of these tests' own words
        )
        return [row[0] for row in self.connection.execute(query, values).fetchall()]

    def stored(self, name: str) -> list[str | None]:
        query = sql.SQL("SELECT v::text FROM {} ORDER BY id").format(sql.Identifier("k", name))
        return [row[0] for row in self.connection.execute(query).fetchall()]

    def write(self, method: str, path: str, body: dict[str, Any], status: int) -> Any:
        answer = self.api.ask(method, path, content=json_text(body), headers={"content-type": "application/json"})
        assert answer.status_code == status, (method, path, body, answer.text)
        return exactly(answer.text)


def exactly(text: str) -> Any:
    return json.loads(text, parse_float=Decimal)


def as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


class Agreement(
    Resource, table="contract", schema="k", path="agreements", rows=Rows.all(),
    verbs=("list", "get", "create", "update"), aggregates=Aggregates(max="until", by=("until.year",)),
):  # fmt: skip
    """Dates that promise RFC 3339. `maybe` may be null here because of what its column may hold."""

    id: Annotated[int, Key("id", write="create")]
    since: Annotated[date, Column("since", write=True)]
    until: Annotated[date | None, Column("until", write=True)]
    maybe: Annotated[date | None, Column("maybe", write="create")]
    local: Annotated[datetime | None, LocalTime("local", zone="America/New_York")]


def _resources() -> dict[str, type[Resource]]:
    made: dict[str, type[Resource]] = {"Agreement": Agreement}
    verbs = ("list", "get", "create", "update", "delete")
    for name, kind in KINDS.items():
        fields: dict[str, Any] = {
            "id": Annotated[int, Key("id", write="create")],
            "v": Annotated[kind.annotation | None, Column("v", write=True)],
        }
        words = {"table": name, "schema": "k", "path": name, "rows": Rows.all(), "verbs": verbs}
        made[name] = types.new_class(
            f"Of{name}", (Resource,), words, lambda body, f=fields: body.update(__annotations__=f)
        )  # type: ignore[misc]  # bound now
        if kind.is_key:
            keyed: dict[str, Any] = {
                "v": Annotated[kind.annotation, Key("v", write="create")],
                "note": Annotated[str | None, Column("note", write=True)],
            }
            words = {**words, "table": f"{name}_key", "path": f"{name}_key"}
            made[f"{name}_key"] = types.new_class(
                f"By{name}", (Resource,), words, lambda body, f=keyed: body.update(__annotations__=f)
            )  # type: ignore[misc]  # bound now
    return made


@pytest.fixture(scope="module")
def served(clone: Callable[[str], str], server: Server) -> Iterator[Served]:
    url = clone("template1")
    upgrade(url)
    with psycopg.connect(
        url, autocommit=True, options="-c TimeZone=UTC -c lc_monetary=C -c search_path=ext"
    ) as connection:
        connection.execute(_TYPES.encode())
        for name, kind in KINDS.items():
            connection.execute(f"CREATE TABLE k.{name} (id int PRIMARY KEY, v {kind.type})".encode())
            values = [*kind.shown, None]
            rows = [(n, value) for n, value in enumerate(values, 1)]
            insert = f"INSERT INTO k.{name} VALUES (%s, %s::text::{kind.type})".encode()
            with connection.cursor() as cursor:
                cursor.executemany(insert, rows)
                if kind.is_key:
                    cursor.execute(f"CREATE TABLE k.{name}_key (v {kind.type} PRIMARY KEY, note text)".encode())
                    cursor.execute(f"INSERT INTO k.{name}_key SELECT v, id FROM k.{name} WHERE v IS NOT NULL".encode())
        module = types.ModuleType("value_kinds")
        vars(module).update(_resources())
        snapshot = read_snapshot(connection, ["k"])
        contract = Contract(bind(module, snapshot, zone="America/New_York"), ())
        apply(connection, wanted(grants(contract.resources, []), [], snapshot, contract.resources))
        caller = Consumer("acme", "Acme", frozenset(contract.scopes()))
        as_api = server.url(url.rsplit("/", 1)[1], user="banyan_api")
        with serving(as_api, [caller], project=load_project(NORTHGATE), contract=contract) as api:
            yield Served(api, connection)


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_is_read_found_ordered_and_written_exactly(served: Served, name: str) -> None:
    kind, api = KINDS[name], served.api
    shown = [*kind.shown.values(), None]
    rows = exactly(api.get(f"{name}?sort=id").text)["data"]
    assert [row["v"] for row in rows] == shown
    _filters(served, name)
    if api.contract.resources.by_path[name].fields["v"].sortable:
        for sort, order in (("v", "v, id"), ("-v", "v DESC, id"), ("v.nullsfirst", "v NULLS FIRST, id")):
            assert [row["id"] for row in api.all(f"{name}?sort={sort}&limit=1")] == served.ids(name, order=order), sort
    before = served.stored(name)
    for row in rows:
        assert api.ask("DELETE", f"{name}/{row['id']}").status_code == 204
    for row in rows:
        assert served.write("POST", name, row, 201) == row
    assert served.stored(name) == before
    for n, row in enumerate(rows):
        if isinstance(row["v"], dict):  # RFC 7396: an object is merged, and what is null inside of it is removed
            continue
        assert served.write("PATCH", f"{name}/1", {"v": row["v"]}, 200)["v"] == row["v"]
        assert served.stored(name)[0] == before[n]
    served.write("PATCH", f"{name}/1", {"v": rows[0]["v"]}, 200)


def _filters(served: Served, name: str) -> None:
    kind = KINDS[name]
    operators = served.api.contract.resources.by_path[name].fields["v"].operators
    for stored, shown in kind.shown.items():
        for operator in operators & _SIGNS.keys():
            expected = served.ids(name, f"v {_SIGNS[operator]} %s::text::{kind.type}", stored)
            assert served.found(name, **{f"v[{operator}]": as_text(shown)}) == expected, (operator, shown)
        if "in" in operators:
            listed = '"' + as_text(shown).replace("\\", "\\\\").replace('"', '\\"') + '"'
            assert served.found(name, **{"or": f"(id=0,v[in]=({listed}))"}) == served.ids(
                name, f"v = %s::text::{kind.type}", stored
            ), shown
        for operator in operators & {"like", "ilike"}:
            pattern = (
                as_text(shown).replace("\\", "\\\\").replace("_", "\\_").replace("%", "\\%")[:3].rstrip("\\") + "%"
            )
            expected = served.ids(name, f"v::{'text' if name == 'char' else kind.type} {operator} %s::text", pattern)
            assert served.found(name, **{f"v[{operator}]": pattern}) == expected, (operator, pattern)
    assert served.found(name, **{"v[null]": "true"}) == served.ids(name, "v IS NULL")
    assert served.found(name, **{"v[null]": "false"}) == served.ids(name, "v IS NOT NULL")


@pytest.mark.parametrize("name", [name for name, kind in KINDS.items() if kind.is_key])
def test_a_kind_is_a_key_that_addresses_its_row(served: Served, name: str) -> None:
    path = f"{name}_key"
    rows = exactly(served.api.get(path).text)["data"]
    assert len(rows) == len(KINDS[name].shown)
    for row in rows:
        address = f"{path}/{quote(as_text(row['v']), safe='')}"
        if row["v"] in ("", ".", ".."):  # no segment of a path is empty, and none means to go up
            continue
        answer = served.api.get(address)
        assert answer.status_code == 200, (address, answer.text)
        assert exactly(answer.text) == row
        assert served.write("PATCH", address, {"note": "seen"}, 200) == {**row, "note": "seen"}
        assert served.api.ask("DELETE", address).status_code == 204
        made = served.api.ask("POST", path, content=json_text(row), headers={"content-type": "application/json"})
        assert made.status_code == 201, made.text
        assert exactly(served.api.client.get(made.headers["location"], headers={"x-api-key": "acme"}).text) == row
    paged = [as_text(row["v"]) for row in served.api.all(f"{path}?limit=1")]
    assert paged == [as_text(row["v"]) for row in json.loads(served.api.get(path).text)["data"]]


def test_a_promised_date_is_null_where_rfc_3339_cannot_say_it(served: Served) -> None:
    """The answers are held against the document, which says `format: date`."""
    rows = served.api.all("agreements?sort=id")
    assert [(row["until"], row["maybe"], row["local"]) for row in rows] == [
        ("2024-12-31", "2024-12-31", "2024-12-31T17:00:00+00:00"), (None, None, None),
        (None, "9999-12-31", None), (None, "0001-01-01", None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ({"until[null]": "true"}, [2, 3, 4]), ({"until[null]": "false"}, [1]), ({"until[gt]": "2024-01-01"}, [1]),
        ({"until[ne]": "2024-01-01"}, [1]), ({"not": "(until=2024-12-31)"}, []), ({"maybe[lt]": "2024-01-01"}, [4]),
        ({"until": "infinity"}, []), ({"local[null]": "false"}, [1]),
    ],
)  # fmt: skip
def test_filters_go_by_the_null_that_is_read(served: Served, query: dict[str, str], ids: list[int]) -> None:
    assert served.found("agreements", **query) == ids


def test_a_promised_date_takes_none_that_it_cannot_say_and_keeps_what_is_stored(served: Served) -> None:
    new = {"id": 5, "since": "2024-01-01", "until": "2024-01-01", "maybe": "2024-01-01"}
    for field in ("since", "until", "maybe"):
        for value in ("infinity", "0044-03-15 BC", "15000-12-31", "0000-01-01"):
            answer = served.write("POST", "agreements", {**new, field: value}, 422)
            assert [error["pointer"] for error in answer["errors"]] == [f"/{field}"], value
    served.write("PATCH", "agreements/2", {"until": None, "since": "2024-02-01"}, 200)
    row = served.connection.execute("SELECT since::text, until::text FROM k.contract WHERE id = 2").fetchone()
    assert row == ("2024-02-01", "infinity")


def test_sums_leave_out_what_is_read_as_null(served: Served) -> None:
    answer = served.api.get("agreements:aggregate?max=until&by=until.year").json()
    assert [(one["by"]["until.year"], one["count"], one["max"]["until"]) for one in answer["data"]] == [
        ("2024-01-01", 1, "2024-12-31"), (None, 3, None),
    ]  # fmt: skip
