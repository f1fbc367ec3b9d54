"""Where the time of an answer went, for whoever asked: the Server-Timing header (W3C Server Timing)."""

from __future__ import annotations

from time import perf_counter
from typing import Self


class Timing:
    """Starts when it is made. `with timed.database():` around whatever the database does."""

    def __init__(self) -> None:
        self._start = perf_counter()
        self._asked = self._database = 0.0

    def database(self) -> Self:
        return self

    def __enter__(self) -> None:
        self._asked = perf_counter()

    def __exit__(self, *_: object) -> None:
        self._database += perf_counter() - self._asked

    def headers(self) -> list[tuple[bytes, bytes]]:
        """Milliseconds until now."""
        total = perf_counter() - self._start
        return [(b"server-timing", b"db;dur=%.1f, total;dur=%.1f" % (self._database * 1000, total * 1000))]
