"""Binding a contract to a snapshot: what fits, and one clear line for everything that does not."""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

from shared_models.binding import bind, bind_what_fits
from shared_models.resources import ContractError
from shared_models.snapshot import Column, ColumnType, Snapshot, Table

INT = ColumnType("integer", "int4")
TEXT = ColumnType("text", "text")
CODE = ColumnType("character(2)", "bpchar", length=2)
STAMP = ColumnType("timestamp without time zone", "timestamp")
MONEY = ColumnType("numeric(12,2)", "numeric", precision=12, scale=2)

SNAPSHOT = Snapshot(
    ("public",),
    (
        Table(
            "public",
            "child",
            columns=(Column("id", INT, False), Column("parent_id", INT), Column("word", TEXT)),
            primary_key=("id",),
        ),
        Table("public", "log", columns=(Column("at", STAMP), Column("text", TEXT))),
        Table(
            "public",
            "parent",
            columns=(
                Column("id", INT, False),
                Column("name", TEXT, False),
                Column("note", TEXT),
                Column("code", CODE, False),
                Column("at", STAMP, False),
                Column("total", MONEY, False),
            ),
            primary_key=("id",),
        ),
    ),
)
HEAD = """
from __future__ import annotations
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal
from pydantic import Field
from shared_models.contract import *

"""


@pytest.fixture
def contract(tmp_path: Path) -> Callable[[str], ModuleType]:
    def write(source: str) -> ModuleType:
        path = tmp_path / "contract.py"
        path.write_text(HEAD.lstrip() + textwrap.dedent(source))
        spec = spec_from_file_location("contract_under_test", path)
        assert spec is not None
        assert spec.loader is not None
        module = module_from_spec(spec)
        sys.modules["contract_under_test"] = module
        spec.loader.exec_module(module)
        return module

    return write


Contract = Callable[[str], ModuleType]


def test_a_contract_that_fits_binds_every_name(contract: Contract) -> None:
    resources = bind(
        contract("""
        class Parent_(Resource, table="parent", path="parents", rows=Rows.all(), sort="-name"):
            number: Annotated[int, Key("id")]
            name: str
            copy_: Annotated[str | None, Column("note"), Field(alias="copy")]
            kind: Annotated[Literal["new", "old"], Codes("code", {"N": "new", "O": "old"})]
            at: Annotated[datetime, LocalTime("at", zone="Europe/Berlin")]
            total: Decimal
            children: Annotated[list[Child], Children(on="parent_id")] = []

        class Child(Resource, table="child"):
            id: Annotated[int, Key("id")]
            parent: Annotated[Parent_ | None, Parent("parent_id")] = None
        """),
        SNAPSHOT,
    )
    parent = resources.by_path["parents"]
    assert list(parent.fields) == ["number", "name", "copy", "kind", "at", "total"]
    assert parent.links["children"].pairs == (("id", "parent_id"),)
    assert parent.scope == "parents:read"
    assert resources.columns()["public", "child"] == {"id", "parent_id"}
    assert resources.columns()["public", "parent"] == {"id", "name", "note", "code", "at", "total"}


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ('x: Annotated[str, Column("nope")]', "there is no such column"),
        ('x: Annotated[int, Column("name")]', "text cannot be int; write str"),
        ('x: Annotated[str, Column("note")]', "the column may be NULL: write `… | None`"),
        ('x: Annotated[datetime, Column("at")]', "write datetime with LocalTime"),
        ('x: Annotated[datetime, LocalTime("at", zone="Mars/Base")]', "there is no time zone 'Mars/Base'"),
        ('x: Annotated[datetime, LocalTime("name")]', "LocalTime is for timestamp without time zone, not for text"),
        ('x: Annotated[Literal["a"], Codes("code", {"LONG": "a"})]', "'LONG' is longer than character(2)"),
        ('x: Annotated[Literal["a"], Codes("id", {"one": "a"})]', "'one' is no value of integer"),
        ('x: Annotated[Literal["a"], Codes("id", {1: "b"})]', "'b' is no"),
        ('x: Annotated[date, Column("name"), NoneWhen("")]', "text cannot be date"),
        ('x: Annotated[str, Column("name"), NoneWhen("")]', "NoneWhen gives null: write `… | None`"),
        ('x: Annotated[int, Column("total")]', "write Decimal (a string in JSON) or float (a number)"),
        ('x: Annotated[bytes, Column("name")]', "text cannot be bytes; write str"),
        ('x: Annotated[str, Column("name"), Field(alias="a b")]', "the name 'a b' must be letters"),
        ('x: Annotated[str, Column("name"), Field(alias="number")]', "two fields are named 'number'"),
        ('x: Annotated[Child | None, Parent("nope")] = None', "there is no column 'nope' in public.parent"),
        ('x: Annotated[Child | None, Parent("name")] = None', "cannot be compared"),
        ('x: Annotated[Child, Parent("id")]', "write `… | None`"),
        ('x: Annotated[list[Child], Children(on="parent_id")]', "give the field a default"),
        ('x: Annotated[list[Child], Parent("id")] = []', "Parent is for one resource, Children for a list of them"),
        ('x: Annotated[list[Child], Children(on=("id", "word"))] = []', "cannot equal"),
        ("x: Child | None = None", "a Parent or Children marker and a resource belong together"),
    ],
)
def test_a_field_that_does_not_fit_is_named_with_file_line_table_and_column(
    contract: Contract, field: str, message: str
) -> None:
    module = contract(f"""
    class Child(Resource, table="child"):
        id: Annotated[int, Key("id")]

    class Shown(Resource, table="parent", path="parents", rows=Rows.all()):
        number: Annotated[int, Key("id")]
        {field}
    """)
    with pytest.raises(ContractError) as error:
        bind(module, SNAPSHOT)
    (finding,) = error.value.findings
    assert message in finding.message
    assert re.match(r"contract\.py:15: Shown \(public\.parent", str(finding))


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ('table="nope", path="p", rows=Rows.all()', "there is no such table or view"),
        ('table="parent", path="p"', "say whose rows these are"),
        ('table="parent", path="Not A Path", rows=Rows.all()', "must be lower-case letters"),
        ('table="parent", path="p", rows=Rows.where(nope=1)', "Rows.where(nope=…): there is no such column"),
        ('table="parent", path="p", rows=Rows.where(id="x")', "'x' is no value of integer"),
        ('table="parent", path="p", rows=Rows.through("mother")', "there is no such parent"),
        ('table="parent", path="p", rows=Rows.all(), sort="-nope"', "no field that can be sorted by"),
        ('table="parent", path="p", rows=Rows.all(), soft_delete=SoftDelete("nope")', "there is no such column"),
        ('table="parent", path="p", rows=Rows.all(), soft_delete=SoftDelete("id", "Y")', "'Y' is no value of integer"),
    ],
)
def test_a_resource_that_does_not_fit_is_named(contract: Contract, keywords: str, message: str) -> None:
    module = contract(f"""
    class Shown(Resource, {keywords}):
        number: Annotated[int, Key("id")]
    """)
    with pytest.raises(ContractError) as error:
        bind(module, SNAPSHOT)
    assert any(message in finding.message for finding in error.value.findings)
    assert all(finding.line for finding in error.value.findings)


def test_all_faults_are_reported_at_once(contract: Contract) -> None:
    module = contract("""
    class One(Resource, table="parent", path="p"):
        number: Annotated[int, Key("id")]
        a: Annotated[str, Column("nope")]
        b: Annotated[int, Column("name")]

    class Two(Resource, table="nope", path="p", rows=Rows.all()):
        number: Annotated[int, Key("id")]
    """)
    with pytest.raises(ContractError) as error:
        bind(module, SNAPSHOT)
    assert len(error.value.findings) == 4


def test_rules_that_lead_back_to_themselves_are_refused(contract: Contract) -> None:
    module = contract("""
    class One(Resource, table="parent", path="ones", rows=Rows.through("two")):
        number: Annotated[int, Key("id")]
        two: Annotated[Two | None, Parent("id")] = None

    class Two(Resource, table="child", path="twos", rows=Rows.through("one")):
        number: Annotated[int, Key("id")]
        one: Annotated[One | None, Parent("parent_id")] = None
    """)
    with pytest.raises(ContractError, match="leads back"):
        bind(module, SNAPSHOT)


def test_what_does_not_fit_is_out_of_service_and_what_leads_to_it_loses_the_link(contract: Contract) -> None:
    module = contract("""
    class Broken(Resource, table="child", path="broken", rows=Rows.all()):
        id: Annotated[int, Key("id")]
        gone: Annotated[str, Column("gone")]

    class Leading(Resource, table="parent", path="leading", rows=Rows.all()):
        number: Annotated[int, Key("id")]
        broken: Annotated[list[Broken], Children(on="parent_id")] = []

    class Fine(Resource, table="log", path="fine", rows=Rows.all()):
        text: Annotated[str | None, Column("text")]
    """)
    resources = bind_what_fits(module, SNAPSHOT)
    assert set(resources.by_path) == {"fine", "leading"}
    assert set(resources.unavailable) == {"broken"}
    leading = resources.by_path["leading"]
    assert not leading.links
    assert leading.lost["broken"].findings == resources.unavailable["broken"]


def test_a_resource_whose_rows_a_broken_parent_decides_about_is_out_with_it(contract: Contract) -> None:
    module = contract("""
    class Broken(Resource, table="parent", path="broken", rows=Rows.all()):
        id: Annotated[int, Key("id")]
        gone: Annotated[str, Column("gone")]

    class Led(Resource, table="child", path="led", rows=Rows.through("parent")):
        id: Annotated[int, Key("id")]
        parent: Annotated[Broken | None, Parent("parent_id")] = None
    """)
    resources = bind_what_fits(module, SNAPSHOT)
    assert not resources.bound
    assert resources.unavailable["led"] == resources.unavailable["broken"]


def test_a_resource_without_a_key_can_be_listed_only(contract: Contract) -> None:
    module = contract("""
    class Entry(Resource, table="log", path="log", rows=Rows.all()):
        at: Annotated[datetime | None, LocalTime("at")]
        text: Annotated[str | None, Column("text")]
    """)
    entry = bind(module, SNAPSHOT, zone="Europe/Berlin").by_path["log"]
    assert entry.verbs == ("list",)
    assert [sort.field for sort in entry.order] == ["at", "text"]


@pytest.mark.parametrize("stored", ["note", "nope"])
def test_words_are_searched_in_no_column_but_one_of_them(contract: Contract, stored: str) -> None:
    source = f"""
        class Words(Resource, table="parent", path="words", rows=Rows.all(), search=Search("name", stored="{stored}")):
            id: Annotated[int, Key("id")]
            name: Annotated[str, Column("name")]
        """
    with pytest.raises(ContractError, match="no column of type tsvector"):
        bind(contract(source), SNAPSHOT)
