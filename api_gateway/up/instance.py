"""The files of a running instance under `.banyan/`: who runs, what it listens on, and the demonstration's secrets."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from api_gateway.errors import EnvironmentFault


@dataclass(frozen=True, slots=True)
class Instance:
    """The state folder, locked by this process until it ends."""

    folder: Path
    lock: TextIO

    @property
    def description(self) -> Path:
        return self.folder / "up.json"

    def log(self, name: str) -> Path:
        return self.folder / "log" / f"{name}.log"

    def describe(self, document: Mapping[str, Any]) -> None:
        write_private(self.description, json.dumps(document, indent=2) + "\n")

    def secret(self, name: str) -> str:
        """A random secret of this folder, the same at every start."""
        path = self.folder / "secrets.json"
        kept: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
        if name not in kept:
            kept[name] = secrets.token_urlsafe(24)
            write_private(path, json.dumps(kept, indent=1))
        return kept[name]

    def keep_secret(self, name: str, value: str) -> None:
        path = self.folder / "secrets.json"
        kept: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
        write_private(path, json.dumps({**kept, name: value}, indent=1))

    def kept_secret(self, name: str) -> str | None:
        path = self.folder / "secrets.json"
        return json.loads(path.read_text()).get(name) if path.exists() else None

    def forget(self) -> None:
        self.description.unlink(missing_ok=True)
        (self.folder / "pids.json").unlink(missing_ok=True)


def claim(folder: Path) -> Instance:
    """Take the folder. Raises EnvironmentFault when another `up` has it, or it cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "log").mkdir(exist_ok=True)
        lock = (folder / "up.lock").open("a+")
    except OSError as error:
        raise EnvironmentFault(f"{folder} cannot be written: {error.strerror}.") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.seek(0)
        raise EnvironmentFault(
            f"banyan is already up here (process {lock.read().strip() or 'unknown'}).",
            hint="Stop it first, or give this one its own folder: BANYAN_STATE_DIR=…",
        ) from None
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return Instance(folder.resolve(), lock)


def end_leftovers(instance: Instance) -> int:
    """End what an `up` that was itself killed left running. Returns how many processes."""
    path = instance.folder / "pids.json"
    with suppress(OSError, ValueError):
        remembered: dict[str, float] = json.loads(path.read_text())
        alive = [int(pid) for pid, began in remembered.items() if _began(int(pid)) == began]
        for number in (signal.SIGINT, signal.SIGKILL):  # PostgreSQL takes SIGINT as a fast, clean shutdown
            for pid in alive:
                with suppress(ProcessLookupError):
                    os.kill(pid, number)
            deadline = time.monotonic() + 2
            while time.monotonic() < deadline and any(_began(pid) is not None for pid in alive):
                time.sleep(0.02)
        path.unlink(missing_ok=True)
        return len(alive)
    return 0


def remember(instance: Instance, pids: list[int]) -> None:
    """A pid alone may be somebody else's by tomorrow; a pid and its start are not."""
    write_private(instance.folder / "pids.json", json.dumps({str(pid): _began(pid) for pid in pids}))


def write_private(path: Path, text: str) -> None:
    """Replace a file at once, readable by its owner only."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    unfinished.replace(path)


def _began(pid: int) -> float | None:
    """The process's start in clock ticks since boot, or None when it is gone (or a zombie)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else float(fields[19])
