"""The database, and the legacy app's own tables in it: what must be there before anything of ours."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from api_gateway.errors import EnvironmentFault
from api_gateway.postgres import Server
from api_gateway.project import Configuration
from api_gateway.up.plan import fill, legacy_words

Tell = Callable[[str], None]


def embedded_database(server: Server, name: str) -> str:
    """Make the project's database on the embedded server when it is not there."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return server.url(name)


def reach(database_url: str) -> None:
    """Raises EnvironmentFault in one line, without the password, when the database cannot be had."""
    try:
        psycopg.connect(database_url, connect_timeout=5).close()
    except psycopg.ProgrammingError:
        raise EnvironmentFault("the database URL cannot be read; expected postgresql://user@host:port/name.") from None
    except psycopg.OperationalError as error:
        where = urlsplit(database_url)
        reason = str(error).strip().splitlines()[-1].rsplit("failed: ", 1)[-1].rsplit("FATAL:  ", 1)[-1]
        raise EnvironmentFault(
            f"the database at {where.hostname}:{where.port or 5432}{where.path} is away: {reason}"
        ) from None


def prepare_legacy(project: Path, configuration: Configuration, database_url: str, tell: Tell) -> None:
    """Run the legacy app's own preparation, once, on a database that holds none of its tables."""
    legacy = configuration.legacy
    if not legacy.prepare or _has_tables(database_url, configuration.schemas):
        return
    folder = (project / legacy.workdir).resolve()
    environment = {**os.environ, **{k: fill(v, 0, database_url) for k, v in legacy.env.items()}}
    for command in legacy.prepare:
        tell(f"legacy: {command}")
        words = legacy_words(command, 0, database_url)
        answer = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        if answer.returncode:
            said = (answer.stderr.strip() or answer.stdout.strip() or "no output").splitlines()[-1]
            raise EnvironmentFault(f"the legacy app's preparation `{command}` failed: {said}")


def _has_tables(database_url: str, schemas: tuple[str, ...]) -> bool:
    with psycopg.connect(database_url) as connection:
        found = connection.execute(
            "SELECT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE c.relkind IN ('r', 'p') AND n.nspname = ANY(%s))",
            [list(schemas)],
        ).fetchone()
    return bool(found and found[0])
