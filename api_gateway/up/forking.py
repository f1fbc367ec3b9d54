"""Start a verb of ours as a copy of this process, which has imported already what the verb needs.

Importing costs each process more than a second of CPU; on two cores that is most of a start. Only the first start is a
copy: a process that is started again after its end is a program of its own, with the files as they are then.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from api_gateway.settings import settings

Main = Callable[[], None]

_PR_SET_NAME = 15
_HIGHEST_FD = 4096


class Copy:
    """A forked process, with as much of `subprocess.Popen` as a supervisor needs."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """The exit code once it has ended, negative for a signal; None while it runs."""
        if self.returncode is None:
            try:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
            except ChildProcessError:
                self.returncode = -signal.SIGKILL
            else:
                self.returncode = os.waitstatus_to_exitcode(status) if pid else None
        return self.returncode


def preload() -> None:
    """Import what the verbs share. Not gRPC: it does not take being copied well."""
    import api_gateway.app
    import api_gateway.edge.supervise
    import api_gateway.worker  # noqa: F401 - imported before the fork, for its children


def copy(main: Main, words: Sequence[str], environment: Mapping[str, str], log: Path, folder: Path) -> Copy:
    """Run `main`, the command line, with these words in a copy of this process, in a session of its own.

    This process must have one thread.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid == 0:
        _become(main, words, environment, log, folder)
    return Copy(pid)


def _become(main: Main, words: Sequence[str], environment: Mapping[str, str], log: Path, folder: Path) -> NoReturn:
    code = 1
    try:
        os.setsid()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        _replace_files(log)
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        ctypes.CDLL(None).prctl(_PR_SET_NAME, f"banyan {words[0]}".encode(), 0, 0, 0)
        code = _run(main, words)
    finally:
        os._exit(code)  # never back into the supervisor's own frames


def _replace_files(log: Path) -> None:
    """Input from nowhere, output to the log; what the supervisor holds, its lock above all, is let go."""
    nowhere = os.open(os.devnull, os.O_RDONLY)
    written = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    for source, target in ((nowhere, 0), (written, 1), (written, 2)):
        os.dup2(source, target)
    os.closerange(3, _HIGHEST_FD)


def _run(main: Main, words: Sequence[str]) -> int:
    settings.cache_clear()
    sys.argv = ["banyan", *words]
    try:
        main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0
