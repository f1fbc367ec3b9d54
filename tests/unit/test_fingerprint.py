"""The candidate's fingerprint: what changes it, and what does not."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from api_gateway.evidence.fingerprint import fingerprint, imported_modules
from api_gateway.project import load_project
from api_gateway.routes import Ignore, Intended, Route
from shared_models.snapshot import Column, ColumnType, Snapshot, Table

FILES = {
    "banyan.toml": 'name = "p"\n',
    "routes.py": "from api_gateway.routes import Route\nroutes = []\n",
    "tables.py": "A = 1\n",
    "unused.py": "B = 1\n",
    "mimics/__init__.py": "",
    "mimics/shared/wire.py": "from ... import tables\n",
    "mimics/listing.py": "import json\n\n\ndef listing():\n    from .shared import wire\n    return json, wire\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "fingerprinted"
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    yield folder
    for name in [name for name in sys.modules if name.split(".")[0] == "fingerprinted"]:
        del sys.modules[name]


@pytest.fixture
def route(folder: Path) -> Route:
    mimic: Any = load_project(folder).module("mimics.listing").listing
    mimic.__banyan_touches__ = SimpleNamespace(select={"ord_hdr": ["ord_no"]})
    return Route("orders.list", "GET", "/o", mimic=mimic)


def of(route: Route, folder: Path, **given: Any) -> str:
    return fingerprint(route, folder=folder, package="fingerprinted", **given)


def schema(sql: str = "integer", table: str = "ord_hdr") -> Snapshot:
    columns = (Column("ord_no", ColumnType(sql, sql)),)
    return Snapshot(("public",), (Table("public", table, columns=columns),))


def test_the_modules_that_a_mimic_imports_are_found_also_relative_ones_and_inside_functions(folder: Path) -> None:
    load_project(folder)
    modules = imported_modules("fingerprinted.mimics.listing", folder, "fingerprinted")
    assert set(modules) == {
        "fingerprinted.mimics",
        "fingerprinted.mimics.listing",
        "fingerprinted.mimics.shared.wire",
        "fingerprinted.tables",
    }


def test_the_same_sources_have_the_same_fingerprint(route: Route, folder: Path) -> None:
    assert of(route, folder) == of(route, folder)


@pytest.mark.parametrize("name", ["mimics/listing.py", "mimics/shared/wire.py", "tables.py"])
def test_a_change_of_the_mimic_or_of_anything_it_imports_changes_it(route: Route, folder: Path, name: str) -> None:
    before = of(route, folder)
    (folder / name).write_text(FILES[name] + "# changed\n")
    assert of(route, folder) != before


@pytest.mark.parametrize("name", ["unused.py", "routes.py"])
def test_a_change_of_another_module_does_not(route: Route, folder: Path, name: str) -> None:
    before = of(route, folder)
    (folder / name).write_text(FILES[name] + "# changed\n")
    assert of(route, folder) == before


def test_a_change_of_a_touched_table_changes_it_and_of_another_does_not(route: Route, folder: Path) -> None:
    before = of(route, folder, snapshot=schema())
    assert of(route, folder, snapshot=schema("bigint")) != before
    wider = Snapshot(("public",), (*schema().tables, *schema(table="item").tables))
    assert of(route, folder, snapshot=wider) == before


def test_the_engines_minor_version_counts_and_its_patch_version_does_not(route: Route, folder: Path) -> None:
    before = of(route, folder, engine="1.4.0")
    assert of(route, folder, engine="1.4.9") == before
    assert of(route, folder, engine="1.5.0") != before


@pytest.mark.parametrize(
    "changed",
    [
        {"ignore": (Ignore("$.at", "clock"),)},
        {"intended": (Intended("$.at", "bug 12", "Dale"),)},
        {"numbers": "exact"},
        {"times": "instant"},
    ],
)
def test_another_rule_of_comparison_is_another_judgement(route: Route, folder: Path, changed: dict[str, Any]) -> None:
    assert of(replace(route, **changed), folder) != of(route, folder)


def test_a_route_without_mimic_has_no_candidate(folder: Path) -> None:
    assert of(Route("x", "GET", "/x"), folder) == ""
