"""The edge's files: bootstrap, route table, pid, log; all in one folder of the running instance.

The route table is replaced by renaming into the folder that Envoy watches: an in-place write is never seen whole, and a
file that cannot be written leaves the last good one.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from api_gateway.edge.entries import Json
from api_gateway.errors import EnvironmentFault

_LONGEST_SOCKET_PATH = 100  # bytes; the kernel takes 107


@dataclass(frozen=True, slots=True)
class EdgeFiles:
    """Where everything is. `folder` is absolute; nobody else may read it: the table holds the pass secret."""

    folder: Path

    @property
    def table(self) -> Path:
        return self.folder / "routes" / "table.json"

    @property
    def bootstrap(self) -> Path:
        return self.folder / "bootstrap.json"

    @property
    def pid(self) -> Path:
        return self.folder / "envoy.pid"

    @property
    def log(self) -> Path:
        return self.folder / "envoy.log"

    @property
    def admin_socket(self) -> Path:
        """Beside the other files, or, where that path is too long for a socket, in the folder for temporary files."""
        beside = self.folder / "admin.sock"
        if len(os.fsencode(beside)) <= _LONGEST_SOCKET_PATH:
            return beside
        digest = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"banyan-{os.getuid()}-{digest}" / "admin.sock"

    def prepare(self) -> None:
        """Make the folders. Raises EnvironmentFault in one line."""
        try:
            for folder in (self.folder, self.table.parent, self.admin_socket.parent):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                if folder.stat().st_uid != os.getuid():
                    raise EnvironmentFault(f"{folder} belongs to another user.")
        except OSError as error:
            raise _unwritable(self.folder, error) from None

    def write_table(self, document: Json) -> None:
        """Replace the route table. Raises EnvironmentFault; the old file then stands."""
        replace(self.table, json.dumps(document))

    def read_table(self) -> Json | None:
        """The table that was written last, or None when there is none that can be read."""
        try:
            document: Json = json.loads(self.table.read_text("utf-8"))
        except (OSError, ValueError):
            return None
        return document if isinstance(document, dict) and document.get("resources") else None

    def read_pid(self) -> int | None:
        with suppress(OSError, ValueError):
            return int(self.pid.read_text())
        return None


def replace(path: Path, text: str) -> None:
    """Write beside and rename: a reader finds the old file or the new. Raises EnvironmentFault."""
    beside = path.with_name(f".{path.name}.new")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        beside.replace(path)
    except OSError as error:
        with suppress(OSError):
            beside.unlink()
        raise _unwritable(path, error) from None


def lock(folder: Path) -> IO[str]:
    """Hold this for as long as the edge is supervised. Raises EnvironmentFault when another supervisor does."""
    try:
        held = (folder / "supervisor.lock").open("a+", encoding="utf-8")
    except OSError as error:
        raise _unwritable(folder, error) from None
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        held.close()
        raise EnvironmentFault(f"another `banyan edge` runs in {folder.parent}.", hint="Stop it first.") from None
    return held


def _unwritable(path: Path, error: OSError) -> EnvironmentFault:
    return EnvironmentFault(f"{path} cannot be written: {error.strerror or error}.")
