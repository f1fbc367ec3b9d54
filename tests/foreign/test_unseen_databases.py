"""What `banyan init` promises of a database it has never seen, shown on databases that nobody here wrote."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import schemathesis
from hypothesis import HealthCheck, given, settings

from api_gateway.draft.init import init_project
from shared_models.catalog import read_snapshot, user_schemas
from shared_models.snapshot import Snapshot
from tests.foreign.conftest import Foreign
from tests.support.api import Api
from tests.support.commands import Banyan
from tests.support.generated_filters import with_single_conditions
from tests.support.reading import rows_of_api, rows_of_sql, unordered

ROOT = Path(__file__).parents[2]
_SECRET = re.compile(
    r"passw|pwd|secret(?!ar)|token(?!i[sz])|(^|_)(salt|hash|session)s?(_|$)|private_?key", re.IGNORECASE
)
_TEXTUAL = {"text", "varchar", "bpchar", "bytea", "citext"}
_BOUNDED = settings(
    max_examples=3, database=None, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
_ASKED = 10  # paths of each database


def _files(folder: Path) -> dict[str, str]:
    paths = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {str(path.relative_to(folder)): path.read_text("utf-8") for path in paths}


def test_check_finds_nothing_to_say_about_a_fresh_draft_but_what_its_rows_are(foreign: Foreign, tmp_path: Path) -> None:
    answer = Banyan(tmp_path, {})("check", "--project", str(foreign.folder), "--database-url", foreign.url, "--json")
    assert answer.code == 0, answer.out + answer.err
    assert [one for one in answer.json["findings"] if not one["code"].startswith("rows_")] == []


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


def test_three_of_four_tables_have_rows_to_read(foreign: Foreign) -> None:
    """Generated ones where the schema comes without: what the next test compares must not be nothing."""
    snapshot = foreign.report.snapshot
    whole = [t for t in snapshot.tables if t.kind in ("table", "partitioned table") and t.partition_of is None]
    empty = foreign.empty & {(table.schema, table.name) for table in whole}
    assert len(empty) <= 0.25 * len(whole), sorted(empty)


def test_every_resource_can_be_read_to_its_end_and_has_all_rows_and_values(foreign: Foreign, served: Api) -> None:
    with psycopg.connect(foreign.url, autocommit=True) as connection:
        for resource in foreign.report.draft.resources:
            table = foreign.report.snapshot.table(*resource.name)
            assert table is not None
            if not table.is_filled:
                assert served.get(resource.path, "reader").status_code == 503, resource.path
                continue
            read, stored = rows_of_api(served, resource, table, "reader"), rows_of_sql(connection, resource, table)
            if table.is_view and read != stored:
                read, stored = unordered(read), unordered(stored)
            assert read == stored, f"{resource.path}: {list((read - stored) + (stored - read))[:4]}"


def test_no_request_that_the_document_allows_or_forbids_is_answered_500(foreign: Foreign, served: Api) -> None:
    """A few generated requests for a spread of resources; the example's own API is asked more thoroughly."""
    document = with_single_conditions(served.get("../openapi.json").json())
    paths = [path for path in document["paths"] if path.startswith("/api/v1/")]
    document["paths"] = {path: document["paths"][path] for path in paths[:: max(1, len(paths) // _ASKED)]}
    schema = schemathesis.openapi.from_dict(document)
    for result in schema.get_all_operations():
        operation = result.ok()

        @settings(
            max_examples=4, database=None, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
        )
        @given(case=operation.as_strategy())
        def ask(case: schemathesis.Case) -> None:
            answer = served.client.request(**_request(case))
            assert answer.status_code < 500 or _is_unfilled(answer), f"{answer.request.url}: {answer.text}"

        ask()


def _request(case: schemathesis.Case) -> dict[str, Any]:
    words = case.as_transport_kwargs(base_url="http://testserver")
    kept = {name: words[name] for name in ("method", "url", "params", "json", "data") if words.get(name) is not None}
    return {**kept, "headers": {**words["headers"], "X-API-Key": "reader"}}


def _is_unfilled(answer: httpx2.Response) -> bool:
    """A materialized view that was never filled says so."""
    return answer.status_code == 503 and answer.json().get("status") == 503
