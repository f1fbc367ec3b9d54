"""PostgreSQL's own dump, taken while the source goes on working, and put back into a new database."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from api_gateway.errors import EnvironmentFault, UsageError
from shared_models.state import SCHEMA

_DEBIAN = Path("/usr/lib/postgresql")


def copy_database(source: str, target: str, server_version: int) -> None:
    """Copy everything but the data of our own schema: nobody's counts, jobs and keys are evidence of a copy.

    source, target   URLs; `target` is empty. Raises EnvironmentFault in one line when a program fails.
    """
    programs = _programs(server_version)
    with TemporaryDirectory(prefix="banyan-verify-") as folder:
        dump = ["--format=directory", "--compress=0", "--jobs=2", f"--exclude-table-data={SCHEMA}.*"]
        _run([str(programs / "pg_dump"), *dump, f"--file={folder}/dump", f"--dbname={source}"])
        _run([str(programs / "pg_restore"), "--jobs=2", "--exit-on-error", f"--dbname={target}", f"{folder}/dump"])


def _programs(server_version: int) -> Path:
    """The folder of a `pg_dump` that is at least as new as the server, as it must be; the oldest that is."""
    found: dict[int, Path] = {}
    for folder in _folders():
        version = _version(folder / "pg_dump")
        if version is not None and version >= server_version // 10000:
            found.setdefault(version, folder)
    if not found:
        raise UsageError(
            f"there is no pg_dump for PostgreSQL {server_version // 10000} here.",
            hint=f"Install postgresql-client-{server_version // 10000}.",
        )
    return found[min(found)]


def _folders() -> Iterator[Path]:
    on_path = shutil.which("pg_dump")
    if on_path is not None:
        yield Path(on_path).parent
    if _DEBIAN.is_dir():
        yield from (folder / "bin" for folder in sorted(_DEBIAN.iterdir()))
    from api_gateway.postgres.binaries import programs
    from api_gateway.postgres.identity import identity

    try:
        yield programs(identity())
    except EnvironmentFault:  # the embedded server is an extra; without it the system's programs must do
        return


def _version(program: Path) -> int | None:
    try:
        said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    number = re.search(r"(\d+)(?:\.\d+)?(?:\D|$)", said)
    return int(number[1]) if number else None


def _run(words: list[str]) -> None:
    answer = subprocess.run(
        words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"}
    )
    if answer.returncode:
        lines = [line for line in answer.stderr.splitlines() if line.strip()]
        said = next((line for line in lines if "error" in line.lower()), lines[-1] if lines else "no output")
        raise EnvironmentFault(f"{Path(words[0]).name} failed: {said.removeprefix('pg_restore: ')[:300]}")
