"""Is there a connection pooler in between, in which mode, and does it pass on what a session needs?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import Any

import psycopg

from api_gateway.doctor.symptom import Symptom

_OPTIONS = "-c IntervalStyle=iso_8601 -c DateStyle=ISO -c TimeZone=UTC"
_DIRECT = "Give Banyan an address that leads to PostgreSQL directly, or a pool of its own in session mode."


def way_of_the_api(url: str, told: str) -> Iterator[Symptom]:
    """Whether BANYAN_POOLER says what is there. `url`: BANYAN_API_DATABASE_URL. Raises psycopg.OperationalError."""
    with ExitStack() as opened:
        one, two = (
            opened.enter_context(psycopg.connect(url, autocommit=True, connect_timeout=5, prepare_threshold=None))
            for _ in range(2)
        )
        found = _mode(one, two) if _is_between(one) else "none"
    if found == "statement":
        message = "the API's database is behind a connection pooler in statement mode: it can write nothing"
        yield Symptom("api_pooler", "error", message, "PgBouncer with pool_mode = transaction.")
    elif found == "transaction" and told == "none":
        message = "the API's database is behind a connection pooler in transaction mode"
        yield Symptom("api_pooler", "error", message, "Set BANYAN_POOLER=transaction.")
    elif found != "transaction" and told == "transaction":
        message = "BANYAN_POOLER is transaction, and there is no such pooler: every read is planned anew for nothing"
        yield Symptom("api_pooler", "warning", message, "Set BANYAN_POOLER=none.")
    else:
        yield Symptom("api_pooler", "ok", f"the API's way to the database is as BANYAN_POOLER says: {told}")


def pooler(url: str) -> Iterator[Symptom]:
    """Opens two connections of its own. Raises psycopg.OperationalError when there is nobody."""
    with ExitStack() as opened:
        one, two = (
            opened.enter_context(psycopg.connect(url, autocommit=True, connect_timeout=5, prepare_threshold=None))
            for _ in range(2)
        )
        if not _is_between(one):
            yield Symptom("pooler", "ok", "no connection pooler in between")
            return
        mode = _mode(one, two)
        if mode == "session":
            yield Symptom("pooler", "ok", "a connection pooler in session mode is in between")
        else:
            message = f"a connection pooler in {mode} mode is in between"
            kept = "LISTEN, prepared statements and settings of a session do not survive a transaction there."
            yield Symptom("pooler", "error" if mode == "statement" else "warning", message, f"{kept} {_DIRECT}")
        if mode == "transaction" and not _keeps_prepared(url):
            message = "the pooler loses prepared statements, which the API uses for every read"
            yield Symptom("pooler", "error", message, f"PgBouncer 1.21 with max_prepared_statements > 0. {_DIRECT}")
    yield from _settings(url)


def _is_between(connection: psycopg.Connection[Any]) -> bool:
    """A pooler makes up the process id that a client would cancel with: it cannot be that of the server's process."""
    row = connection.execute("SELECT pg_backend_pid()").fetchone()
    return row is not None and row[0] != connection.info.backend_pid


def _mode(one: psycopg.Connection[Any], two: psycopg.Connection[Any]) -> str:
    try:
        one.execute("BEGIN")
        one.execute("ROLLBACK")
    except psycopg.Error:
        return "statement"
    pids = [connection.execute("SELECT pg_backend_pid()").fetchone() for connection in (one, two, one, two)]
    return "session" if len(set(pids)) == 2 and pids[:2] == pids[2:] else "transaction"


def _keeps_prepared(url: str) -> bool:
    """Two clients that prepare under one name, in turn on what may be one connection of the server."""
    with suppress(psycopg.Error), ExitStack() as opened:
        clients = [
            opened.enter_context(psycopg.connect(url, autocommit=True, connect_timeout=5, prepare_threshold=0))
            for _ in range(2)
        ]
        for turn in range(3):
            for number, client in enumerate(clients):
                client.execute(f"SELECT {number}::int + %s", [turn])
        return True
    return False


def _settings(url: str) -> Iterator[Symptom]:
    """What Banyan asks for when it connects, and whether the session then has it."""
    try:
        with psycopg.connect(url, autocommit=True, connect_timeout=5, options=_OPTIONS) as connection:
            row = connection.execute(
                "SELECT current_setting('IntervalStyle'), current_setting('TimeZone')", prepare=False
            ).fetchone()
    except psycopg.OperationalError:
        message = "the pooler refuses the settings with which Banyan connects (startup parameter `options`)"
        yield Symptom("settings_lost", "error", message, _DIRECT)
        return
    if row != ("iso_8601", "UTC"):
        message = "the pooler drops the settings with which Banyan connects: times and intervals would be misread"
        yield Symptom("settings_lost", "error", message, f"Take `options` out of ignore_startup_parameters. {_DIRECT}")
