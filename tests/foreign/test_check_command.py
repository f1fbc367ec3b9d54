"""`banyan check`: every disagreement has its place and what to do about it, and the right exit code."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from api_gateway.draft.init import init_project
from tests.support.commands import Answer, Banyan

_SCHEMA = """
CREATE TABLE customer (cust_no int PRIMARY KEY, nm text NOT NULL);
CREATE TABLE ord_hdr (ord_no int PRIMARY KEY, cust_no int NOT NULL REFERENCES customer, stat smallint NOT NULL);
CREATE TABLE aside (id int PRIMARY KEY, x int NOT NULL);
"""


@pytest.fixture
def url(database_url: str) -> str:
    _execute(database_url, _SCHEMA)
    return database_url


@pytest.fixture
def drafted(tmp_path: Path, url: str) -> Path:
    init_project(tmp_path / "drafted_api", url)
    return tmp_path / "drafted_api"


@pytest.fixture
def project(tmp_path: Path, drafted: Path) -> Callable[..., Path]:
    """A copy of the drafted project in which texts of files were replaced. A new name, for Python keeps modules."""
    numbers = iter(range(100))

    def copy(file: str = "contract.py", old: str = "", new: str = "") -> Path:
        folder = tmp_path / f"edited_{next(numbers)}_{abs(hash(str(tmp_path)))}_api"
        shutil.copytree(drafted, folder, ignore=shutil.ignore_patterns("__pycache__"))
        text = (folder / file).read_text("utf-8")
        assert old in text
        (folder / file).write_text(text.replace(old, new), "utf-8")
        return folder

    return copy


def _execute(url: str, statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statements.encode())


def _check(folder: Path, *words: str) -> Answer:
    return Banyan(folder.parent, {})("check", "--project", str(folder), *words)


def _findings(folder: Path, *words: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = _check(folder, "--json", *words).json["findings"]
    return found


def test_a_fresh_draft_agrees_with_everything(project: Callable[..., Path], url: str) -> None:
    answer = _check(project(), "--database-url", url)
    assert answer.code == 0
    assert answer.out == "contract, snapshot, frozen OpenAPI, live schema compared: 0 errors, 0 warnings, 0 notes.\n"


def test_without_a_url_it_says_that_the_live_schema_was_not_looked_at(project: Callable[..., Path]) -> None:
    answer = _check(project())
    assert answer.code == 0
    assert "The live schema was not looked at" in answer.out


def test_a_column_that_is_not_there_is_named_with_file_line_table_and_column(project: Callable[..., Path]) -> None:
    folder = project("contract.py", "    nm: str\n", '    nm: Annotated[str, Column("nmae")]\n')
    text = (folder / "contract.py").read_text("utf-8").replace("import Key", "import Column, Key")
    (folder / "contract.py").write_text(text, "utf-8")
    line = text.splitlines().index('    nm: Annotated[str, Column("nmae")]') + 1
    answer = _check(folder)
    assert answer.code == 1
    assert f"error: contract.py:{line}: public.customer.nmae: Customer: nm: there is no such column" in answer.out
    (finding,) = _findings(folder)
    assert (finding["file"], finding["line"], finding["table"], finding["column"]) == (
        "contract.py",
        line,
        "public.customer",
        "nmae",
    )
    assert finding["advice"]


def test_a_contract_that_is_no_python_is_one_line_with_its_place(project: Callable[..., Path]) -> None:
    answer = _check(project("contract.py", "    nm: str\n", "    nm: str = (\n"))
    assert answer.code == 2
    assert answer.complaint.startswith("contract.py:")


def test_a_column_of_the_contract_that_vanished_is_an_error_with_its_line(
    project: Callable[..., Path], url: str
) -> None:
    _execute(url, "ALTER TABLE customer DROP COLUMN nm")
    found = _findings(project(), "--database-url", url)
    assert {f["between"] for f in found if f["severity"] == "error"} == {
        "snapshot and live schema",
        "contract and live schema",
    }
    assert any(f["file"] == "contract.py" and f["line"] and f["column"] == "nm" for f in found)


def test_a_type_that_changed_under_the_contract_is_an_error(project: Callable[..., Path], url: str) -> None:
    _execute(url, "ALTER TABLE ord_hdr ALTER stat TYPE text")
    answer = _check(project(), "--database-url", url)
    assert answer.code == 1
    assert "public.ord_hdr.stat: type was smallint, is text" in answer.out


def test_breaking_drift_outside_the_contract_is_a_warning(project: Callable[..., Path], url: str) -> None:
    folder = project("contract.py", "    x: int\n", "")
    assert _check(folder, "--write").code == 0
    _execute(url, "ALTER TABLE aside DROP COLUMN x")
    answer = _check(folder, "--database-url", url, "--json")
    assert answer.code == 0
    assert [(f["severity"], f["message"]) for f in answer.json["findings"]] == [("warning", "column gone")]


def test_additive_drift_is_a_note(project: Callable[..., Path], url: str) -> None:
    _execute(url, "ALTER TABLE customer ADD tel text; CREATE TABLE more (id int)")
    answer = _check(project(), "--database-url", url, "--json")
    assert answer.code == 0
    assert {f["severity"] for f in answer.json["findings"]} == {"note"}


def test_a_renamed_field_breaks_the_frozen_document_and_write_freezes_it_anew(project: Callable[..., Path]) -> None:
    folder = project("contract.py", "    nm: str\n", '    name: Annotated[str, Column("nm")]\n')
    text = (folder / "contract.py").read_text("utf-8").replace("import Key", "import Column, Key")
    (folder / "contract.py").write_text(text, "utf-8")
    answer = _check(folder)
    assert answer.code == 1
    assert "contract.openapi.json: Customer.nm is gone" in answer.out
    assert _check(folder, "--write").code == 0
    assert _check(folder).code == 0


def test_a_missing_frozen_document_is_an_error_with_the_command(project: Callable[..., Path]) -> None:
    folder = project()
    (folder / "contract.openapi.json").unlink()
    answer = _check(folder)
    assert answer.code == 1
    assert "banyan check --write" in answer.out


def test_write_takes_a_new_snapshot_of_a_schema_that_grew(project: Callable[..., Path], url: str) -> None:
    folder = project()
    _execute(url, "ALTER TABLE customer ADD tel text")
    answer = _check(folder, "--database-url", url, "--write")
    assert "0 errors, 0 warnings, 0 notes" in answer.out
    tables = json.loads((folder / "schema.lock.json").read_text("utf-8"))["tables"]
    assert any(column["name"] == "tel" for table in tables for column in table["columns"])


def test_a_relation_into_a_large_table_without_an_index_is_a_warning_with_the_statement(
    tmp_path: Path, url: str
) -> None:
    line = "CREATE TABLE ord_dtl (ln_no int, ord_no int NOT NULL, PRIMARY KEY (ln_no), UNIQUE (ln_no, ord_no))"
    _execute(url, line)
    _execute(url, "INSERT INTO ord_dtl SELECT n, n FROM generate_series(1, 110000) n; ANALYZE ord_dtl")
    folder = tmp_path / "large_api"
    init_project(folder, url)
    text = (folder / "contract.py").read_text("utf-8")
    text = text.replace(
        "    stat: int\n", '    stat: int\n    lines: Annotated["list[OrdDetail]", Children(on="ord_no")] = []\n'
    )
    (folder / "contract.py").write_text(text.replace("import Column", "import Children, Column"), "utf-8")
    shutil.move(folder, tmp_path / "large_edited_api")
    answer = _check(tmp_path / "large_edited_api", "--database-url", url, "--write")
    assert answer.code == 0
    assert 'CREATE INDEX CONCURRENTLY ON "public"."ord_dtl" ("ord_no");' in answer.out


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("schema.lock.json", None, "schema.lock.json is missing"),
        ("schema.lock.json", "{", "schema.lock.json: line 1"),
        ("banyan.toml", "name = ", "banyan.toml: "),
        ("banyan.toml", None, "is no project"),
    ],
)
def test_a_project_whose_files_cannot_be_read_is_one_line(
    project: Callable[..., Path], name: str, text: str | None, complaint: str
) -> None:
    folder = project()
    (folder / name).unlink()
    if text is not None:
        (folder / name).write_text(text, "utf-8")
    answer = _check(folder)
    assert answer.code == 2
    assert complaint in answer.complaint


def test_a_database_that_is_away_is_one_line_without_the_password(project: Callable[..., Path]) -> None:
    answer = _check(project(), "--database-url", "postgresql://me:hunter2@127.0.0.1:1/shop")
    assert answer.code == 2
    assert answer.complaint.startswith("cannot connect to 127.0.0.1:1/shop: ")
    assert "hunter2" not in answer.err
