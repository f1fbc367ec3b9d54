"""The legacy app is unchanged: its tree is the one that was frozen, and neither side imports the other."""

from __future__ import annotations

import ast
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def imported(folder: str) -> set[str]:
    names: set[str] = set()
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module.split(".")[0])
    return names


def test_the_committed_tree_of_the_legacy_app_is_the_frozen_one() -> None:
    frozen = (ROOT / "tests/architecture/legacy.tree").read_text().strip()
    committed = subprocess.run(
        ["git", "rev-parse", "HEAD:legacy_admin"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()
    assert committed == frozen


def test_the_legacy_app_does_not_know_banyan() -> None:
    assert not imported("legacy_admin") & {"api_gateway", "shared_models", "northgate_api"}
    for path in (ROOT / "legacy_admin").rglob("*"):
        if path.is_file() and path.suffix in {".py", ".html", ".md", ".txt", ".css"}:
            assert "banyan" not in path.read_text(errors="replace").lower(), path


def test_the_engine_imports_neither_the_example_nor_the_legacy_app() -> None:
    for folder in ("api_gateway", "shared_models"):
        assert not imported(folder) & {
            "northgate_api",
            "legacy_admin",
            "northgate",
            "sales",
            "partner",
            "panel",
            "django",
        }
