"""As whom PostgreSQL runs. It refuses to run as root, and a container's root may neither have nor make other users.

user        we are no root: run it as we are
namespace   root, and user namespaces are allowed: inside, root looks like `nobody`; files stay root's
nobody      root, and they are forbidden: become `nobody`, who must be able to walk to programs and data
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

NOBODY = 65534  # initdb wants an entry in passwd, so a free number would not do
_UNSHARE = ("unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}")


@dataclass(frozen=True, slots=True)
class Identity:
    """How to start a program as PostgreSQL's user: a command prefix, Popen arguments, and who owns the files."""

    name: str
    owner: int
    prefix: tuple[str, ...] = ()
    popen: dict[str, Any] = field(default_factory=dict)


def identity() -> Identity:
    """Probe this machine; takes a few milliseconds."""
    if os.geteuid() != 0:
        return Identity("user", os.geteuid())
    if _namespaces_allowed():
        return Identity("namespace", 0, _UNSHARE)
    return Identity("nobody", NOBODY, popen={"user": NOBODY, "group": NOBODY, "extra_groups": [], "cwd": "/"})


def _namespaces_allowed() -> bool:
    try:
        return subprocess.run([*_UNSHARE, "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def nobody_reaches(path: Path) -> bool:
    """Could `nobody` walk to this folder? Asks the kernel, since mode bits do not tell the whole story."""
    walk = ["/bin/sh", "-c", 'cd "$1"', "sh", str(path)]
    try:
        answer = subprocess.run(
            walk, user=NOBODY, group=NOBODY, extra_groups=[], cwd="/", capture_output=True, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return False  # all capabilities are dropped: we cannot even become nobody
    return answer.returncode == 0
