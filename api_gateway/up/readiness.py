"""When a process can take work: its port answers."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from urllib.parse import urlsplit

from api_gateway.errors import EnvironmentFault
from api_gateway.up.children import Child
from api_gateway.up.plan import Program


def is_ready(program: Program) -> bool:
    if program.ready_url is not None:
        return answers(program.ready_url)
    if program.ready_port is None:
        return True
    with suppress(OSError), socket.create_connection(("127.0.0.1", program.ready_port), timeout=0.5):
        return True
    return False


def answers(url: str, timeout: float = 2.0) -> bool:
    """Whether anything below 500 comes back from this URL."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "127.0.0.1", parts.port or 80, timeout=timeout)
    try:
        connection.request("GET", (parts.path or "/") + (f"?{parts.query}" if parts.query else ""))
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def wait(pairs: Sequence[tuple[Program, Child]], seconds: float) -> None:
    """Raises EnvironmentFault naming the first process that ended or is not ready in time."""
    deadline = time.monotonic() + seconds
    waiting = list(pairs)
    while waiting:
        for program, child in waiting:
            if child.has_ended():
                raise EnvironmentFault(
                    f"{program.name} did not start: {child.last_words() or 'no output'}", hint=f"See {child.log}."
                )
        waiting = [(program, child) for program, child in waiting if not is_ready(program)]
        if waiting and time.monotonic() > deadline:
            names = ", ".join(program.name for program, _ in waiting)
            raise EnvironmentFault(f"not ready within {seconds:.0f} s: {names}.", hint=f"See {waiting[0][1].log}.")
        time.sleep(0.08)
