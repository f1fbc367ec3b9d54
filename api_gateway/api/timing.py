"""Where the time of an answer went, for whoever asked: the Server-Timing header (W3C Server Timing)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter


class Timing:
    """Starts when it is made."""

    def __init__(self) -> None:
        self._start, self._database = perf_counter(), 0.0

    @contextmanager
    def database(self) -> Iterator[None]:
        start = perf_counter()
        try:
            yield
        finally:
            self._database += perf_counter() - start

    def headers(self) -> list[tuple[bytes, bytes]]:
        """Milliseconds until now."""
        total = perf_counter() - self._start
        value = f"db;dur={self._database * 1000:.1f}, total;dur={total * 1000:.1f}"
        return [(b"server-timing", value.encode())]
