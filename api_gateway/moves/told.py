"""What the log is told of a move, whoever made it."""

from __future__ import annotations

from api_gateway import events
from api_gateway.ledger import Entry
from api_gateway.logging import report


def report_moved(entry: Entry) -> None:
    """Of an entry that is written."""
    done = entry.move
    report(
        events.StageMoved(
            entry.version,
            done.route,
            done.consumer,
            str(done.from_stage),
            str(done.to_stage),
            done.kind,
            done.actor,
            done.reason,
        )
    )
