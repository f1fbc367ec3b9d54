"""What `pg_dump` says of a database: its whole definition, privileges and owners included, and its data."""

from __future__ import annotations

import re
import subprocess

from api_gateway.postgres import Server


def dump(server: Server, url: str) -> str:
    answer = subprocess.run([server.programs / "pg_dump", "--create", url], capture_output=True, text=True, check=True)
    # Since its last security release pg_dump fences its scripts with a random key.
    return re.sub(r"(?m)^\\(un)?restrict .*$", "", answer.stdout)
