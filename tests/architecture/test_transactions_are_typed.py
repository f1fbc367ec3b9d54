"""A write through a read transaction does not pass the type checker. That the server refuses it is tested elsewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
OPERATION = """
import sqlalchemy as sa

from api_gateway.api.transactions import Read, Write
from northgate_api import tables as t
from shared_models.database import ReadTransaction


async def reading(tx: Read) -> int:
    await tx.execute(sa.insert(t.category).values(cat_cd="X", nm="x"))  # refused
    await tx.rows(sa.insert(t.category).values(cat_cd="X", nm="x"))  # refused
    await tx.rows(sa.update(t.category).values(nm="x"))  # refused
    await tx.value(sa.delete(t.category))  # refused
    return len(await tx.rows(sa.select(t.category.c.nm)))


async def writing(tx: Write) -> None:
    await tx.execute(sa.insert(t.category).values(cat_cd="X", nm="x"))
    await tx.execute(sa.select(t.category.c.nm))  # refused
    await needs_reading_only(tx)


async def needs_reading_only(tx: ReadTransaction) -> None:
    await writing(tx)  # refused
"""


def test_the_type_checker_refuses_exactly_the_wrong_lines(tmp_path: Path) -> None:
    bad = tmp_path / "bad_operation.py"
    bad.write_text(OPERATION)
    command = [sys.executable, "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml"), str(bad)]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout
    found = {int(line) for line in re.findall(r"bad_operation\.py:(\d+): error", said)}
    expected = {n for n, line in enumerate(OPERATION.splitlines(), 1) if line.endswith("# refused")}
    assert found == expected, said
