"""`banyan freeze` and `banyan thaw`: one switch for everything that moves by itself."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

Reason = Annotated[str, typer.Option("--reason", help="Why; it is kept.")]
Actor = Annotated[str | None, typer.Option("--actor", help="Who says so; default: the login name.")]


def freeze(reason: Reason, actor: Actor = None) -> None:
    """Let nothing move by itself: no automatic rollback, no step of a plan. What people move goes on moving."""
    _set(True, reason, actor)


def thaw(reason: Reason, actor: Actor = None) -> None:
    """Let things move by themselves again."""
    _set(False, reason, actor)


def _set(frozen: bool, reason: str, actor: str | None) -> None:
    from api_gateway import ledger
    from api_gateway.cli.database import owner_connection
    from api_gateway.errors import UsageError
    from api_gateway.settings import settings

    if not reason.strip():
        raise UsageError("a freeze needs a reason: whoever wonders later will ask for it.")
    with owner_connection(settings()) as connection:
        present = ledger.read_freeze(connection)
        if (present is not None) is frozen:
            if present is not None:
                raise UsageError(f"it is frozen already, by {present.actor}: {present.reason}")
            raise UsageError("nothing is frozen.")
        ledger.set_freeze(connection, frozen=frozen, actor=actor or getpass.getuser(), reason=reason)
    print("nothing moves by itself now." if frozen else "what moves by itself moves again.")
