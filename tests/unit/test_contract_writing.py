"""What a contract lets a request write: bound, granted column by column, or refused in one line each."""

from __future__ import annotations

from datetime import date
from types import ModuleType
from typing import Annotated

import pytest
from pydantic import Field

from shared_models.binding import bind
from shared_models.contract import Children, Column, Key, Now, Resource, Rows, SoftDelete, principal
from shared_models.granting import wanted
from shared_models.grants import grants
from shared_models.resources import ContractError
from shared_models.snapshot import Column as Stored
from shared_models.snapshot import ColumnType, Rule, Snapshot, Table, Unique

INT = ColumnType("integer", "int4")
TEXT = ColumnType("text", "text")
STAMP = ColumnType("timestamp without time zone", "timestamp")
PAIR = ColumnType("public.pair", "pair", "public", "composite")

ORDERS = Table(
    "public",
    "ord",
    columns=(
        Stored("id", INT, False, default="nextval('ord_id_seq'::regclass)"),
        Stored("owner", TEXT, False),
        Stored("ref", TEXT, False),
        Stored("note", TEXT),
        Stored("twice", INT, generated="stored", expression="id * 2"),
        Stored("pair", PAIR),
        Stored("gone", TEXT, False, default="'N'::text"),
        Stored("at", STAMP, False),
    ),
    primary_key=("id",),
    uniques=(Unique("ord_ref", ("owner", "ref")),),
)
LINES = Table("public", "line", columns=(Stored("ord", INT, False), Stored("n", INT, False)), primary_key=("ord", "n"))
SNAPSHOT = Snapshot(("public",), (LINES, ORDERS))

OURS = Rows.where(owner=principal.code)


class Line(Resource, table="line"):
    number: Annotated[int, Key("n", write="create")]


class Order(
    Resource,
    table="ord",
    path="orders",
    rows=OURS,
    verbs=("list", "get", "create", "update", "upsert", "delete"),
    natural_key="reference",
    on_create={"at": Now("Europe/Berlin")},
    soft_delete=SoftDelete("gone"),
):
    id: Annotated[int, Key("id")]
    reference: Annotated[str, Column("ref", write="create")]
    note: Annotated[str | None, Column("note", write=True)]
    lines: Annotated[list[Line], Children(on="ord", writable=True, numbered="number")] = Field(default_factory=list)


class ReadOnly(Resource, table="ord", path="read-only", rows=OURS):
    id: Annotated[int, Key("id")]
    note: Annotated[str | None, Column("note", write=True)]


def module_of(*classes: type[Resource]) -> ModuleType:
    module = ModuleType("contract")
    vars(module).update({cls.__name__: cls for cls in classes})
    return module


def granted(*classes: type[Resource]) -> set[tuple[str, str, str]]:
    found = grants(bind(module_of(*classes), SNAPSHOT), [])
    return {(g.privilege_type, g.table_name, g.column_name) for g in found if g.privilege_type != "SELECT"}


def test_exactly_what_may_be_written_is_granted() -> None:
    inserts = {("INSERT", "ord", column) for column in ("owner", "ref", "note", "at")}
    inserts |= {("INSERT", "line", "ord"), ("INSERT", "line", "n")}
    assert granted(Order) == inserts | {("UPDATE", "ord", "note"), ("UPDATE", "ord", "gone")}


def test_a_field_that_may_be_written_is_not_granted_without_a_verb_that_writes() -> None:
    assert granted(ReadOnly) == set()


def test_a_sequence_behind_a_default_is_granted_and_delete_only_where_rows_are_really_deleted() -> None:
    resources = bind(module_of(Order), SNAPSHOT)
    target = wanted(grants(resources, []), [], SNAPSHOT, resources)
    assert target.sequences == ("ord_id_seq",)
    assert target.deletes == ()

    class Hard(Resource, table="ord", path="hard", rows=OURS, verbs=("get", "delete")):
        id: Annotated[int, Key("id")]

    resources = bind(module_of(Hard), SNAPSHOT)
    assert wanted(grants(resources, []), [], SNAPSHOT, resources).deletes == (("public", "ord"),)


def faults(cls: type[Resource]) -> str:
    with pytest.raises(ContractError) as caught:
        bind(module_of(cls), SNAPSHOT)
    return str(caught.value)


def test_a_new_row_without_a_value_for_a_column_that_needs_one_is_refused() -> None:
    class Bare(Resource, table="ord", path="bare", rows=OURS, verbs=("create",)):
        id: Annotated[int, Key("id")]

    found = faults(Bare)
    assert "(public.ord.ref): a new row needs this column" in found
    assert "(public.ord.at): a new row needs this column" in found
    assert "owner" not in found  # filled in from the principal
    assert "gone" not in found  # has a default


@pytest.mark.parametrize(
    ("fields", "keywords", "message"),
    [
        ({"twice": Annotated[int | None, Column("twice", write=True)]}, {}, "makes this column's value itself"),
        ({"pair": Annotated[dict | None, Column("pair", write=True)]}, {}, "public.pair can be read only"),
        ({}, {"on_create": {"note": Now()}}, "Now() is for a timestamp or a date, not for text"),
        ({}, {"on_write": {"nothing": "x"}}, "there is no such column"),
        ({}, {"on_write": {"at": Now("Moon")}}, "there is no time zone 'Moon'"),
        ({}, {"natural_key": "nothing"}, "there is no field 'nothing'"),
        ({}, {"max_rows": 0}, "max_rows must be from 1 to 1000"),
        ({}, {"verbs": ("get", "update")}, "update: no field says write=True"),
        ({}, {"verbs": ("get", "upsert")}, 'the caller chooses the key: write="create"'),
        (
            {"note": Annotated[str | None, Column("note", write="create")]},
            {"verbs": ("upsert",), "natural_key": "note", "on_create": {"at": date(2020, 1, 1), "ref": "x"}},
            "nothing in the database makes this key unique",
        ),
        ({"id": Annotated[int, Key("id", write=True)]}, {"verbs": ("update",)}, "a key names its row"),
        (
            {"note": Annotated[str | None, Column("note", write=True)]},
            {"verbs": ("update",), "on_write": {"note": "x"}},
            "fills this column already",
        ),
    ],
)
def test_what_the_table_does_not_allow_is_refused(
    fields: dict[str, object], keywords: dict[str, object], message: str
) -> None:
    annotations = {"id": Annotated[int, Key("id")], **fields}
    options = {"table": "ord", "path": "orders", "rows": OURS, **keywords}
    assert message in faults(
        type("Order", (Resource,), {"__annotations__": annotations, "__module__": __name__}, **options)
    )


RULES = {
    "whole": ("DO INSTEAD INSERT INTO public.other (id) VALUES (new.id) RETURNING other.id", True),
    "also": ("DO INSERT INTO public.log (id) VALUES (new.id)", False),
    "nothing": ("DO INSTEAD NOTHING", False),
    "several": ("DO INSTEAD ( INSERT INTO a VALUES (1); INSERT INTO b VALUES (1) RETURNING 1; )", False),
    "silent": ("DO INSTEAD INSERT INTO public.other (id) VALUES (new.id)", False),
    "sometimes": ("WHERE (new.id > 1) DO INSTEAD INSERT INTO public.other (id) VALUES (new.id) RETURNING 1", False),
}


@pytest.mark.parametrize("name", RULES)
def test_a_rule_that_postgresql_does_not_follow_inside_of_our_statement_is_refused(name: str) -> None:
    action, is_served = RULES[name]
    rule = Rule("r", "insert", "INSTEAD" in action, f"CREATE RULE r AS\n    ON INSERT TO public.thing\n   {action};")
    table = Table("public", "thing", columns=(Stored("id", INT, False),), primary_key=("id",), rules=(rule,))

    class Thing(Resource, table="thing", path="things", rows=Rows.all(), verbs=("list", "get", "create", "delete")):
        id: Annotated[int, Key("id", write="create")]

    module = ModuleType("ruled")
    vars(module)["Thing"] = Thing
    if is_served:
        bind(module, Snapshot(("public",), (table,)))
        return
    with pytest.raises(ContractError, match="create: the rule 'r' stands before") as caught:
        bind(module, Snapshot(("public",), (table,)))
    assert "delete" not in str(caught.value)


def test_a_row_of_nothing_but_defaults_needs_the_privilege_on_one_column() -> None:
    table = Table("public", "ticket", columns=(Stored("id", INT, False, identity="always"),), primary_key=("id",))

    class Ticket(Resource, table="ticket", path="tickets", rows=Rows.all(), verbs=("list", "get", "create")):
        id: Annotated[int, Key("id")]

    module = ModuleType("tickets")
    vars(module)["Ticket"] = Ticket
    found = grants(bind(module, Snapshot(("public",), (table,))), [])
    assert [one.column_name for one in found if one.privilege_type == "INSERT"] == ["id"]
