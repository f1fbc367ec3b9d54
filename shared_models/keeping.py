"""Who notes what a WriteTransaction's statements change: it is handed each of them, and told when all is done."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from sqlalchemy import Executable
from sqlalchemy.sql.dml import Delete, Insert, Update

Row = dict[str, Any]
Run = Callable[[Executable], Awaitable[list[Row]]]
Written = Insert | Update | Delete


class Keeper(Protocol):
    """Raises what the statements raise: a write that cannot be noted does not happen."""

    async def executed(self, statement: Written, run: Run) -> list[Row]:
        """Run the statement; the rows of its own RETURNING clause. `run` runs statements in the transaction."""
        ...

    async def finish(self) -> None:
        """Called before the commit: nothing more will be written."""
        ...

    def mark(self) -> int:
        """A savepoint begins: where to go back to."""
        ...

    def forget(self, mark: int) -> None:
        """It was rolled back: what was noted since did not happen."""
        ...
