"""How a verb reaches the database: by the variables that are set, else as the instance that runs in this folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import psycopg
from psycopg import Connection, errors

from api_gateway.cli.instance import running_instance
from api_gateway.errors import EnvironmentFault, UsageError
from api_gateway.settings import Settings
from shared_models.state import OWNER


def administrator_url(settings: Settings) -> str:
    """Raises UsageError naming the variable when nothing tells where the database is."""
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    running = running_instance(settings).get("database")
    return running if isinstance(running, str) else settings.require("database_url")


@contextmanager
def owner_connection(settings: Settings) -> Iterator[Connection[Any]]:
    """A connection as banyan_owner, committing each statement unless a transaction is opened.

    Raises EnvironmentFault, in one line without password or PostgreSQL's text, when the database is away, when its
    schema is missing or older than this program, or when it ends the connection.
    """
    url = settings.owner_database_url
    try:
        if url is not None:
            where = url.get_secret_value()
            connection = psycopg.connect(where, autocommit=True, connect_timeout=5)
        else:
            where = administrator_url(settings)
            connection = psycopg.connect(where, autocommit=True, connect_timeout=5)
            connection.execute(f"SET ROLE {OWNER}".encode())
    except psycopg.Error as error:
        raise _fault(error, where) from None
    with connection:
        try:
            yield connection
        except psycopg.Error as error:
            raise _fault(error, where) from None


def _fault(error: psycopg.Error, url: str) -> EnvironmentFault | UsageError:
    match error:
        case errors.UndefinedTable() | errors.InvalidSchemaName() | errors.UndefinedColumn() | errors.UndefinedObject():
            return EnvironmentFault(
                "the database has no schema banyan of this version.", hint="`banyan migrate up` brings it."
            )
        case errors.InsufficientPrivilege():
            return EnvironmentFault(f"the database does not let this login act as {OWNER}.")
        case errors.LockNotAvailable() | errors.QueryCanceled():
            return EnvironmentFault("the database did not answer in time; something holds a lock.")
        case psycopg.OperationalError():
            return EnvironmentFault(f"the database at {_place(url)} is away.")
        case psycopg.ProgrammingError() if error.sqlstate is None:
            return UsageError("the database URL cannot be read; expected postgresql://user@host:port/name.")
        case _:
            return EnvironmentFault(f"the database refused: {type(error).__name__}.")


def _place(url: str) -> str:
    where = urlsplit(url)
    try:
        return f"{where.hostname or 'localhost'}:{where.port or 5432}{where.path}"
    except ValueError:
        return "the given URL"
