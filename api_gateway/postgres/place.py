"""Where the data lives: the wanted folder, unless PostgreSQL's user cannot walk there."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from pathlib import Path

from api_gateway.errors import EnvironmentFault
from api_gateway.postgres.identity import Identity, nobody_reaches

_ELSEWHERE = Path("/var/lib/banyan")


def data_folder(wanted: Path, who: Identity) -> Path:
    """The folder to use, made and owned rightly. Where it is not `wanted`, `wanted.at` beside it says where it is."""
    wanted = Path(os.path.abspath(wanted))
    wanted.parent.mkdir(parents=True, exist_ok=True)
    pointer = wanted.with_name(f"{wanted.name}.at")
    place = Path(pointer.read_text().strip()) if pointer.exists() else _choose(wanted, who, pointer)
    place.mkdir(mode=0o700, exist_ok=True)
    _own(place, who.owner)
    return place


def _choose(wanted: Path, who: Identity, pointer: Path) -> Path:
    if who.name != "nobody" or nobody_reaches(wanted.parent):
        return wanted
    _ELSEWHERE.mkdir(mode=0o755, parents=True, exist_ok=True)
    status = os.lstat(_ELSEWHERE)
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != 0 or status.st_mode & 0o022:
        raise EnvironmentFault(f"{_ELSEWHERE} is not root's own folder, so no data is put there.")
    place = _ELSEWHERE / f"{wanted.parent.name}-{hashlib.sha256(bytes(wanted)).hexdigest()[:8]}"
    if (wanted / "PG_VERSION").exists():
        shutil.move(wanted, place)
    pointer.write_text(str(place))
    return place


def _own(folder: Path, owner: int) -> None:
    """Kept data changes hands when the identity changes; the top folder last, so that a cut-off is repeated."""
    if os.geteuid() != 0 or os.lstat(folder).st_uid == owner:
        return
    for parent, folders, files in os.walk(folder, topdown=False):
        for name in (*files, *folders):
            os.lchown(os.path.join(parent, name), owner, owner)
    os.lchown(folder, owner, owner)
