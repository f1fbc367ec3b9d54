"""schemathesis, with every check it has, against the running API of the example."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from api_gateway.api.contract import load_contract
from api_gateway.postgres import Server
from api_gateway.project import Limits, load_project
from tests.support.api import NORTHGATE, listening, partners, serving

ROOT = Path(__file__).parent.parent.parent
# A precondition comes out as what is stored decides, as a conflict does: no fault of a request that fits the schema.
CONFIGURATION = """
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "304", "401", "403", "404", "409", "412", "5xx"]
"""


@pytest.mark.timeout(400)
def test_schemathesis_finds_nothing(server: Server, writing_url: str, tmp_path: Path) -> None:
    (tmp_path / "schemathesis.toml").write_text(CONFIGURATION, "utf-8")
    project = load_project(NORTHGATE)  # without rate limits, which thousands of bad keys from one address would meet
    limits = Limits(requests_per_minute=0, anonymous_per_minute=0)
    project = replace(project, configuration=project.configuration.model_copy(update={"limits": limits}))
    contract = load_contract(project)
    url = server.url(writing_url.rsplit("/", 1)[1], user="banyan_api")
    with serving(url, partners(contract), project=project, contract=contract) as api, listening(api) as address:
        answer = subprocess.run(
            [
                Path(sys.executable).parent / "schemathesis", "run", f"{address}/api/openapi.json",
                "--header", "X-API-Key: acme", "--checks", "all", "--max-examples", "15", "--seed", "7",
            ],
            env={**os.environ, "SCHEMATHESIS_HOOKS": "tests.support.schemathesis_hooks", "PYTHONPATH": str(ROOT)},
            cwd=tmp_path, capture_output=True, text=True, check=False, timeout=380,
        )  # fmt: skip
    assert answer.returncode == 0, answer.stdout[-6000:] + answer.stderr
    assert re.search(r"Selected: (\d+)/\1\s+Tested: \1\s", answer.stdout), answer.stdout[-3000:]
