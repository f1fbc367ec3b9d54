"""Which change of a schema breaks somebody, and which is only worth knowing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared_models.drift import Drift, compare
from shared_models.snapshot import (
    Check,
    Column,
    ColumnType,
    Enum,
    ForeignKey,
    Index,
    Snapshot,
    Table,
    Trigger,
    Unique,
)

_INT, _TEXT = ColumnType("integer", "int4"), ColumnType("text", "text")
_TABLE = Table(
    "s",
    "t",
    columns=(
        Column("id", _INT, nullable=False),
        Column("name", ColumnType("character varying(20)", "varchar", length=20), nullable=False),
        Column("note", _TEXT),
    ),
    primary_key=("id",),
    uniques=(Unique("t_name", ("name",)),),
    foreign_keys=(ForeignKey("t_fk", ("id",), "s", "other", ("id",)),),
    indexes=(Index("t_note", ("note",)),),
)


def _of(*tables: Table, enums: tuple[Enum, ...] = ()) -> Snapshot:
    return Snapshot(("s",), tables, enums)


def _changed(column: str, **changes: object) -> Table:
    return replace(
        _TABLE,
        columns=tuple(replace(c, **changes) if c.name == column else c for c in _TABLE.columns),
    )


def _found(after: Table) -> list[tuple[str, str | None]]:
    return [(drift.kind, drift.column) for drift in compare(_of(_TABLE), _of(after))]


def test_equal_schemas_do_not_drift() -> None:
    assert compare(_of(_TABLE), _of(replace(_TABLE, row_estimate=7))) == []


@pytest.mark.parametrize(
    ("column", "changes", "kind"),
    [
        ("name", {"type": ColumnType("character varying(40)", "varchar", length=40)}, "additive"),
        ("name", {"type": ColumnType("character varying", "varchar")}, "additive"),
        ("name", {"type": ColumnType("character varying(10)", "varchar", length=10)}, "breaking"),
        ("name", {"type": _TEXT}, "breaking"),
        ("name", {"nullable": True}, "breaking"),
        ("note", {"nullable": False}, "breaking"),
        ("note", {"nullable": False, "default": "''::text"}, "additive"),
        ("note", {"default": "''::text"}, "additive"),
        ("note", {"generated": "stored", "expression": "upper(name)"}, "breaking"),
        ("note", {"comment": "new words"}, "additive"),
        ("note", {"collation": '"C"'}, "additive"),
    ],
)
def test_a_changed_column_breaks_only_whoever_relied_on_it(column: str, changes: dict[str, object], kind: str) -> None:
    found = _found(_changed(column, **changes))
    assert (kind, column) in found
    assert kind == "breaking" or all(other != "breaking" for other, _ in found)


def test_a_numeric_may_grow_in_digits_but_not_in_scale() -> None:
    def table(precision: int, scale: int) -> Snapshot:
        kind = ColumnType(f"numeric({precision},{scale})", "numeric", precision=precision, scale=scale)
        return _of(replace(_TABLE, columns=(Column("id", kind),)))

    assert [d.kind for d in compare(table(10, 2), table(12, 2))] == ["additive"]
    assert [d.kind for d in compare(table(10, 2), table(12, 3))] == ["breaking"]


def test_a_new_column_breaks_writers_only_when_it_demands_a_value() -> None:
    def with_new(column: Column) -> list[tuple[str, str | None]]:
        return _found(replace(_TABLE, columns=(*_TABLE.columns, column)))

    assert with_new(Column("more", _INT)) == [("additive", "more")]
    assert with_new(Column("more", _INT, nullable=False, default="0")) == [("additive", "more")]
    assert with_new(Column("more", _INT, nullable=False)) == [("breaking", "more")]


def test_what_is_gone_is_breaking_and_stands_first() -> None:
    after = replace(_TABLE, columns=_TABLE.columns[:2], comment="new", uniques=(), foreign_keys=(), indexes=())
    found = compare(_of(_TABLE), _of(after))
    assert [(d.kind, d.column) for d in found if d.kind == "breaking"] == [
        ("breaking", None),
        ("breaking", None),
        ("breaking", "note"),
    ]
    assert [d.message for d in found if d.kind == "additive"] == ["comment changed", "index t_note gone"]


def test_tables_come_and_go() -> None:
    other = replace(_TABLE, name="u")
    assert compare(_of(_TABLE), _of(_TABLE, other)) == [Drift("additive", "s", "u", None, "new table")]
    assert compare(_of(_TABLE, other), _of(_TABLE)) == [Drift("breaking", "s", "u", None, "table gone")]


def test_a_table_that_became_a_view_is_breaking() -> None:
    assert ("breaking", None) in _found(replace(_TABLE, kind="view"))


def test_another_primary_key_is_breaking() -> None:
    assert _found(replace(_TABLE, primary_key=("name",))) == [("breaking", None)]


def test_row_security_that_begins_is_breaking_because_rows_may_vanish() -> None:
    assert _found(replace(_TABLE, row_security="enabled")) == [("breaking", None)]


def test_new_checks_and_triggers_are_additive() -> None:
    trigger = Trigger("trg", "after", ("insert",), "row", "s.f")
    after = replace(_TABLE, checks=(Check("c", "(id > 0)", ("id",)),), triggers=(trigger,))
    assert [kind for kind, _ in _found(after)] == ["additive", "additive"]


def test_an_enum_is_reported_once_and_breaks_only_when_it_loses_a_label() -> None:
    def snapshot(*labels: str) -> Snapshot:
        kind = ColumnType("s.e", "e", "s", kind="enum", labels=labels)
        columns = (Column("a", kind), Column("b", kind))
        return _of(replace(_TABLE, columns=columns), enums=(Enum("s", "e", labels),))

    assert [(d.kind, d.message) for d in compare(snapshot("a"), snapshot("a", "b"))] == [
        ("additive", "enum e gained 'b'")
    ]
    assert [(d.kind, d.message) for d in compare(snapshot("a", "b"), snapshot("b"))] == [
        ("breaking", "enum e lost 'a'")
    ]
