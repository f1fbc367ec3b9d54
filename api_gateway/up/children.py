"""The processes that `banyan up` started: start, notice an end, start again, stop, and leave nothing behind."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from api_gateway.up.forking import Copy, Main, copy

_PR_SET_CHILD_SUBREAPER = 36
_QUICK_DEATH_SECONDS = 5.0
_LONGEST_PAUSE_SECONDS = 10.0


@dataclass(slots=True)
class Child:
    """One program, started in a session of its own, so that Ctrl-C reaches only the supervisor."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    folder: Path
    stop_signal: signal.Signals = signal.SIGTERM
    verb: Sequence[str] = ()
    process: subprocess.Popen[bytes] | Copy | None = None
    started: float = 0.0
    _pause: float = 0.0
    _not_before: float = field(default=0.0)

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                cwd=self.folder,
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.started = time.monotonic()

    def start_copied(self, main: Main) -> None:
        """Start a verb of ours without importing everything anew."""
        self.process = copy(main, self.verb, self.environment, self.log, self.folder)
        self.started = time.monotonic()

    @property
    def pid(self) -> int:
        return self.process.pid if self.process is not None else 0

    def has_ended(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def revive(self) -> bool:
        """Start it again when it has ended; one that keeps dying is given longer and longer pauses."""
        if not self.has_ended():
            return False
        now = time.monotonic()
        if self._not_before == 0.0:
            quick = now - self.started < _QUICK_DEATH_SECONDS
            self._pause = min(max(0.2, self._pause * 2), _LONGEST_PAUSE_SECONDS) if quick else 0.0
            self._not_before = now + self._pause
        if now < self._not_before:
            return False
        self._not_before = 0.0
        self.start()
        return True

    def last_words(self) -> str:
        """The last line of its log, for a message."""
        with suppress(OSError):
            lines = [line for line in self.log.read_text(errors="replace").splitlines() if line.strip()]
            return lines[-1].strip() if lines else ""
        return ""


def adopt_orphans() -> None:
    """Become the parent of what a killed child leaves behind, so that it can still be found and ended."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def reap_orphans(waited_for: Collection[int]) -> None:
    """Collect ended processes that fell to us and that nobody waits for."""
    with suppress(OSError):
        own = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
        for pid in map(int, own):
            if pid not in waited_for:
                with suppress(ChildProcessError):
                    os.waitpid(pid, os.WNOHANG)


def descendants(pid: int) -> list[int]:
    """All processes below this one, nearest first."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError, ValueError, IndexError):
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
                children.setdefault(int(fields[1]), []).append(int(entry.name))
    found = list(children.get(pid, []))
    for child in found:
        found.extend(children.get(child, []))
    return found


def stop(children: Sequence[Child], seconds: float) -> None:
    """Ask all at once, wait together, then end what still lives."""
    for child in children:
        if not child.has_ended():
            with suppress(ProcessLookupError):
                os.kill(child.pid, child.stop_signal)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not all(child.has_ended() for child in children):
        time.sleep(0.01)
    for child in children:
        if not child.has_ended():
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)


def end_everything_below(pid: int, seconds: float = 0.5) -> None:
    """The last broom: whatever still descends from this process."""
    deadline = time.monotonic() + seconds
    while (remaining := descendants(pid)) and time.monotonic() < deadline:
        for each in remaining:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(each, signal.SIGKILL)
            with suppress(ChildProcessError, OSError):
                os.waitpid(each, os.WNOHANG)
        time.sleep(0.01)
