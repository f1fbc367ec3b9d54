"""A project's `tables.py`: typed for the type checker, and each table made only when somebody asks for it."""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
import sqlalchemy as sa

from shared_models.snapshot import Column, ColumnType, Snapshot, Table
from shared_models.tables import Padded
from shared_models.tables_source import tables_source, tables_stub

_INT = ColumnType("integer", "int4")
_LONG = "a_rather_long_name_of_a_table_that_somebody_has_thought_up_here"
_SNAPSHOT = Snapshot(
    ("s", "Sales Dept"),
    (
        Table(
            "Sales Dept",
            "order",
            columns=(
                Column("id", _INT, nullable=False, identity="always"),
                Column("unit price", ColumnType("numeric(9,2)", "numeric", precision=9, scale=2)),
                Column("unit-price", _INT),
                Column('a"b\\', ColumnType("text[]", "text", arrays=1), nullable=False),
                Column("from", ColumnType("character(3)", "bpchar", length=3)),
            ),
            primary_key=("id",),
        ),
        Table("s", _LONG, columns=(Column("id", _INT),)),
        Table("s", "order", columns=(Column("id", _INT),)),
        Table("s", f"{_LONG[:-1]}-", columns=()),
        Table(_LONG, f"{_LONG[:-1]}_", columns=()),
        Table(_LONG, f"{_LONG[:-1]}+", columns=()),
    ),
)


def _module(folder: Path, snapshot: Snapshot) -> ModuleType:
    path = folder / "tables.py"
    path.write_text(tables_source(snapshot), "utf-8")
    path.with_name("schema.lock.json").write_text(snapshot.to_json(), "utf-8")
    spec = importlib.util.spec_from_file_location("tables_of_a_test", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_table_is_made_when_it_is_asked_for_and_then_stays(tmp_path: Path) -> None:
    module = _module(tmp_path, _SNAPSHOT)
    assert not module.metadata.tables
    order = module.order
    assert list(module.metadata.tables) == ["Sales Dept.order"]
    assert module.order is order
    assert module.s_order is not order


def test_a_column_goes_by_its_attribute_and_is_written_by_its_name(tmp_path: Path) -> None:
    order = _module(tmp_path, _SNAPSHOT).order
    assert order.c.keys() == ["id", "unit_price", "unit_price_", "a_b", "from_"]
    assert [column.name for column in order.c] == ["id", "unit price", "unit-price", 'a"b\\', "from"]
    assert isinstance(order.c.from_.type, Padded)
    assert isinstance(order.c.a_b.type, sa.ARRAY)
    assert [column.name for column in order.primary_key] == ["id"]
    assert str(sa.select(order.c.unit_price)) == 'SELECT "Sales Dept"."order"."unit price" \nFROM "Sales Dept"."order"'


def test_a_name_that_it_does_not_have_is_refused_as_of_any_module(tmp_path: Path) -> None:
    module = _module(tmp_path, _SNAPSHOT)
    with pytest.raises(AttributeError, match="no table 'orders'"):
        _ = module.orders
    (tmp_path / "schema.lock.json").write_text(Snapshot(("s",)).to_json(), "utf-8")
    with pytest.raises(AttributeError, match="banyan check --write"):
        _ = module.order


@pytest.mark.parametrize("snapshot", [_SNAPSHOT, Snapshot(("s",))], ids=["awkward", "empty"])
@pytest.mark.parametrize(("name", "write"), [("tables.py", tables_source), ("tables.pyi", tables_stub)])
def test_both_files_are_as_the_formatter_would_write_them(
    snapshot: Snapshot, name: str, write: Callable[[Snapshot], str]
) -> None:
    command = [sys.executable, "-m", "ruff", "format", "--line-length", "120", "--stdin-filename", name, "-"]
    formatted = subprocess.run(command, input=write(snapshot), capture_output=True, text=True, check=True).stdout
    assert write(snapshot) == formatted


def test_the_type_checker_is_told_of_the_names_that_are_there_when_it_runs(tmp_path: Path) -> None:
    module = _module(tmp_path, _SNAPSHOT)
    stub = ast.parse(tables_stub(_SNAPSHOT))
    promised = [
        line.target.id for line in stub.body if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name)
    ]
    classes = [line for line in stub.body if isinstance(line, ast.ClassDef)]
    assert len(promised) == 1 + len(classes) == 1 + len(_SNAPSHOT.tables)
    for name, cls in zip(promised[1:], classes, strict=True):
        fields = [
            field.target.id
            for field in cls.body
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        ]
        assert getattr(module, name).c.keys() == fields


def test_a_column_named_like_a_type_does_not_hide_it_from_the_type_checker(tmp_path: Path) -> None:
    names = ("int", "str", "list", "date", "Decimal", "Any", "sa", "bool", "UUID", "datetime", "bytes")
    kinds = [("integer", "int4"), ("text", "text"), ("date", "date"), ("numeric", "numeric"), ("jsonb", "jsonb")]
    kinds += [("uuid", "uuid"), ("boolean", "bool"), ("bytea", "bytea"), ("timestamptz", "timestamptz")]
    columns = [Column(name, _INT) for name in names]
    columns += [Column(f"c{n}", ColumnType(*kind)) for n, kind in enumerate(kinds)]
    columns.append(Column("many", ColumnType("date[]", "date", arrays=1)))
    snapshot = Snapshot(("s",), (Table("s", "hidden", columns=tuple(columns)), Table("s", "float", columns=())))
    (tmp_path / "tables.pyi").write_text(tables_stub(snapshot), "utf-8")
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), "tables.pyi"]
    answer = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout
