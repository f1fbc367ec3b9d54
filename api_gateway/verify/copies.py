"""Two private copies of the database: dumped once into a base, then made from it as often as they are needed."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import errors, sql

from api_gateway.errors import EnvironmentFault
from api_gateway.verify import capture
from api_gateway.verify.dumping import copy_database
from api_gateway.verify.key_columns import key_columns
from api_gateway.verify.keys import KeyColumns
from api_gateway.verify.writes import Row

PREFIX = "banyan_verify_"

_FORGOTTEN = """
SELECT datname FROM pg_database d WHERE datname ~ '^banyan_verify_[0-9a-f]{8}_(base|legacy|modern)$'
AND pg_get_userbyid(datdba) = current_user
AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE d.datname ^@ a.application_name AND a.application_name <> '')
"""


class Copies:
    """The base and its two copies. `legacy_url` and `modern_url` stay the same when the copies are made anew."""

    def __init__(self, admin: psycopg.Connection[Any], source: str, name: str, schemas: tuple[str, ...]) -> None:
        self._admin = admin
        self._names = {part: f"{name}_{part}" for part in ("base", "legacy", "modern")}
        self._schemas = schemas
        self.base_url, self.legacy_url, self.modern_url = (_at(source, each) for each in self._names.values())
        self._watch: tuple[psycopg.Connection[Any], psycopg.Connection[Any]] | None = None
        self.made = 0

    def prepare(self, source: str, statements: list[str]) -> None:
        """Fill the base: the source as it is, the grants that the modern side needs, the triggers."""
        self._admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(self._names["base"])))
        copy_database(source, self.base_url, self._admin.info.server_version)
        with psycopg.connect(self.base_url, autocommit=True) as base:
            capture.install(base, self._schemas)
            for statement in statements:
                base.execute(statement.encode())
            base.execute("ANALYZE")

    def renew(self) -> None:
        """Make both copies as the base is. Whoever is connected to them is cut off."""
        self._close()
        for part in ("legacy", "modern"):
            copy, base = sql.Identifier(self._names[part]), sql.Identifier(self._names["base"])
            self._admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(copy))
            self._admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(copy, base))
        self._watch = (
            psycopg.connect(self.legacy_url, autocommit=True),
            psycopg.connect(self.modern_url, autocommit=True),
        )
        self.made += 1

    def written(self) -> tuple[list[Row], list[Row]]:
        """What each side wrote since the last time: legacy's rows, modern's rows."""
        legacy, modern = self._both()
        return capture.take(legacy), capture.take(modern)

    def align_sequences(self) -> int:
        return capture.align_sequences(*self._both(), self._schemas)

    def key_columns(self, named: Iterable[str]) -> KeyColumns:
        """Raises UsageError for a named column that is not there."""
        return key_columns(self._both()[0], self._schemas, named)

    def query(self, text: sql.Composed, values: list[Any]) -> list[tuple[Any, ...]]:
        """Ask legacy's copy: where values for requests come from."""
        return self._both()[0].execute(text, values or None).fetchall()

    def _both(self) -> tuple[psycopg.Connection[Any], psycopg.Connection[Any]]:
        if self._watch is None:
            self.renew()
        assert self._watch is not None  # noqa: S101 - renew has just made it
        return self._watch

    def _close(self) -> None:
        for connection in self._watch or ():
            connection.close()
        self._watch = None

    def drop(self) -> None:
        self._close()
        for name in reversed(self._names.values()):
            with suppress(psycopg.Error):
                self._admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def copies(source: str, schemas: tuple[str, ...], statements: list[str]) -> Iterator[Copies]:
    """Copies on the source's own server; they are gone afterwards.

    source      URL of an administrator who may create databases.
    statements  what is run on the base, such as grants.

    Raises EnvironmentFault in one line when the server does not allow it.
    """
    name = PREFIX + secrets.token_hex(4)
    try:
        admin = psycopg.connect(source, autocommit=True, connect_timeout=5, application_name=name)
    except psycopg.Error:
        raise EnvironmentFault("the database to copy is away.") from None
    with admin:
        made = Copies(admin, source, name, schemas)
        try:
            _drop_forgotten(admin)
            made.prepare(source, statements)
            made.renew()
            yield made
        except errors.InsufficientPrivilege as error:
            raise EnvironmentFault(
                "this login may not make the copies that verify needs.",
                hint="It takes CREATEDB, and SUPERUSER or the owner.",
            ) from error
        except psycopg.Error as error:
            raise EnvironmentFault(f"the copies cannot be made: {type(error).__name__}.") from error
        finally:
            made.drop()


def _drop_forgotten(admin: psycopg.Connection[Any]) -> None:
    """Copies of our own login whose verify was killed: nobody is connected any more who would drop them."""
    for (name,) in admin.execute(_FORGOTTEN.encode()).fetchall():
        with suppress(psycopg.Error):
            admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _at(url: str, database: str) -> str:
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc, f"/{database}", parts.query, parts.fragment))
