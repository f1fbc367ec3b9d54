"""What stands behind a project's `tables.py` at run time: each table is made from the snapshot when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Lock

import sqlalchemy as sa

from shared_models.snapshot import Snapshot
from shared_models.tables import core_table
from shared_models.tables_source import attributes

SNAPSHOT = "schema.lock.json"


def tables_beside(
    module: str, metadata: sa.MetaData, places: Mapping[str, tuple[str, str]]
) -> Callable[[str], sa.Table]:
    """The `__getattr__` of a module whose file is `module`, and which has the snapshot beside it.

    places  (schema, name) of each table, by the variable that the module promises
    """
    made: dict[str, sa.Table] = {}
    lock = Lock()

    def get(name: str) -> sa.Table:
        if name not in places:
            raise AttributeError(f"{module} has no table {name!r}")
        with lock:
            if name not in made:
                made[name] = _table(Path(module).with_name(SNAPSHOT), places[name], metadata)
        return made[name]

    return get


def _table(path: Path, place: tuple[str, str], metadata: sa.MetaData) -> sa.Table:
    table = Snapshot.read(path, [place]).table(*place)
    if table is None:
        raise AttributeError(f"{path.name} has no table {'.'.join(place)}: `banyan check --write` brings both together")
    return core_table(table, metadata, attributes(table))
