"""Ctrl-C and an order to end: what was begun is ended in peace, whatever line the signal falls on."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from api_gateway.errors import EnvironmentFault

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _Stop:
    """`held`: inside this many `uninterrupted`. `wanted`: a signal came there."""

    held = 0
    wanted = False


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Once, however often Ctrl-C is pressed. Raises EnvironmentFault in place of KeyboardInterrupt."""
    before = {number: signal.getsignal(number) for number in _SIGNALS}

    def stop(number: int, frame: FrameType | None) -> None:
        for each in _SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        _Stop.wanted = True
        if not _Stop.held:
            raise KeyboardInterrupt

    _Stop.wanted = False
    try:
        for number in _SIGNALS:
            signal.signal(number, stop)
        yield
    except KeyboardInterrupt:
        raise EnvironmentFault("stopped.") from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """A process that is started and not yet known to whoever ends it would be left behind: signals wait meanwhile."""
    _Stop.held += 1
    try:
        yield
    finally:
        _Stop.held -= 1
    if _Stop.wanted and not _Stop.held:
        _Stop.wanted = False
        raise KeyboardInterrupt
