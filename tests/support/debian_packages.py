"""Debian packages unpacked into a cache, for the files in them: nothing is installed, no right is needed."""

from __future__ import annotations

import fcntl
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "banyan-tests"


def debian_package(name: str) -> Path:
    """The unpacked contents of a Debian package, fetched once. Fails naming the command when it cannot be had."""
    return _unpacked(name, lambda: [name])


def debian_php() -> Path:
    """PHP's command line with its PostgreSQL extension, and the libraries of both that this machine does not have."""
    return _unpacked("php", _php_packages)


def _php_packages() -> list[str]:
    """Names of the packages: those of the version, and whatever apt would install with them here."""
    depends = _apt("apt-cache", "depends", "php-cli")
    found = re.search(r"Depends: php(\d+\.\d+)-cli", depends)
    if found is None:
        _apt("apt-get", "update", "-qq")
        found = re.search(r"Depends: php(\d+\.\d+)-cli", _apt("apt-cache", "depends", "php-cli"))
    assert found, (
        f"this test needs the Debian package php-cli, which apt does not know; perhaps apt-get update first\n{depends}"
    )
    version = found[1]
    own = [f"php{version}-cli", f"php{version}-common", f"php{version}-pgsql"]
    wanted = _apt(
        "apt-get", "install", "--print-uris", "--yes", "-qq", "--no-install-recommends", "php-cli", "php-pgsql"
    )
    missing = re.findall(r"^'\S+' (\S+?)_\S+\.deb", wanted, re.MULTILINE)
    return sorted({*own, *missing})


def _unpacked(name: str, packages: Callable[[], list[str]]) -> Path:
    folder = CACHE / name
    with _alone(name):
        if not (folder / "unpacked").exists():
            folder.mkdir(parents=True, exist_ok=True)
            names = packages()
            for package in names:
                _download(package, folder)
            for archive in sorted(folder.glob("*.deb")):
                subprocess.run(["dpkg", "-x", archive, folder / "unpacking"], check=True, capture_output=True)
                archive.unlink()
            (folder / "unpacking").rename(folder / "unpacked")
    return folder / "unpacked"


def _download(package: str, folder: Path) -> None:
    """A bare machine has no package lists yet; whoever may fetches them then."""
    if list(folder.glob(f"{package}_*.deb")):
        return
    command = ["apt-get", "download", package]
    said = _apt(*command, folder=folder)
    if not list(folder.glob(f"{package}_*.deb")):
        _apt("apt-get", "update", "-qq")
        said = _apt(*command, folder=folder)
    needed = f"this test needs the Debian package {package}; run in {folder}: {' '.join(command)}"
    assert list(folder.glob(f"{package}_*.deb")), f"{needed}\n(perhaps apt-get update first)\n{said.strip()[-400:]}"


def _apt(*command: str, folder: Path | None = None) -> str:
    """What it printed; where it cannot run, why."""
    try:
        answer = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=100)
    except (FileNotFoundError, subprocess.TimeoutExpired) as error:
        return str(error)
    return answer.stdout + answer.stderr


@contextmanager
def _alone(name: str) -> Iterator[None]:
    """One process at a time: tests run side by side."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
