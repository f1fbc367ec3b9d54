"""The history of moves, which process acts on which version of it, and the watch that keeps a process at the newest."""

from api_gateway.ledger.entries import (
    Entry,
    Move,
    MoveKind,
    Superseded,
    append,
    history,
    place,
    previous_stage,
    read_table,
)
from api_gateway.ledger.kept import Kept, keep, read_kept
from api_gateway.ledger.processes import (
    LIVE_FOR,
    Identity,
    Process,
    ProcessKind,
    acknowledge,
    await_processes,
    laggards,
    leave,
    names,
    processes,
    register_laggards,
)
from api_gateway.ledger.watch import Watcher, watch

__all__ = [
    "LIVE_FOR",
    "Entry",
    "Identity",
    "Kept",
    "Move",
    "MoveKind",
    "Process",
    "ProcessKind",
    "Superseded",
    "Watcher",
    "acknowledge",
    "append",
    "await_processes",
    "history",
    "keep",
    "laggards",
    "leave",
    "names",
    "place",
    "previous_stage",
    "processes",
    "read_kept",
    "read_table",
    "register_laggards",
    "watch",
]
