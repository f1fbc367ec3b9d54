"""Bring a history up, take it down, or say where it stands. Alembic walks it; `env.py` beside this file runs it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from psycopg import errors
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from shared_models import administering
from shared_models.migrations.jobs import take_over_jobs
from shared_models.migrations.roles import (
    MigrationFault,
    act_as_owner,
    drop_schema,
    may_act_as_owner,
    prepare_schema,
    refuse_dependents,
    revoke_everything,
)
from shared_models.state import SCHEMA

HERE = Path(__file__).parent

ONE_DEPLOYER = 0x62616E79616E02  # "banyan", 2: the advisory lock of whoever migrates
WAIT_FOR_DEPLOYER = "60s"
LOCK_TIMEOUT = "2s"
STATEMENT_TIMEOUT = "60s"


@dataclass(frozen=True, slots=True)
class History:
    """A history of revisions. `as_owner`: its statements run as banyan_owner, so that role owns what they create."""

    name: str
    versions: Path
    version_table: str
    as_owner: bool


BANYAN = History("banyan", HERE / "versions", "alembic_version", as_owner=True)


def project_history(folder: Path) -> History:
    """The history of a project's own changes to the shared tables: `migrations/versions/` in its folder.

    It runs as whoever calls, who must own the tables that it changes.
    """
    return History("project", folder / "migrations" / "versions", "project_version", as_owner=False)


@dataclass(frozen=True, slots=True)
class Status:
    """Where a history stands; None is its base. `pending`: revisions to come, oldest first, with their first lines."""

    history: str
    current: str | None
    head: str | None
    pending: tuple[tuple[str, str], ...]


def upgrade(url: str, history: History = BANYAN, revision: str = "head") -> None:
    """Apply what is missing. For schema `banyan`, roles and schema are made first where they are not there.

    url  `postgresql://…` of somebody who may create the schema: the database's owner, or a superuser.
    Raises MigrationFault, in one readable line, and then nothing has been changed.
    """
    with _deploying(url, history) as connection:
        if history.as_owner:
            prepare_schema(connection)
        elif not _has_schema(connection):
            raise MigrationFault("schema banyan is not there yet.", hint="`banyan migrate up` makes it.")
        with _in_role(connection, history):
            command.upgrade(_config(history, connection), revision)
            if history.as_owner:
                take_over_jobs(connection)


def downgrade(url: str, history: History = BANYAN, revision: str = "base") -> None:
    """Take revisions back. At the base of schema `banyan` the schema goes, and all that our roles hold in the database.

    The roles themselves stay: they belong to the server, and may serve other databases. Raises as `upgrade` does.
    """
    with _deploying(url, history) as connection:
        if not _has_schema(connection):
            return
        if history.as_owner and revision == "base":
            _refuse_above_project(connection)
            refuse_dependents(connection)
        with _in_role(connection, history):
            command.downgrade(_config(history, connection), revision)
            if not history.as_owner and not _current(connection, history):
                connection.execute(text(f"DROP TABLE IF EXISTS {SCHEMA}.{history.version_table}"))
        if history.as_owner and not _current(connection, history):
            with _in_role(connection, history):
                drop_schema(connection, history.version_table)
            revoke_everything(connection)


def status(url: str, history: History = BANYAN) -> Status:
    """Where the history stands. Raises MigrationFault when the database is away."""
    with _connected(url, history) as connection:
        current = _current(connection, history) if _has_schema(connection) else None
        script = ScriptDirectory.from_config(_config(history, connection))
        head = script.get_current_head()
        pending = [
            (step.revision, (step.doc or "").splitlines()[0]) for step in script.iterate_revisions(head, current)
        ]
        return Status(history.name, current, head, tuple(reversed(pending)))


@contextmanager
def _deploying(url: str, history: History) -> Iterator[Connection]:
    """One transaction, in which this is the only deployer. Ours does not run what lies on the host's search path."""
    with _connected(url, history) as connection:
        if history.as_owner:  # also behind a pooler
            connection.execute(text("SET LOCAL search_path = pg_catalog"))
        connection.execute(text(f"SET LOCAL lock_timeout = '{WAIT_FOR_DEPLOYER}'"))
        connection.execute(text(f"SELECT pg_advisory_xact_lock({ONE_DEPLOYER})"))
        connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"))
        connection.execute(text(f"SET LOCAL statement_timeout = '{STATEMENT_TIMEOUT}'"))
        yield connection


@contextmanager
def _connected(url: str, history: History) -> Iterator[Connection]:
    connect = administering.connect if history.as_owner else psycopg.connect
    engine = create_engine(
        "postgresql+psycopg://", use_native_hstore=False, creator=lambda: connect(url), poolclass=NullPool
    )
    try:
        with engine.begin() as connection:
            yield connection
    except DBAPIError as error:
        raise _fault(error.orig) from error
    except psycopg.Error as error:
        raise _fault(error) from error
    except CommandError as error:
        raise MigrationFault(str(error).splitlines()[0]) from error
    finally:
        engine.dispose()


def _fault(error: BaseException | None) -> MigrationFault:
    match error:
        case errors.LockNotAvailable():
            return MigrationFault(
                f"gave up after {LOCK_TIMEOUT} of waiting for a lock; nothing was changed.",
                hint="another deployer or a long transaction holds it. Try again when it has ended.",
            )
        case errors.QueryCanceled():
            return MigrationFault(f"a statement took more than {STATEMENT_TIMEOUT}; nothing was changed.")
        case errors.DependentObjectsStillExist():
            detail = (error.diag.message_detail or "").splitlines()
            return MigrationFault(f"something else is in schema {SCHEMA}: {detail[:1]}; nothing was changed.")
        case errors.InsufficientPrivilege():
            return MigrationFault(f"not allowed: {error.diag.message_primary}; nothing was changed.")
        case psycopg.OperationalError() if error.sqlstate is None:
            reason = str(error).strip().splitlines()[-1].rsplit("failed: ", 1)[-1].rsplit("FATAL:  ", 1)[-1]
            return MigrationFault(f"the database is away: {reason}")
        case psycopg.ProgrammingError() if error.sqlstate is None:
            return MigrationFault("the database URL cannot be read; expected postgresql://user@host:port/name.")
        case psycopg.Error():
            return MigrationFault(f"{type(error).__name__}: {error.diag.message_primary}; nothing was changed.")
        case _:
            return MigrationFault(f"{type(error).__name__}; nothing was changed.")


@contextmanager
def _in_role(connection: Connection, history: History) -> Iterator[None]:
    if not history.as_owner:
        yield
        return
    may_act_as_owner(connection)
    act_as_owner(connection)
    yield
    connection.execute(text("RESET ROLE"))


def _has_schema(connection: Connection) -> bool:
    return bool(connection.scalar(text("SELECT to_regnamespace(:schema) IS NOT NULL"), {"schema": SCHEMA}))


def _current(connection: Connection, history: History) -> str | None:
    options = {"version_table": history.version_table, "version_table_schema": SCHEMA}
    return MigrationContext.configure(connection, opts=options).get_current_revision()


def _refuse_above_project(connection: Connection) -> None:
    project = project_history(Path())
    revision = _current(connection, project)
    if revision is not None:
        raise MigrationFault(
            f"the project's own migrations are applied up to {revision}; its version would be forgotten.",
            hint="`banyan migrate down base --history project` takes them back first.",
        )


def _config(history: History, connection: Connection) -> Config:
    config = Config()
    options: dict[str, Any] = {"script_location": HERE, "version_locations": history.versions}
    for name, value in {**options, "path_separator": "newline"}.items():
        config.set_main_option(name, str(value).replace("%", "%%"))
    config.attributes.update(connection=connection, history=history)
    return config
