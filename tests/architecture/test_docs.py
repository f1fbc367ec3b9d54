"""The documents say everything there is, and nothing that is not: checked against the code."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args, get_origin

import pytest
from pydantic import BaseModel

import shared_models.contract
from api_gateway import doctor, events
from api_gateway.check import CODES
from api_gateway.project import Configuration
from api_gateway.routes import Route
from api_gateway.settings import Settings
from api_gateway.stages import Stage
from tests.support import cli_reference, problem_types, seeded_bugs
from tests.support.documents import ROOT, commands, matches, pages

DOCS = ROOT / "docs"
ENGINE = [*(ROOT / "api_gateway").rglob("*.py"), *(ROOT / "shared_models").rglob("*.py")]


def headings(page: Path, level: int) -> list[str]:
    return re.findall(rf"^{'#' * level} (.+)$", page.read_text("utf-8"), re.MULTILINE)


def first_cells(page: Path) -> set[str]:
    """What stands between backquotes in the first cell of each table row."""
    rows = re.findall(r"^\| (`[^|]+`) \|", page.read_text("utf-8"), re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`([^`]+)`", row)}


def test_every_setting_has_its_row_and_every_row_its_setting() -> None:
    assert first_cells(DOCS / "reference/settings.md") == {f"BANYAN_{name.upper()}" for name in Settings.model_fields}


def test_the_defaults_of_settings_are_told_as_they_are() -> None:
    rows = re.findall(r"^\| `(BANYAN_\w+)` \| (.+?) \|", (DOCS / "reference/settings.md").read_text(), re.MULTILINE)
    for name, told in rows:
        default = Settings.model_fields[name.removeprefix("BANYAN_").lower()].default
        assert told == ("–" if default is None else f"`{default}`"), name


def test_every_problem_code_has_its_heading_and_every_heading_its_code() -> None:
    assert sorted(headings(DOCS / "reference/errors.md", 3)) == sorted(
        codes_of("Problem", 1) | codes_of("unavailable", 0)
    )


def test_what_the_gateway_tells_of_problems_is_what_the_page_of_errors_tells() -> None:
    told = "python -m tests.support.problem_types writes it"
    assert problem_types.DATA.read_text("utf-8") == problem_types.written(), told


def test_every_fault_of_a_field_has_its_row() -> None:
    told = first_cells(DOCS / "reference/errors.md")
    assert codes_of("FieldError", 0) | codes_of("fault", 1) == told


def codes_of(name: str, position: int) -> set[str]:
    """The constant at this place of every call of this name in the engine."""
    found = set()
    for path in ENGINE:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and _called(node) == name and len(node.args) > position:
                argument = node.args[position]
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    found.add(argument.value)
    return found


def _called(node: ast.Call) -> str:
    return node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")


def test_every_event_has_its_heading_with_its_fields() -> None:
    text = (DOCS / "reference/events.md").read_text("utf-8")
    sections = dict(re.findall(r"^### (.+)\n\n((?:(?!^#).*\n)*)", text, re.MULTILINE))
    known: dict[str, Any] = {_spoken(event.__name__): event for event in get_args(events.Event)}
    assert set(sections) == set(known)
    for name, event in known.items():
        assert [field for field in event.__slots__ if f"`{field}`" not in sections[name]] == [], name


def _spoken(name: str) -> str:
    return re.sub(r"(?<!^)([A-Z])", r" \1", name).lower()


def test_every_code_of_check_has_its_heading() -> None:
    assert sorted(headings(DOCS / "reference/check.md", 3)) == sorted(CODES)


def test_every_code_of_doctor_has_its_heading() -> None:
    assert sorted(headings(DOCS / "reference/doctor.md", 3)) == sorted(doctor.CODES)


def test_every_stage_has_its_heading() -> None:
    assert headings(DOCS / "explanation/stages.md", 2)[: len(Stage)] == list(Stage)


def test_every_word_of_the_contract_is_told() -> None:
    text = (DOCS / "reference/contract.md").read_text("utf-8")
    told = {*headings(DOCS / "reference/contract.md", 2), *headings(DOCS / "reference/contract.md", 3)}
    named = [name for name in shared_models.contract.__all__ if name not in told and f"`{name}" not in text]
    assert named == []


def test_every_key_of_banyan_toml_and_every_argument_of_a_route_has_its_row() -> None:
    told = first_cells(DOCS / "reference/project.md")
    keys = set(keys_of(Configuration))
    arguments = set(inspect.signature(Route).parameters)
    assert (keys | arguments) - told == set()


def keys_of(table: type[BaseModel], before: str = "") -> list[str]:
    found = []
    for name, field in table.model_fields.items():
        inner = field.annotation
        named = get_args(inner)[1:] if get_origin(inner) is Mapping else ()
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            found += keys_of(inner, f"{before}{name}.")
        elif named and isinstance(named[0], type) and issubclass(named[0], BaseModel):
            found += keys_of(named[0], f"{before}{name}.NAME.")
        else:
            found.append(before + name)
    return found


def test_the_page_of_commands_is_as_the_commands_are() -> None:
    told = "docs/reference/cli.md is not up to date: python -m tests.support.cli_reference writes it"
    assert cli_reference.PAGE.read_text("utf-8") == cli_reference.page(), told


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file_and_a_heading_that_are_there(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        aimed = (page.parent / path).resolve() if path else page
        assert aimed.exists(), target
        if anchor:
            assert anchor in anchors(aimed), target


def anchors(page: Path) -> set[str]:
    """As GitHub makes them of headings."""
    found = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}


def test_every_document_is_reached_from_the_index() -> None:
    index = DOCS / "README.md"
    reached, waiting = {index}, [index]
    while waiting:
        page = waiting.pop()
        for target in re.findall(r"\]\(([^)#\s]+\.md)", page.read_text("utf-8")):
            aimed = (page.parent / target).resolve()
            if aimed not in reached and aimed.exists():
                reached.add(aimed)
                waiting.append(aimed)
    assert set(DOCS.rglob("*.md")) - reached == set()


def test_blocks_that_begin_with_a_dollar_are_console_blocks_so_that_they_are_run() -> None:
    for page in pages():
        blocks = re.findall(r"^```(\w*)[^\n]*\n(.*?)^```$", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)
        assert [block for kind, block in blocks if block.startswith("$ ") and kind != "console"] == [], page
        commands(page)


@pytest.mark.parametrize(
    ("expected", "printed", "same"),
    [
        ("a … c\n", "a b c\n", True),
        ("a … c\n", "a b\nc\n", False),
        ("a\n…\nd\n", "a\nb\nc\nd\n", True),
        ("a\n…\n", "a\n", True),
        ("…\nd\n", "d\n", True),
        ("a\n", "a\nb\n", False),
        ("a\n", "a  \n", True),
        ("a.c\n", "abc\n", False),
    ],
)
def test_what_a_document_shows_is_compared_line_by_line(expected: str, printed: str, same: bool) -> None:
    assert matches(expected, printed) is same


def test_the_table_of_deliberate_errors_is_as_they_are() -> None:
    assert seeded_bugs.PAGE.read_text("utf-8") == seeded_bugs.page()
