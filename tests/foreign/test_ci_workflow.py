"""The workflow that the how-to shows is run as a CI would: its own steps, in order, in a clean folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from packaging.specifiers import SpecifierSet

from api_gateway.draft.init import init_project

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "how-to" / "check-in-ci.md"
_SECRET = re.compile(r"\$\{\{ *secrets\.(\w+) *\}\}")


@pytest.fixture
def workspace(database_url: str, tmp_path: Path) -> Path:
    """The repository of somebody who has a project `shop_api`, checked out."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE customer (cust_no int PRIMARY KEY, nm text NOT NULL)")
    folder = tmp_path / "workspace"
    folder.mkdir()
    init_project(folder / "shop_api", database_url)
    return folder


def _workflow() -> dict[str, Any]:
    (block,) = re.findall(r"```yaml\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    read: dict[str, Any] = yaml.safe_load(block)
    return read


def _run(workspace: Path, secrets: dict[str, str]) -> list[tuple[str, int, str]]:
    """Each `run:` step with its exit code and what it printed, until one fails. Nothing of our environment is there."""
    workflow = _workflow()
    done: list[tuple[str, int, str]] = []
    for job in workflow["jobs"].values():
        for step in job["steps"]:
            if "run" not in step:
                continue
            declared = {**workflow.get("env", {}), **job.get("env", {}), **step.get("env", {})}
            given = {name: _SECRET.sub(lambda found: secrets[found[1]], str(value)) for name, value in declared.items()}
            # pip finds what it shall install in place already: this very checkout.
            plain = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "HOME": str(workspace.parent)}
            plain |= {name: os.environ[name] for name in os.environ if name.startswith(("PIP_", "SSL_", "LANG"))}
            answer = subprocess.run(
                ["bash", "-e", "-c", step["run"]],
                cwd=workspace,
                env={**plain, **given},
                capture_output=True,
                text=True,
                check=False,
            )
            done.append((step["run"], answer.returncode, answer.stdout + answer.stderr))
            if answer.returncode != 0:
                return done
    return done


def test_every_step_of_the_workflow_passes_beside_a_schema_that_is_as_it_was(
    workspace: Path, database_url: str
) -> None:
    done = _run(workspace, {"SHOP_DATABASE_URL": database_url})
    assert [code for _, code, _ in done] == [0, 0], done
    assert "contract, snapshot, frozen OpenAPI, live schema compared: 0 errors" in done[-1][2]


def test_the_build_fails_and_says_why_when_the_schema_has_broken_the_contract(
    workspace: Path, database_url: str
) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("ALTER TABLE customer DROP nm")
    step, code, told = _run(workspace, {"SHOP_DATABASE_URL": database_url})[-1]
    assert (step, code) == ("banyan check --project shop_api --no-data", 1), told
    assert "customer.nm" in told


def test_the_workflow_asks_for_a_python_that_the_package_runs_on() -> None:
    steps = [step for job in _workflow()["jobs"].values() for step in job["steps"]]
    (version,) = (step["with"]["python-version"] for step in steps if "setup-python" in step.get("uses", ""))
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["requires-python"]
    assert version in SpecifierSet(declared)
