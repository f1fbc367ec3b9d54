"""Node programs that judge and use our API document: fetched once by npm as the lock says, and kept between runs."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

BIN = Path(sys.executable).parent
CLIENTS = Path(__file__).parent.parent / "clients"
_FILES = ("package.json", "package-lock.json", ".npmrc")


def modules() -> Path:
    """A folder with `node_modules`. Node itself comes out of a wheel, so it is there wherever the tests are."""
    lock = hashlib.sha256(b"".join((CLIENTS / name).read_bytes() for name in _FILES)).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "banyan-tests"
    cache.mkdir(parents=True, exist_ok=True)
    found = cache / f"node-{lock}"
    with (cache / "node.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not (found / "whole").exists():
            shutil.rmtree(found, ignore_errors=True)
            found.mkdir()
            for name in _FILES:
                shutil.copy(CLIENTS / name, found / name)
            run(found, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
            (found / "whole").touch()
    return found


def workplace(folder: Path) -> Path:
    """A fresh folder with the clients' sources, in which the programs of `node_modules/.bin` can be run."""
    (folder / "node_modules").symlink_to(modules() / "node_modules")
    for path in CLIENTS.iterdir():
        shutil.copy(path, folder / path.name)
    return folder


def run(folder: Path, *command: str, expected: int = 0) -> str:
    """What the command printed. Its exit status must be the expected one."""
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    answer = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    assert answer.returncode == expected, answer.stdout[-4000:] + answer.stderr[-4000:]
    return answer.stdout
