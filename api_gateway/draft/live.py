"""The legacy database as `init` and `check` see it: connect, choose schemas, read the snapshot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from api_gateway.errors import EnvironmentFault, UsageError
from shared_models import administering
from shared_models.catalog import UnsupportedServer, read_snapshot, user_schemas
from shared_models.snapshot import Snapshot

_CONNECT_TIMEOUT = 5


@contextmanager
def legacy_database(url: str, *, hosts_path: bool = False) -> Iterator[psycopg.Connection[Any]]:
    """A connection that commits each statement. Raises one-line errors that never show the password.

    `hosts_path`: names are looked up as the host does, else in PostgreSQL's own catalogs alone.
    """
    place = _place(url)
    connect = psycopg.connect if hosts_path else administering.connect
    try:
        connection = connect(
            url, autocommit=True, connect_timeout=_CONNECT_TIMEOUT, application_name="banyan", client_encoding="utf8"
        )
    except psycopg.OperationalError as error:
        raise EnvironmentFault(f"cannot connect to {place}: {_reason(error, url)}") from None
    with connection:
        try:
            yield connection
        except UnsupportedServer as error:
            raise EnvironmentFault(f"{place}: {error}") from None
        except psycopg.OperationalError as error:
            raise EnvironmentFault(f"{place} ended the connection: {_reason(error, url)}") from None


def snapshot_of(connection: psycopg.Connection[Any], schemas: Sequence[str]) -> Snapshot:
    """The named schemas, or every schema that holds tables. Raises UsageError for a schema that is not there."""
    present = user_schemas(connection)
    missing = [schema for schema in schemas if schema not in present]
    if missing:
        there = ", ".join(present) or "none"
        raise UsageError(f"no tables in schema {', '.join(missing)}.", hint=f"Schemas with tables: {there}.")
    if not present:
        raise UsageError("the database has no tables, views or foreign tables.", hint="Is it the right database?")
    return read_snapshot(connection, schemas or present)


def live_snapshot(schemas: Sequence[str], database_url: str) -> Snapshot:
    """The schemas as they are now. Raises EnvironmentFault when the database is away."""
    with legacy_database(database_url) as connection:
        return read_snapshot(connection, schemas)


def _place(url: str) -> str:
    """host:port/name, without user and password. Raises UsageError for what is no connection URL."""
    try:
        parts = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        raise UsageError("the database URL cannot be read; expected postgresql://user@host:port/name.") from None
    host = parts.get("host") or parts.get("hostaddr") or "localhost"
    return f"{host}:{parts.get('port') or 5432}/{parts.get('dbname') or ''}"


def _reason(error: psycopg.Error, url: str) -> str:
    """The last thing libpq says: its first lines repeat host and port, none of them may repeat the password."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    stated = next((line for line in lines if "FATAL:" in line or "failed:" in line), lines[0])
    reason = stated.rsplit("FATAL:", 1)[-1].rsplit("failed:", 1)[-1].strip()
    password = conninfo_to_dict(url).get("password")
    return reason.replace(str(password), "***") if password else reason
