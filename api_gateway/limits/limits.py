"""Whose bucket a request is taken from, and how large it is."""

from __future__ import annotations

import time
from collections.abc import Callable

from api_gateway.limits.meter import Meter, Verdict


class Limits:
    """Requests per minute of one consumer, and of one address without a valid key; 0: as many as it likes.

    shared_by  how many processes share the load just now
    """

    def __init__(
        self,
        per_consumer: int,
        per_address: int,
        *,
        shared_by: Callable[[], int] = lambda: 1,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._per_consumer, self._per_address = per_consumer, per_address
        self._shared_by, self._clock = shared_by, clock
        self._consumers, self._addresses = Meter(), Meter()

    def of_consumer(self, code: str, own: int | None) -> Verdict | None:
        """`own`: the consumer's limit, None where it has none of its own. None: it is not limited."""
        quota = self._per_consumer if own is None else own
        return self._take(self._consumers, code, quota)

    def of_address(self, address: str) -> Verdict | None:
        return self._take(self._addresses, address, self._per_address)

    def _take(self, meter: Meter, name: str, quota: int) -> Verdict | None:
        return meter.take(name, quota, max(1, self._shared_by()), self._clock()) if quota else None
