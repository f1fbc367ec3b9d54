"""What `pg_dump` says of a database: its whole definition, privileges and owners included, and its data."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Protocol


class HasPrograms(Protocol):
    """A server that knows where psql, pg_dump, … of its version are."""

    @property
    def programs(self) -> Path: ...


def dump(server: HasPrograms, url: str) -> str:
    answer = subprocess.run([server.programs / "pg_dump", "--create", url], capture_output=True, text=True, check=True)
    # Since its last security release pg_dump fences its scripts with a random key.
    return re.sub(r"(?m)^\\(un)?restrict .*$", "", answer.stdout)
