"""schemathesis, with every check it has, against the running API of the example."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from api_gateway.accounts.build import build_accounts
from api_gateway.api.contract import load_contract
from api_gateway.postgres import Server
from api_gateway.project import Limits, load_project
from tests.support.accounts import settings_of
from tests.support.api import NORTHGATE, Api, listening, partners, serving

ROOT = Path(__file__).parent.parent.parent
# What a precondition comes to is about what is stored, as a conflict is: no fault of a request that fits the schema.
CONFIGURATION = """
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "304", "401", "403", "404", "409", "412", "5xx"]

# Nor is a password that nobody has.
[[operations]]
include-path-regex = "/auth/"
[operations.checks.positive_data_acceptance]
expected-statuses = ["2xx", "400", "401", "403", "409", "429"]
"""
HOOKS = {"SCHEMATHESIS_HOOKS": "tests.support.schemathesis_hooks", "PYTHONPATH": str(ROOT)}
# Every boundary of every parameter, where each kind of request is: read, searched, written, operated.
# A file and a sum take the filters of their list.
BOUNDARIES = "(customer-notes|orders(?!:)|items/)"


@pytest.fixture
def unlimited(server: Server, clone: Callable[[str], str], api_template: str, tmp_path: Path) -> Iterator[Api]:
    """The example's API for somebody who asks as often as he can, also without a valid key."""
    project = load_project(NORTHGATE)
    limits = Limits(requests_per_minute=10_000_000, anonymous_per_minute=10_000_000)
    project = replace(project, configuration=project.configuration.model_copy(update={"limits": limits}))
    contract = load_contract(project)
    administrator = clone(api_template)
    url = server.url(administrator.rsplit("/", 1)[1], user="banyan_api")
    accounts = build_accounts(project, settings_of(server, administrator, tmp_path))
    with serving(url, partners(contract), project=project, contract=contract, accounts=accounts) as api:
        yield api


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("asked", "variables"),
    [
        pytest.param(
            ["--phases", "examples,fuzzing,stateful", "--max-examples", "5"],
            {"SINGLE_CONDITIONS": "1"},
            id="every operation",
        ),
        pytest.param(["--phases", "coverage", "--include-path-regex", BOUNDARIES], {}, id="every boundary"),
    ],
)
def test_schemathesis_finds_nothing(
    unlimited: Api, tmp_path: Path, asked: list[str], variables: dict[str, str]
) -> None:
    (tmp_path / "schemathesis.toml").write_text(CONFIGURATION, "utf-8")
    with listening(unlimited) as address:
        answer = subprocess.run(
            [
                Path(sys.executable).parent / "schemathesis", "run", f"{address}/api/openapi.json",
                "--header", "X-API-Key: acme", "--checks", "all", "--seed", "7", *asked,
            ],
            env={**os.environ, **HOOKS, **variables},
            cwd=tmp_path, capture_output=True, text=True, check=False, timeout=580,
        )  # fmt: skip
    assert answer.returncode == 0, answer.stdout[-6000:] + answer.stderr
    assert answer.stdout.count("✅") >= 2
