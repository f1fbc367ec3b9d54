"""The page of awkward schemas names a test for each case: each of them exists, and no corner case is forgotten."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reference" / "awkward-schemas.md"
CASES = set(re.findall(r"^-- (c\d\d) ", (ROOT / "tests/foreign/corner_cases.sql").read_text("utf-8"), re.MULTILINE))


def _rows() -> list[list[str]]:
    lines = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ")][1:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


@cache
def _tests(file: str) -> set[str]:
    tree = ast.parse((ROOT / file).read_text("utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in ast.walk(tree) if isinstance(node, kinds) and node.name.startswith("test_")}


def test_every_case_names_a_test_that_exists() -> None:
    assert len(_rows()) > 30
    for case, answer, shown in _rows():
        named = re.fullmatch(r"`(tests/[\w/]+\.py)::(\w+)`(?: c\d\d)*", shown)
        assert named, f"{case}: {shown}"
        assert named[2] in _tests(named[1]), f"{case}: there is no test {named[2]} in {named[1]}"
        assert answer, case


def test_every_corner_case_stands_on_the_page() -> None:
    named = {case for *_, shown in _rows() for case in re.findall(r" (c\d\d)\b", shown)}
    assert named == CASES
