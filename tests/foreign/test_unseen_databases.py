"""What `banyan init` promises of a database it has never seen, shown on databases that nobody here wrote."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import psycopg
from psycopg import sql

from api_gateway.api.contract import load_contract
from api_gateway.consumers import Consumer
from api_gateway.draft.init import init_project
from api_gateway.draft.plan import DraftResource
from api_gateway.project import load_project
from shared_models.catalog import read_snapshot, user_schemas
from shared_models.snapshot import Snapshot
from tests.foreign.conftest import Foreign
from tests.support.api import prepare, serving
from tests.support.commands import Banyan

ROOT = Path(__file__).parents[2]
_SECRET = re.compile(
    r"passw|pwd|secret(?!ar)|token(?!i[sz])|(^|_)(salt|hash|session)s?(_|$)|private_?key", re.IGNORECASE
)
_TEXTUAL = {"text", "varchar", "bpchar", "bytea", "citext"}


def _files(folder: Path) -> dict[str, str]:
    paths = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {str(path.relative_to(folder)): path.read_text("utf-8") for path in paths}


def test_check_finds_nothing_to_say_about_a_fresh_draft(foreign: Foreign, tmp_path: Path) -> None:
    answer = Banyan(tmp_path, {})("check", "--project", str(foreign.folder), "--database-url", foreign.url, "--json")
    assert answer.code == 0, answer.out + answer.err
    assert answer.json["findings"] == []


def test_every_table_and_column_is_exposed_or_left_out_with_a_reason(foreign: Foreign) -> None:
    draft, snapshot = foreign.report.draft, foreign.report.snapshot
    exposed = {resource.name: resource for resource in draft.resources}
    left_out = {(left.schema, left.table) for left in draft.left_out if left.reason}
    assert exposed.keys() | left_out == {(table.schema, table.name) for table in snapshot.tables}
    for name, resource in exposed.items():
        table = snapshot.table(*name)
        assert table is not None
        accounted = {field.column for field in resource.fields} | {left.what for left in resource.left_out}
        assert {column.name for column in table.columns} <= accounted


def test_at_least_95_of_100_foreign_keys_become_relations(foreign: Foreign) -> None:
    draft = foreign.report.draft
    assert draft.related >= 0.95 * draft.foreign_keys


def test_no_text_column_named_like_a_secret_is_exposed(foreign: Foreign) -> None:
    for resource in foreign.report.draft.resources:
        table = foreign.report.snapshot.table(resource.schema, resource.table)
        assert table is not None
        for field in resource.fields:
            column = table.column(field.column)
            assert column is not None
            assert column.type.name not in _TEXTUAL or not _SECRET.search(column.name), f"{table.name}.{column.name}"


def test_a_second_init_changes_no_file(foreign: Foreign, tmp_path: Path) -> None:
    copy = tmp_path / foreign.folder.name
    shutil.copytree(foreign.folder, copy)
    before = _files(copy)
    report = init_project(copy, foreign.url)
    assert set(report.outcomes.values()) == {"unchanged"}
    assert _files(copy) == before


def test_the_draft_passes_strict_type_checking_and_the_formatter(foreign: Foreign) -> None:
    mypy = [sys.executable, "-m", "mypy", "--config-file", "pyproject.toml", str(foreign.folder)]
    answer = subprocess.run(mypy, cwd=ROOT, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout
    ruff = [Path(sys.executable).with_name("ruff"), "format", "--isolated", "--line-length", "110", "--check"]
    answer = subprocess.run([*ruff, foreign.folder / "contract.py"], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_the_snapshot_is_the_same_from_the_file_and_from_the_server(foreign: Foreign) -> None:
    committed = Snapshot.from_json((foreign.folder / "schema.lock.json").read_text("utf-8"))
    with psycopg.connect(foreign.url, autocommit=True) as connection:
        assert read_snapshot(connection, user_schemas(connection)) == committed == foreign.report.snapshot


def test_every_resource_can_be_read_to_its_end_and_has_all_rows(foreign: Foreign) -> None:
    project = load_project(foreign.folder)
    contract = load_contract(project)
    prepare(foreign.url, project, contract)
    reader = Consumer("reader", "Reads everything", frozenset(contract.scopes()), {})
    with psycopg.connect(foreign.url, autocommit=True) as connection:
        with serving(foreign.api_url, [reader], project=project, contract=contract) as api:
            for resource in foreign.report.draft.resources:
                if not _is_filled(foreign, resource):
                    assert api.get(resource.path, "reader").status_code == 503, resource.path
                    continue
                rows = api.all(f"{resource.path}?limit=200", "reader")
                assert len(rows) == _count(connection, resource), resource.path
                if resource.key:
                    assert len({_key(resource, row) for row in rows}) == len(rows), resource.path


def _is_filled(foreign: Foreign, resource: DraftResource) -> bool:
    table = foreign.report.snapshot.table(*resource.name)
    return table is not None and table.is_filled


def _count(connection: psycopg.Connection[tuple[int]], resource: DraftResource) -> int:
    name = sql.Identifier(resource.schema, resource.table)
    row = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(name)).fetchone()
    assert row is not None
    return row[0]


def _key(resource: DraftResource, row: dict[str, object]) -> tuple[object, ...]:
    names = {field.column: field.alias or field.attribute for field in resource.fields}
    return tuple(row[names[column]] for column in resource.key)
