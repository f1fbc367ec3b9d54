"""The last known stages and register in a file, for the day when the database is away at start.

It holds who the consumers are and the hashes of what they are known by, so it is readable by its owner only. It is
written beside and renamed, so a reader finds the old state or the new, never half of one.
"""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from api_gateway.consumers import Register
from api_gateway.stages import StageTable

FILE = "stages.json"


@dataclass(frozen=True, slots=True)
class Kept:
    """What a process acts on: where every route stands, and who the callers are."""

    table: StageTable = field(default_factory=StageTable)
    register: Register = field(default_factory=Register)

    @property
    def versions(self) -> tuple[int, int]:
        return self.table.version, self.register.version


def keep(state_dir: Path, kept: Kept) -> None:
    """Replace the file. Raises OSError when the disk is full or the folder may not be written; the old file stays."""
    state_dir.mkdir(parents=True, exist_ok=True)
    document = {**json.loads(kept.table.to_json()), "register": kept.register.as_json()}
    descriptor, beside = tempfile.mkstemp(dir=state_dir, prefix=".stages-")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(document, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        Path(beside).replace(state_dir / FILE)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise


def read_kept(state_dir: Path) -> Kept | None:
    """What the file holds; None when there is none, or it cannot be read: everything is at legacy then."""
    try:
        text = (state_dir / FILE).read_text("utf-8")
        return Kept(StageTable.from_json(text), Register.from_json(json.loads(text)["register"]))
    except (OSError, ValueError, KeyError):
        return None
