"""A whole Banyan on this machine, started as a person starts it: `banyan up`."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from api_gateway.postgres import free_port

ROOT = Path(__file__).parents[2]
BANYAN = (sys.executable, "-m", "api_gateway.cli")


@dataclass(slots=True)
class Instance:
    """A running `banyan up` with a folder of its own: `folder/northgate_api`, `folder/.banyan`."""

    process: subprocess.Popen[bytes]
    folder: Path
    environment: Mapping[str, str]

    @property
    def state(self) -> Path:
        return self.folder / ".banyan"

    def description(self) -> dict[str, Any]:
        return dict(json.loads((self.state / "up.json").read_text()))

    @property
    def edge(self) -> str:
        return str(self.description()["edge"])

    def banyan(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a verb beside the running instance, in the same environment as its processes."""
        return run_banyan(*words, folder=self.folder, environment=self.environment)

    def said(self) -> str:
        """What a person saw in the terminal so far."""
        return (self.folder / "up.out").read_text()

    def pids(self) -> list[int]:
        """Every process id of the instance that up.json names, without `up` itself."""
        named = self.description()["pids"]
        flat = [pid for value in named.values() for pid in (value if isinstance(value, list) else [value])]
        return [pid for pid in flat if pid and pid != self.process.pid]


def run_banyan(
    *words: str, folder: Path = ROOT, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*BANYAN, *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def copy_of_the_example(folder: Path) -> Path:
    """The example's project, free to be changed; its legacy app is the real one."""
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "northgate_api", folder / "northgate_api", ignore=ignore)
    (folder / "legacy_admin").symlink_to(ROOT / "legacy_admin")
    toml = folder / "northgate_api" / "banyan.toml"
    toml.write_text(toml.read_text().replace("manage.py seed", "manage.py seed --small"))
    return folder / "northgate_api"


@contextmanager
def up(folder: Path, *words: str, environment: Mapping[str, str] | None = None) -> Iterator[Instance]:
    """Start, wait until ready, and stop at the end."""
    instance = start_up(folder, *words, environment=environment)
    try:
        wait_until_ready(instance)
        yield instance
    finally:
        if instance.process.poll() is None:
            instance.process.send_signal(signal.SIGTERM)
        instance.process.wait(20)


def start_up(folder: Path, *words: str, environment: Mapping[str, str] | None = None) -> Instance:
    merged = {"BANYAN_STATE_DIR": str(folder / ".banyan"), **(environment or {})}
    port = () if "--port" in words else ("--port", str(free_port()))
    with (folder / "up.out").open("wb") as output:
        process = subprocess.Popen(
            [*BANYAN, "up", *port, *words],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), **merged},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return Instance(process, folder, merged)


def wait_until_ready(instance: Instance, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not (instance.state / "up.json").exists():
        if instance.process.poll() is not None or time.monotonic() > deadline:
            instance.process.kill()
            logs = "\n".join(
                f"--- {path.name}\n{path.read_text(errors='replace')[-1500:]}"
                for path in sorted((instance.state / "log").glob("*.log"))
            )
            raise AssertionError(f"banyan up did not become ready:\n{instance.said()}\n{logs}")
        time.sleep(0.05)


def alive(pids: list[int]) -> list[int]:
    """Which of these processes still run (a zombie does not)."""
    living = []
    for pid in pids:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except OSError:
            continue
        if state != "Z":
            living.append(pid)
    return living
