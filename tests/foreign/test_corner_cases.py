"""What Banyan answers to every case of corner_cases.sql: served right by the draft as `init` makes it, or refused.

The table below has one entry per case; names in it are the database's, so they hold however a draft names them.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from api_gateway.api.contract import Contract, load_contract
from api_gateway.consumers import Consumer
from api_gateway.draft.init import init_project
from api_gateway.postgres import Server
from api_gateway.project import load_project
from shared_models.resources import BoundResource
from tests.support.api import Api, prepare, serving
from tests.support.commands import Banyan
from tests.support.foreign import HERE, loads

pytestmark = pytest.mark.xdist_group("corner_cases")

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Rows:
    """All rows of a table, as the API lists them, by column; only the columns named here are compared."""

    table: str
    rows: list[Row]


@dataclass(frozen=True, slots=True)
class Get:
    """One row by its key, as a path."""

    table: str
    key: tuple[object, ...]
    row: Row


@dataclass(frozen=True, slots=True)
class Parent:
    """The one parent in `table` of the first row of `of` that matches `row`; None: an orphan."""

    of: str
    row: Row
    table: str
    parent: Row | None


@dataclass(frozen=True, slots=True)
class Points:
    """The relations to parents: pairs of columns, each with the parent's table."""

    table: str
    to: set[tuple[str, tuple[tuple[str, str], ...]]]


@dataclass(frozen=True, slots=True)
class Finds:
    """Rows that a filter finds, by column, operator and text."""

    table: str
    column: str
    operator: str
    text: str
    count: int


@dataclass(frozen=True, slots=True)
class ListOnly:
    """No key that could be trusted: a list whose pages lose no row, and no path for one row."""

    table: str


@dataclass(frozen=True, slots=True)
class Apart:
    """Names that are distinct in the API, and the same at the next draft."""

    tables: tuple[str, ...]
    columns_of: str | None = None


@dataclass(frozen=True, slots=True)
class Hidden:
    """What the draft does not show."""

    table: str
    column: str | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """What `check` says when the contract is edited so: a text of it, replaced by another."""

    old: str
    new: str
    message: str


Claim = Rows | Get | Parent | Points | Finds | ListOnly | Apart | Hidden | Refused
BIG = "123456789012345678901234567890123456789012345678901234567890"
LONG = "xxxxxxxxx_xxxxxxxxx_xxxxxxxxx_xxxxxxxxx_xxxxxxxxx_xxxxxxxxx_123"
A_VISIT = (("branch", "branch"), ("on_day", "on_day"), ("nr", "nr"))
TABLE01 = 'c16."table01"'

HOLDS: dict[str, list[Claim]] = {
    "c01": [
        Points("c01.bill", {("c01.visit", A_VISIT)}),
        Parent("c01.bill", {"id": 1}, "c01.visit", {"branch": "B", "nr": 1, "label": "B/1"}),
        Rows("c01.visit", [{"branch": "A", "label": "A/1"}, {"branch": "B", "label": "B/1"}]),
        Hidden("c01.visit_a"),
    ],
    "c02": [
        Parent("c02.booking", {"id": 7}, "c02.slot", {"name": "right"}),
        Parent("c02.v_booking", {"id": 7}, "c02.slot", {"name": "right"}),
    ],
    "c03": [Points(f"c03.{name}", {("c03.writer", (("writer_id", "id"),))}) for name in ("book", "books", "works")],
    "c04": [
        Apart(("c04.items", "c04_shop.items", "c04.sales")),
        Points("c04_shop.items", {("c04.items", (("item_id", "id"),))}),
    ],
    "c05": [
        Parent("c05.b", {"nr": 1}, "c05.a", {"nr": 1, "flag": True}),
        Parent("c05.vb", {"nr": 1}, "c05.a", {"nr": 1, "flag": True}),
    ],
    "c06": [
        Points("c06.child", {("c06.parent", (("b1", "a1"),)), ("c06.parent", (("b1", "a1"), ("b2", "a2")))}),
        Points("c06.vchild", {("c06.parent", (("b1", "a1"),))}),
    ],
    "c07": [Points("c07.v", {("c07.dept", (("dept", "id"),)), ("c07.dept", (("unit", "id"),))})],
    "c08": [
        Get("c08.code", ("ab",), {"c": "ab", "b": "10101", "vb": "101", "one": "x", "v": ["abc", "d"]}),
        Finds("c08.code", "c", "eq", "ab", 1),
        Finds("c08.code", "b", "eq", "10101", 1),
        Finds("c08.code", "b", "eq", "1", 0),
    ],
    "c09": [Rows("c09.v", [{"id": 1, "qty": 2, "price": "1.10", "total": "2.20"}])],
    "c10": [ListOnly("c10.v"), Rows("c10.v", [{"body": 'two\nlines\r\nand "quotes"'}])],
    "c11": [
        Finds("c11.job", "state", "eq", "new", 0),
        Finds("c11.door", "state", "in", "open,shut", 0),
        Refused("    state: ", "    state: Literal['new', 'done']  # ", "c11.state has the labels open, shut"),
    ],
    "c12": [Rows("c12.t", [{"id": "1", "alt": 1, "body": "the quick fox"}]), Hidden("c12.t", "fts")],
    "c13": [
        Get("c13.t", ("00000000-0000-0000-0000-000000000001",), {"base_impact": "n/a", "all_impacts": ["A", "n/a"]}),
        Finds("c13.t", "base_impact", "eq", "n/a", 1),
    ],
    "c14": [Get("c14.t", (1,), {"a": "de-CH", "b": "en"}), Finds("c14.t", "a", "eq", "de-CH", 1)],
    "c15": [Get("c15.person", ("x",), {"metadata": {"a": 1}, "model_config": None, "copy": None, "json": None})],
    "c16": [
        Get(TABLE01, (2,), {"ID": "2", "ParentID": "1"}),
        Points(TABLE01, {('c16."Location"', (("ID", "ID"),)), (TABLE01, (("ParentID", "ID"),))}),
    ],
    "c17": [Get("c17.t", (1,), {"a": [1, 2], "g": [[1, 2], [3, 4]], "d": None})],
    "c18": [
        Get("c18.t", (1,), {"one": " ", "many": ["Another Test", " ", "", "a,b", "NULL", None]}),
        Finds("c18.t", "one", "eq", " ", 1),
        Finds("c18.t", "one", "eq", "a,b", 0),
    ],
    "c19": [
        Get(
            '"c19.Some Schema"."Order.Details"',
            (1,),
            {"Order ID": 1, "Unit-Price": 2, "100%": "3", 'a"b': "q", "ключ": "ж"},
        ),
        Finds('"c19.Some Schema"."Order.Details"', "Unit-Price", "gte", "2", 1),
    ],
    "c20": [Finds("c20.t", "a", "eq", "bar", 0), Finds("c20.t", "b", "eq", "x", 0)],
    "c21": [
        Get("c21.t", (1,), {"d": "infinity", "ts": "-infinity", "tz": "infinity", "iv": "P1M-1DT2H3M4.5S"}),
        Get("c21.t", (1,), {"tm": "24:00:00", "tmz": "24:00:00+02"}),
        Get("c21.t", (2,), {"d": "0001-10-10 BC", "ts": "4713-01-01T00:00:00 BC", "iv": "P178000000Y"}),
        Get("c21.t", (2,), {"tz": "15000-12-31T23:40:28+00:00", "tm": "00:00:00", "tmz": "00:00:00-15:59"}),
        Get("c21.t", (3,), {"d": "48113-11-21", "ts": "294276-12-31T23:59:59.999999", "iv": "PT-0.000001S"}),
        Get("c21.t", (3,), {"tz": "0001-01-01T00:00:00+00:00 BC", "tmz": "12:34:56.789012+05:30"}),
        Finds("c21.t", "d", "eq", "0001-10-10 BC", 1),
        Finds("c21.t", "d", "gt", "48113-11-20", 2),
        Finds("c21.t", "tz", "eq", "15000-12-31T23:40:28+00:00", 1),
        Finds("c21.t", "tz", "lt", "1900-01-01T00:00:00Z", 1),
    ],
    "c22": [
        Parent("c22.node", {"id": 2}, "c22.node", {"id": 1, "tenant": 1}),
        Parent("c22.node", {"id": 1}, "c22.node", None),
    ],
    "c23": [
        Get('c23."user"', (1,), {"_private": None, "__dunder__": None}),
        Get(
            'c23."user"', (1,), {"class": "k", "from": None, "None": None, "True": None, "2nd": None, "_private": None}
        ),
        Points('c23."order"', {('c23."user"', (("user", "id"),))}),
    ],
    "c24": [
        Apart(tuple(f"c24.{name}" for name in ("claim", "claims", "claim_conditions", "node", "nodes")), "c24.node"),
        Finds("c24.node", "nodes", "eq", "1", 0),
    ],
    "c25": [
        Apart(('c25."lead-item"', "c25.lead_item", 'c25."Lead Item"', 'c25."LeadItem"'), "c25.lead_item"),
        Get("c25.lead_item", (1,), {"Unit Price": 2, "unit_price": 3, "UnitPrice": 4, "unit-price": 5, "unitprice": 6}),
    ],
    "c26": [
        Get("c26.t", (1,), {"f": {"id": 1, "path": 'a,"b'}, "vf": {"id": 2, "path": None}, "bs": None}),
        Get("c26.t", (1,), {"fs": [{"id": 3, "path": "c"}], "b": {"name": "n", "files": [{"id": 4, "path": "d"}]}}),
    ],
    "c27": [Get("c27.t", ("x/y?z=1&w", 1, 2), {"v": "slash and question mark in a key"})],
    "c28": [
        Rows("c28.link", [{"a": 1, "b": 1}, {"a": 1, "b": 1}, {"a": None, "b": 1}]),
        ListOnly("c28.link"),
        ListOnly("c28.nullable"),
        ListOnly("c28.expr"),
        ListOnly("c28.nonpk"),
    ],
    "c29": [
        Get("c29.t", (9007199254740993,), {"n": "NaN", "n2": "1.10", "nn": "12300", "f8": "Infinity", "big": BIG}),
        Get("c29.t", (9007199254740993,), {"f4": Decimal("0.1"), "m": "-1234.56", "o": 4294967295}),
        Get("c29.t", (-(2**63),), {"n": "Infinity", "f8": "NaN", "m": "0.00", "nn": None}),
        Finds("c29.t", "n", "eq", "NaN", 1),
        Finds("c29.t", "m", "lt", "-1234.55", 1),
        Finds("c29.t", "id", "gt", "9007199254740992", 1),
    ],
    "c30": [
        Rows("c30.pay", [{"id": 1, "amount": "1.50"}, {"id": 2, "amount": "2.50"}]),
        Rows("c30.pay_2026", [{"id": 1, "note": None}]),
        Parent("c30.inv", {"id": 1}, "c30.cust", None),
    ],
    "c31": [
        Get("c31.doc", (2,), {"status": "private", "active": "N", "posted": "", "prio": None}),
        Get("c31.doc", (3,), {"posted": "?", "prio": 2}),
        Rows("c31.late", [{"id": 1, "a": None}]),
    ],
    "c32": [
        Rows("c32.t", [{"during": '["2026-01-01 00:00:00",infinity)', LONG: 1}, {"during": "empty", LONG: 2}]),
        Finds("c32.t", LONG, "eq", "2", 1),
    ],
}


@dataclass(frozen=True, slots=True)
class Served:
    """The drafted API over the corner cases, asked in the database's names."""

    api: Api
    contract: Contract
    folder: Path

    def resource(self, table: str) -> BoundResource:
        found = self.find(table)
        assert found is not None, f"{table} is not served"
        return found

    def find(self, table: str) -> BoundResource | None:
        return next((r for r in self.contract.resources if _name(r) == _bare(table)), None)

    def field(self, table: str, column: str) -> str:
        return next(f.name for f in self.resource(table).fields.values() if f.column.name == column)

    def by_column(self, table: str, document: Row) -> Row:
        names = {f.name: f.column.name for f in self.resource(table).fields.values()}
        return {names[name]: value for name, value in document.items() if name in names}

    def ask(self, path: str, **query: str) -> Any:
        answer = self.api.client.get(f"/api/v1/{path}", params=query, headers={"x-api-key": "reader"})
        assert answer.status_code == 200, answer.text
        return json.loads(answer.text, parse_float=Decimal)

    def all(self, table: str) -> list[Row]:
        """By pages of one row: none is lost and none comes twice."""
        path = self.resource(table).path
        return [self.by_column(table, row) for row in self.api.all(f"{path}?limit=1", "reader")]


def _name(resource: BoundResource) -> tuple[str, str]:
    return resource.table.schema, resource.table.name


def _bare(table: str) -> tuple[str, str]:
    parts = re.fullmatch(r'("[^"]+"|\w+)\.("[^"]+"|\w+)', table)
    assert parts, table
    return parts[1].strip('"'), parts[2].strip('"')


@pytest.fixture(scope="module")
def served(clone: Callable[[str], str], server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    url = clone("template1")
    loads()["corner_cases"](url)
    folder = tmp_path_factory.mktemp("corner") / "corner_api"
    init_project(folder, url)
    project = load_project(folder)
    contract = load_contract(project)
    prepare(url, project, contract)
    reader = Consumer("reader", "Reads everything", frozenset(contract.scopes()), {})
    as_api = server.url(url.rsplit("/", 1)[1], user="banyan_api")
    with serving(as_api, [reader], project=project, contract=contract) as api:
        yield Served(api, contract, folder)


def test_the_table_has_every_case() -> None:
    text = (HERE / "corner_cases.sql").read_text("utf-8")
    assert sorted(HOLDS) == sorted(set(re.findall(r"^-- (c\d\d) ", text, re.MULTILINE)))


CLAIMS = [(case, number, claim) for case, claims in HOLDS.items() for number, claim in enumerate(claims)]


@pytest.mark.parametrize(("case", "claim"), [pytest.param(c, what, id=f"{c}-{n}") for c, n, what in CLAIMS])
def test_what_banyan_answers(served: Served, case: str, claim: Claim) -> None:
    match claim:
        case Rows(table, rows):
            assert [{name: row[name] for name in rows[0]} for row in served.all(table)] == rows
        case Get(table, key, row):
            path = ",".join(quote(str(part), safe="") for part in key)
            answer = served.by_column(table, served.ask(f"{served.resource(table).path}/{path}"))
            assert {name: answer.get(name, "is not there") for name in row} == row
        case Parent():
            _check_parent(served, claim)
        case Points(table, to):
            links = served.resource(table).links.values()
            parents = [
                (link.pairs, served.contract.resources.of(link.target)) for link in links if link.kind == "parent"
            ]
            assert {(_name(parent), pairs) for pairs, parent in parents} == {(_bare(name), pairs) for name, pairs in to}
        case Finds(table, column, operator, text, count):
            query = {f"{served.field(table, column)}[{operator}]": text}
            assert len(served.ask(str(served.resource(table).path), **query)["data"]) == count
        case ListOnly(table):
            resource = served.resource(table)
            assert "get" not in resource.verbs
            assert len(served.all(table)) == len(served.ask(str(resource.path))["data"])
            answer = served.api.get(f"{resource.path}/1", "reader")
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        case Apart(tables, columns_of):
            assert len({served.resource(table).path for table in tables}) == len(tables)
            if columns_of is not None:
                resource = served.resource(columns_of)
                assert {f.column.name for f in resource.fields.values()} == {c.name for c in resource.table.columns}
        case Hidden(table, column):
            resource = served.find(table)
            shown = () if resource is None else tuple(f.column.name for f in resource.fields.values())
            assert column not in shown if column is not None else resource is None
        case Refused():
            _check_refused(served, claim)


def _check_parent(served: Served, claim: Parent) -> None:
    links = served.resource(claim.of).links.items()
    resources = served.contract.resources
    name = next(n for n, link in links if _name(resources.of(link.target)) == _bare(claim.table))
    rows = served.ask(str(served.resource(claim.of).path), include=name)["data"]
    row = next(r for r in rows if served.by_column(claim.of, r).items() >= claim.row.items())
    if claim.parent is None:
        assert row[name] is None
    else:
        assert served.by_column(claim.table, row[name]).items() >= claim.parent.items()


def _check_refused(served: Served, claim: Refused) -> None:
    folder = served.folder.with_name("refused_api")
    shutil.copytree(served.folder, folder, ignore=shutil.ignore_patterns("__pycache__"))
    try:
        text = (folder / "contract.py").read_text("utf-8")
        assert claim.old in text
        (folder / "contract.py").write_text(text.replace(claim.old, claim.new, 1), "utf-8")
        answer = Banyan(folder.parent, {})("check", "--project", str(folder))
        assert answer.code in (1, 2)
        assert claim.message in answer.out + answer.err
    finally:
        shutil.rmtree(folder)
