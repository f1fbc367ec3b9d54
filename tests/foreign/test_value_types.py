"""Every type's values through the API, on both servers, under the worst settings a database can have for a login.

One line is one column with one value: read exactly, and where it can be filtered by, found again by what was read.
"""

# ruff: noqa: E501  one case is one line

from __future__ import annotations

import json
import types as python_types
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

import psycopg
import pytest

from api_gateway.api.contract import Contract
from api_gateway.consumers import Consumer
from api_gateway.postgres import Server
from api_gateway.project import load_project
from shared_models.binding import bind
from shared_models.catalog import read_snapshot
from shared_models.contract import BigInt, Bytes, Column, Json, Key, LocalTime, NoneWhen, Resource, Rows
from shared_models.granting import apply, wanted
from shared_models.grants import grants
from shared_models.migrations import upgrade
from tests.support.api import NORTHGATE, Api, serving
from tests.support.debian_postgres import DebianServer

pytestmark = pytest.mark.xdist_group("value_types")

_WORST = """
ALTER ROLE banyan_api IN DATABASE {database} SET DateStyle = 'SQL, DMY';
ALTER ROLE banyan_api IN DATABASE {database} SET IntervalStyle = 'postgres_verbose';
ALTER ROLE banyan_api IN DATABASE {database} SET extra_float_digits = -15;
ALTER ROLE banyan_api IN DATABASE {database} SET bytea_output = 'escape';
ALTER ROLE banyan_api IN DATABASE {database} SET TimeZone = 'Asia/Kolkata';
ALTER ROLE banyan_api IN DATABASE {database} SET standard_conforming_strings = off;
ALTER ROLE banyan_api IN DATABASE {database} SET quote_all_identifiers = on;
ALTER ROLE banyan_api IN DATABASE {database} SET array_nulls = off;
ALTER ROLE banyan_api IN DATABASE {database} SET xmloption = document;
ALTER ROLE banyan_api IN DATABASE {database} SET search_path = evil;
ALTER DATABASE {database} SET client_encoding = 'LATIN1';
"""
_KINDS = """
CREATE SCHEMA ext; CREATE EXTENSION hstore SCHEMA ext; CREATE EXTENSION citext SCHEMA ext; CREATE EXTENSION ltree SCHEMA ext;
CREATE SCHEMA kinds; CREATE SCHEMA evil;
CREATE TYPE kinds."Odd Mood" AS ENUM ('ok', 'it''s', 'a,b', ' ', '', 'Ünï', 'NULL', '{x}');
CREATE DOMAIN kinds.short AS char(4); CREATE DOMAIN kinds.grid AS int[][]; CREATE DOMAIN kinds.cents AS numeric(12,2);
CREATE TYPE kinds.pair AS (n numeric, t timestamptz, d kinds.cents, inner_ int[]);
CREATE TYPE kinds.floats AS RANGE (subtype = float8);
"""

# name: SQL type, SQL value, annotation, what JSON says
Case = tuple[str, str, Any, Any]
CASES: dict[str, Case] = {
    "int2 least": ("int2", "-32768", int, -32768),
    "int4 most": ("int4", "2147483647", int, 2147483647),
    "int8 as number": ("int8", "9223372036854775807", int, 9223372036854775807),
    "int8 as string": ("int8", "-9223372036854775808", BigInt, "-9223372036854775808"),
    "oid most": ("oid", "4294967295", int, 4294967295),
    "xid": ("xid", "'4294967295'", str, "4294967295"),
    "xid8": ("xid8", "'18446744073709551615'", str, "18446744073709551615"),
    "tid": ("tid", "'(42,7)'", str, "(42,7)"),
    "numeric exact": ("numeric", "0.10000000000000000555111512312578270", Decimal, "0.10000000000000000555111512312578270"),
    "numeric scale": ("numeric(12,2)", "1.1", Decimal, "1.10"),
    "numeric of 1000 digits": ("numeric", "repeat('9', 1000)::numeric", Decimal, "9" * 1000),
    "numeric NaN": ("numeric", "'NaN'", Decimal, "NaN"),
    "numeric infinite": ("numeric", "'-Infinity'", Decimal, "-Infinity"),
    "numeric as number": ("numeric", "12345678901234567890.10", float, Decimal("12345678901234567890.10")),
    "numeric NaN as number": ("numeric", "'NaN'", float, "NaN"),
    "domain over numeric": ("kinds.cents", "3", Decimal, "3.00"),
    "float8 shortest": ("float8", "0.1::float8 + 0.2::float8", float, Decimal("0.30000000000000004")),
    "float8 greatest": ("float8", "1.7976931348623157e308", float, Decimal("1.7976931348623157e+308")),
    "float8 least": ("float8", "5e-324", float, Decimal("5e-324")),
    "float8 negative zero": ("float8", "'-0'", float, Decimal("-0")),
    "float8 NaN": ("float8", "'NaN'", float, "NaN"),
    "float8 infinite": ("float8", "'-Infinity'", float, "-Infinity"),
    "float4": ("float4", "0.1", float, Decimal("0.1")),
    "float4 greatest": ("float4", "3.4028235e38", float, Decimal("3.4028235e+38")),
    "money": ("money", "'-1234.5'::numeric::money", Decimal, "-1234.50"),
    "money great": ("money", "'92233720368547758.07'::numeric::money", str, "92233720368547758.07"),
    "bool": ("bool", "true", bool, True),
    "text": ("text", r"E'a\nb\\c \"q\" \u2028 \U0001F600'", str, 'a\nb\\c "q" \u2028 😀'),
    "varchar": ("varchar(5)", "'x%y'", str, "x%y"),
    "char padded": ("char(5)", "'ab'", str, "ab"),
    "domain over char": ("kinds.short", "'a'", str, "a"),
    '"char"': ('"char"', "'q'", str, "q"),
    '"char" empty': ('"char"', "''", str, ""),
    "name": ("name", "repeat('n', 63)", str, "n" * 63),
    "citext": ("ext.citext", "'MiXed'", str, "MiXed"),
    "enum odd label": ('kinds."Odd Mood"', "'a,b'", str, "a,b"),
    "enum blank label": ('kinds."Odd Mood"', "' '", str, " "),
    "enum empty label": ('kinds."Odd Mood"', "''", str, ""),
    "date": ("date", "'2024-02-29'", date, "2024-02-29"),
    "date infinite": ("date", "'infinity'", date | str, "infinity"),
    "date infinite as none": ("date", "'infinity'", NoneWhen("infinity"), None),
    "date before Christ": ("date", "'0044-03-15 BC'", str, "0044-03-15 BC"),
    "date after 9999": ("date", "'5874897-12-31'", str, "5874897-12-31"),
    "time": ("time", "'24:00'", time, "24:00:00"),
    "timetz": ("timetz", "'12:34:56.789012+05:30'", str, "12:34:56.789012+05:30"),
    "timestamp text": ("timestamp", "'2024-03-10 02:30:00.000001'", str, "2024-03-10T02:30:00.000001"),
    "timestamp local": ("timestamp", "'2024-07-01 12:00'", LocalTime, "2024-07-01T16:00:00+00:00"),
    "timestamp local infinite": ("timestamp", "'-infinity'", LocalTime, None),
    "date infinite in a promise": ("date", "'infinity'", date, None),
    "date of the last day": ("date", "'9999-12-31'", date, "9999-12-31"),
    "date of the first day": ("date", "'0001-01-01'", date, "0001-01-01"),
    "date before the first day": ("date", "'0001-12-31 BC'", date, None),
    "timestamp before Christ": ("timestamp", "'4713-01-01 BC'", str, "4713-01-01T00:00:00 BC"),
    "timestamptz": ("timestamptz", "'2024-07-01 12:00:00.123456+02'", datetime, "2024-07-01T10:00:00.123456+00:00"),
    "timestamptz infinite": ("timestamptz", "'infinity'", datetime | str, "infinity"),
    "timestamptz infinite in a promise": ("timestamptz", "'infinity'", datetime, None),
    "timestamptz of the last second": ("timestamptz", "'9999-12-31 23:59:59+00'", datetime, "9999-12-31T23:59:59+00:00"),
    "timestamptz after it": ("timestamptz", "'9999-12-31 23:59:59-01'", datetime, None),
    "timestamptz far": ("timestamptz", "'294276-12-31 23:59:59.999999+00'", str, "294276-12-31T23:59:59.999999+00:00"),
    "timestamptz before Christ": ("timestamptz", "'0001-01-01 00:00:00+00 BC'", str, "0001-01-01T00:00:00+00:00 BC"),
    "interval": ("interval", "'1 year 2 mons -3 days 04:05:06.789'", timedelta, "P1Y2M-3DT4H5M6.789S"),
    "interval long": ("interval", "'178000000 years'", timedelta, "P178000000Y"),
    "interval least": ("interval", "'-00:00:00.000001'", timedelta, "PT-0.000001S"),
    "interval none": ("interval", "'0'", timedelta, "PT0S"),
    "uuid": ("uuid", "'6F1C3B1E7D0C4A529D0C0B8D4F6F3B11'", UUID, "6f1c3b1e-7d0c-4a52-9d0c-0b8d4f6f3b11"),
    "bytea": ("bytea", r"'\x00ff27'", Bytes, "AP8n"),
    "bytea empty": ("bytea", "''", Bytes, ""),
    "bytea long": ("bytea", r"decode(repeat('00', 60), 'hex')", Bytes, "A" * 80),
    "json": ("json", """'{"n" : 12345678901234567890.10, "n": 1, "z":"\\u0000"}'""", str,
             '{"n" : 12345678901234567890.10, "n": 1, "z":"\\u0000"}'),
    "json great number": ("json", "'[12345678901234567890.10, 1e400]'", Json, [Decimal("12345678901234567890.10"), Decimal("1e400")]),
    "jsonb great number": ("jsonb", "'[12345678901234567890.10]'", Json, [Decimal("12345678901234567890.10")]),
    "json null": ("jsonb", "'null'", Json, None),
    "hstore": ("ext.hstore", "'a=>1, b=>NULL, \"c d\"=>\"NULL\"'", dict[str, str | None], {"a": "1", "b": None, "c d": "NULL"}),
    "bit": ("bit(5)", "B'10101'", str, "10101"),
    "varbit": ("varbit", "B''", str, ""),
    "inet": ("inet", "'10.0.0.1/8'", str, "10.0.0.1/8"),
    "inet of six": ("inet", "'::ffff:1.2.3.4'", str, "::ffff:1.2.3.4"),
    "cidr": ("cidr", "'10.0.0.0/8'", str, "10.0.0.0/8"),
    "macaddr": ("macaddr", "'08002B010203'", str, "08:00:2b:01:02:03"),
    "macaddr8": ("macaddr8", "'08002B0102030405'", str, "08:00:2b:01:02:03:04:05"),
    "pg_lsn": ("pg_lsn", "'16/B374D848'", str, "16/B374D848"),
    "int4range": ("int4range", "'(1,5]'", str, "[2,6)"),
    "numrange": ("numrange", "'[1.50,)'", str, "[1.50,)"),
    "daterange": ("daterange", "'[2026-01-31,infinity)'", str, "[2026-01-31,infinity)"),
    "tsrange": ("tsrange", "'[2026-01-31 00:00,)'", str, '["2026-01-31 00:00:00",)'),
    "tstzrange": ("tstzrange", "'[2026-01-31 00:00+05:30,)'", str, '["2026-01-30 18:30:00+00",)'),
    "range of our own": ("kinds.floats", "'[0.1,0.30000000000000004)'", str, "[0.1,0.30000000000000004)"),
    "range empty": ("int8range", "'empty'", str, "empty"),
    "multirange": ("nummultirange", "'{[1.5,2),[3,4]}'", str, "{[1.5,2),[3,4]}"),
    "array with null": ("int4[]", "'{1,null,3}'::text::int4[] || ARRAY[NULL::int4]", list[int | None], [1, None, 3, None]),
    "array of arrays": ("int4[]", "'{{1,2},{3,4}}'", list[Any], [[1, 2], [3, 4]]),
    "array with bounds": ("int4[]", "'[0:1]={7,8}'", list[int], [7, 8]),
    "array with bounds as text": ("int4[]", "'[0:1]={7,8}'", str, "[0:1]={7,8}"),
    "array empty": ("text[]", "'{}'", list[str], []),
    "array of text": ("text[]", """ARRAY['a,b', '"', '\\', 'NULL', '', NULL]""", list[str], ["a,b", '"', "\\", "NULL", "", None]),
    "array of char": ("char(3)[]", "'{a,bc}'", list[str], ["a", "bc"]),
    "array of numeric": ("numeric[]", "'{1.50,NaN}'", list[Decimal], ["1.50", "NaN"]),
    "array of bigint": ("int8[]", "'{9007199254740993}'", list[BigInt], ["9007199254740993"]),
    "array of float": ("float8[]", "'{0.1,NaN}'", list[float], [Decimal("0.1"), "NaN"]),
    "array of enum": ('kinds."Odd Mood"[]', """ARRAY['a,b',' ','','NULL',NULL]::kinds."Odd Mood"[]""", list[str], ["a,b", " ", "", "NULL", None]),
    "array of timestamptz": ("timestamptz[]", "ARRAY['2024-07-01 12:00+02'::timestamptz]", list[datetime], ["2024-07-01T10:00:00+00:00"]),
    "array of date": ("date[]", "ARRAY['infinity'::date,'2024-02-29']", list[date], ["infinity", "2024-02-29"]),
    "domain over array": ("kinds.grid", "'{{1,2},{3,NULL}}'::int[]", list[Any], [[1, 2], [3, None]]),
    "composite": ("kinds.pair", "ROW('NaN', '2024-07-01 12:00+02', 3, '{1,2}')::kinds.pair", dict[str, Any],
                  {"n": "NaN", "t": "2024-07-01T10:00:00+00:00", "d": Decimal("3.00"), "inner_": [1, 2]}),
    "array of composite": ("kinds.pair[]", "ARRAY[ROW(1.10, NULL, NULL, NULL)::kinds.pair]", list[Any],
                           [{"n": Decimal("1.10"), "t": None, "d": None, "inner_": None}]),
    "tsvector": ("tsvector", "'fox:3 quick:2A'", str, "'fox':3 'quick':2A"),
    "tsquery": ("tsquery", "'fat & !rat'", str, "'fat' & !'rat'"),
    "ltree": ("ext.ltree", "'Top.Science'", str, "Top.Science"),
    "point": ("point", "'(0.1,-1e300)'", str, "(0.1,-1e+300)"),
    "line": ("line", "'{1,-1,0}'", str, "{1,-1,0}"),
    "lseg": ("lseg", "'[(0,0),(1,1)]'", str, "[(0,0),(1,1)]"),
    "box": ("box", "'(1,1),(0,0)'", str, "(1,1),(0,0)"),
    "path": ("path", "'[(0,0),(1,1)]'", str, "[(0,0),(1,1)]"),
    "polygon": ("polygon", "'((0,0),(1,1),(1,0))'", str, "((0,0),(1,1),(1,0))"),
    "circle": ("circle", "'<(0,0),0.1>'", str, "<(0,0),0.1>"),
    "jsonpath": ("jsonpath", "'$.a'", str, '$."a"'),
    "regclass": ("regclass", "'pg_class'", str, "pg_class"),
}  # fmt: skip
DEBIAN_ONLY: dict[str, Case] = {"xml": ("xml", "'<a>1 &lt; 2</a><b/>'", str, "<a>1 &lt; 2</a><b/>")}
NEVER_FILTERED = {"json", "xml", "point", "box"}


@pytest.fixture(scope="module", params=["embedded", "debian"])
def api(request: pytest.FixtureRequest, clone: Callable[[str], str], server: Server) -> Iterator[tuple[Api, list[str]]]:
    """The API over one row that holds every case, and the names of the cases in the order of the columns."""
    cases = dict(CASES)
    if request.param == "embedded":
        url = clone("template1")
        as_api = server.url(url.rsplit("/", 1)[1], user="banyan_api")
    else:
        debian: DebianServer = request.getfixturevalue("debian_server")
        url, as_api = debian.url("value_types"), debian.url("value_types", "banyan_api", "of the tests")
        with psycopg.connect(debian.url(), autocommit=True) as connection:
            connection.execute("CREATE DATABASE value_types")
        cases |= DEBIAN_ONLY
    columns = ", ".join(f"c{n} {case[0]}" for n, case in enumerate(cases.values()))
    values = ", ".join(case[1] for case in cases.values())
    upgrade(url)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_KINDS.encode())
        connection.execute(f"CREATE TABLE kinds.value (id int PRIMARY KEY, {columns})".encode())
        connection.execute(f"INSERT INTO kinds.value VALUES (1, {values})".encode())
        module = python_types.ModuleType("value_types")
        vars(module)["Value"] = _resource(cases)
        snapshot = read_snapshot(connection, ["kinds"])
        contract = Contract(bind(module, snapshot, zone="America/New_York"), ())
        apply(connection, wanted(grants(contract.resources, []), [], snapshot))
        connection.execute("ALTER ROLE banyan_api PASSWORD 'of the tests'")
        connection.execute(_WORST.format(database=url.rsplit("/", 1)[1]).encode())
    reader = Consumer("acme", "Reads", frozenset(contract.scopes()))
    with serving(as_api, [reader], project=load_project(NORTHGATE), contract=contract) as served:
        yield served, list(cases)


def _resource(cases: dict[str, Case]) -> type[Resource]:
    annotations: dict[str, Any] = {"id": Annotated[int, Key("id")]}
    for n, (_, _, annotation, _) in enumerate(cases.values()):
        if annotation is LocalTime:
            annotations[f"c{n}"] = Annotated[datetime | None, LocalTime(f"c{n}")]
        elif isinstance(annotation, NoneWhen):
            annotations[f"c{n}"] = Annotated[date | None, Column(f"c{n}"), annotation]
        else:
            annotations[f"c{n}"] = Annotated[annotation | None, Column(f"c{n}")]
    keywords = {"table": "value", "schema": "kinds", "path": "values", "rows": Rows.all()}
    return python_types.new_class("Value", (Resource,), keywords, lambda body: body.update(__annotations__=annotations))


def test_every_value_is_read_exactly(api: tuple[Api, list[str]]) -> None:
    served, names = api
    answer = served.get("values/1")
    assert answer.status_code == 200, answer.text
    row = json.loads(answer.text, parse_float=Decimal)
    expected = {name: ({**CASES, **DEBIAN_ONLY})[name][3] for name in names}
    assert {name: row[f"c{n}"] for n, name in enumerate(names)} == expected


def test_negative_zero_keeps_its_sign(api: tuple[Api, list[str]]) -> None:
    """Decimal compares it equal to zero."""
    served, names = api
    assert f'"c{names.index("float8 negative zero")}":-0,' in served.get("values/1").text


def test_a_row_is_found_again_by_each_value_that_was_read(api: tuple[Api, list[str]]) -> None:
    served, names = api
    row = json.loads(served.get("values/1").text, parse_float=Decimal)
    fields = served.contract.resources.by_path["values"].fields
    filtered = []
    for n, name in enumerate(names):
        value = row[f"c{n}"]
        if "eq" not in fields[f"c{n}"].operators or value is None:
            continue
        text = str(value).lower() if isinstance(value, bool) else str(value)
        answer = served.client.get(
            "/api/v1/values", params={f"c{n}[eq]": text, "fields": "id"}, headers={"x-api-key": "acme"}
        )
        assert (answer.status_code, answer.text.count('"id":1')) == (200, 1), (name, text, answer.text)
        filtered.append(name)
    assert len(filtered) > 60


def test_what_cannot_be_ordered_is_not_offered_as_a_filter(api: tuple[Api, list[str]]) -> None:
    served, names = api
    fields = served.contract.resources.by_path["values"].fields
    assert [name for n, name in enumerate(names) if name in NEVER_FILTERED and "eq" in fields[f"c{n}"].operators] == []
