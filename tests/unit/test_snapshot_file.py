"""schema.lock.json: what is written, what comes back, what a review sees."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from shared_models.snapshot import (
    Check,
    Column,
    ColumnType,
    Enum,
    ForeignKey,
    Index,
    Sequence,
    Snapshot,
    Table,
    Trigger,
    Unique,
)

_STATE = ColumnType("shop.state", "state", "shop", kind="enum", labels=("new", "it's", ""))
_TABLE = Table(
    "shop",
    "ord_hdr",
    comment="Order\nheads",
    columns=(
        Column("ord_no", ColumnType("integer", "int4"), nullable=False, identity="always"),
        Column("stat", _STATE, default="'new'::shop.state"),
        Column("tot", ColumnType("numeric(12,2)", "numeric", precision=12, scale=2), comment="ü"),
    ),
    primary_key=("ord_no",),
    foreign_keys=(ForeignKey("fk", ("stat",), "shop", "states", ("code",), on_delete="cascade"),),
    checks=(Check("c", "(tot >= 0)", ("tot",)),),
    indexes=(Index("i", ("stat", None), definition="CREATE INDEX …"),),
    triggers=(Trigger("t", "after", ("insert", "update"), "row", "shop.f"),),
    row_estimate=50_000,
)
_SNAPSHOT = Snapshot(("shop",), (_TABLE,), (Enum("shop", "state", ("new", "it's", "")),), server_version=180001)


def test_a_snapshot_comes_back_equal_from_its_file() -> None:
    assert Snapshot.from_json(_SNAPSHOT.to_json()) == _SNAPSHOT


def test_enum_labels_stand_once_in_the_file_and_in_every_column_after_reading() -> None:
    text = _SNAPSHOT.to_json()
    assert text.count("it's") == 1
    column = Snapshot.from_json(text).tables[0].column("stat")
    assert column is not None
    assert column.type.labels == ("new", "it's", "")


def test_row_estimates_and_the_servers_version_are_neither_written_nor_compared() -> None:
    grown = replace(
        _SNAPSHOT, tables=(replace(_TABLE, row_estimate=9, size=9, is_filled=False),), server_version=150000
    )
    assert grown.to_json() == _SNAPSHOT.to_json()
    assert grown == _SNAPSHOT


def test_one_changed_column_is_one_changed_line() -> None:
    columns = (_TABLE.columns[0], replace(_TABLE.columns[1], nullable=False), _TABLE.columns[2])
    changed = replace(_SNAPSHOT, tables=(replace(_TABLE, columns=columns),))
    before, after = _SNAPSHOT.to_json().splitlines(), changed.to_json().splitlines()
    assert sum(one != other for one, other in zip(before, after, strict=True)) == 1


def test_the_file_is_plain_json_that_ends_with_a_newline() -> None:
    text = _SNAPSHOT.to_json()
    assert text.endswith("}\n")
    assert json.loads(text)["tables"][0]["name"] == "ord_hdr"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("{", "line 1"),
        ("[]", "top level"),
        ('{"tables": []}', "'schemas' is missing"),
        ('{"schemas": ["s"], "tables": [{"schema": "s", "name": 7}]}', "tables[0].name"),
        ('{"schemas": ["s"], "tables": [{"schema": "s", "name": "t", "kind": "sofa"}]}', "tables[0].kind"),
        ('{"schemas": ["s"], "tables": [{"schema": "s", "name": "t", "columns": [{"name": "c"}]}]}', "columns[0]"),
    ],
)
def test_a_file_that_is_no_snapshot_is_refused_with_the_place(text: str, place: str) -> None:
    with pytest.raises(ValueError, match=re.escape(place)):
        Snapshot.from_json(text)


def test_a_unique_key_is_never_nullable_deferrable_partial_or_an_expression() -> None:
    number, name = Column("nr", ColumnType("integer", "int4"), nullable=False), Column("v", ColumnType("text", "text"))
    table = Table(
        "s",
        "t",
        columns=(number, name, replace(number, name="late"), replace(number, name="code")),
        uniques=(Unique("u1", ("v",)), Unique("u2", ("late",), deferrable=True)),
        indexes=(
            Index("late_key", ("late",), unique=True),
            Index("partial", ("nr",), unique=True, predicate="(v IS NULL)"),
            Index("expression", (None,), unique=True),
            Index("broken", ("nr",), unique=True, valid=False),
            Index("sound", ("code",), unique=True),
        ),
    )
    assert table.unique_keys() == (("code",),)


_OTHER = replace(_TABLE, name='odd "name"\n  {', columns=(), foreign_keys=(), checks=(), indexes=(), triggers=())
_OWNED = Sequence("shop", "q", "bigint", 1, 1, 1, 9, owned_by=("shop", "ord_hdr", "ord_no"))
_SEQUENCES = (_OWNED, replace(_OWNED, name="r", owned_by=None), replace(_OWNED, name="s", owned_by=("shop", "x", "y")))
_LARGE = replace(
    _SNAPSHOT,
    tables=(*(replace(_OTHER, name=f"t{n}") for n in range(5)), _OTHER, _TABLE, replace(_TABLE, name="z")),
    sequences=_SEQUENCES,
)


@pytest.mark.parametrize("layout", ["as written", "by somebody's formatter"])
@pytest.mark.parametrize("names", [("ord_hdr",), ("t0", "z"), (_OTHER.name,), (), ("missing",)])
def test_a_few_tables_can_be_read_out_of_a_large_file(tmp_path: Path, layout: str, names: tuple[str, ...]) -> None:
    text = _LARGE.to_json()
    text = text if layout == "as written" else json.dumps(json.loads(text), indent=4)
    part = _read(tmp_path, text, only=[("shop", name) for name in names])
    assert part.tables == tuple(table for table in _LARGE.tables if table.name in names)
    assert part.sequences == ((_OWNED,) if "ord_hdr" in names else ())
    assert part.enums == _LARGE.enums


def test_what_is_not_asked_for_is_not_even_parsed(tmp_path: Path) -> None:
    text = _LARGE.to_json().replace('"name": "z"', '"name": "z", "kind": "sofa"')
    assert len(_read(tmp_path, text, only=[("shop", "ord_hdr")]).tables) == 1
    with pytest.raises(ValueError, match=re.escape("tables[7].kind")):
        Snapshot.from_json(text)
    with pytest.raises(ValueError, match=re.escape("tables[7].kind")):
        _read(tmp_path, text, only=[("shop", "z")])


def _read(folder: Path, text: str, only: list[tuple[str, str]]) -> Snapshot:
    path = folder / "schema.lock.json"
    path.write_text(text, "utf-8")
    return Snapshot.read(path, only)
