"""What must start fast, or start at all when the database is away, imports no database library."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize("module", ["api_gateway.cli", "api_gateway.stages", "api_gateway.consumers"])
def test_it_comes_without_a_database_library(module: str) -> None:
    program = f"import sys, {module}; sys.exit(' '.join({{'psycopg', 'sqlalchemy'}} & set(sys.modules)) or 0)"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (answer.returncode, answer.stderr) == (0, "")
