"""schemathesis, with every check it has, against the running API of the example."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.api import Api, listening

ROOT = Path(__file__).parent.parent.parent
# A precondition that fails is about what is stored, as a conflict is: no fault of a request that fits the schema.
CONFIGURATION = """
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "401", "403", "404", "409", "412", "5xx"]
"""


@pytest.mark.timeout(400)
def test_schemathesis_finds_nothing(writing: Api, tmp_path: Path) -> None:
    (tmp_path / "schemathesis.toml").write_text(CONFIGURATION, "utf-8")
    with listening(writing) as address:
        answer = subprocess.run(
            [
                Path(sys.executable).parent / "schemathesis", "run", f"{address}/api/openapi.json",
                "--header", "X-API-Key: acme", "--checks", "all", "--max-examples", "15", "--seed", "7",
            ],
            env={**os.environ, "SCHEMATHESIS_HOOKS": "tests.support.schemathesis_hooks", "PYTHONPATH": str(ROOT)},
            cwd=tmp_path, capture_output=True, text=True, check=False, timeout=380,
        )  # fmt: skip
    assert answer.returncode == 0, answer.stdout[-6000:] + answer.stderr
    assert answer.stdout.count("✅ 9 passed") >= 2
