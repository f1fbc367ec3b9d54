"""Whose secrets requests are sent with: the register keeps only hashes, so they are found where legacy keeps them.

A legacy protocol that carries a token has the token in its own tables, mostly as it is: whatever value there has a hash
that the register knows, is that consumer's secret. What is not found so can be given in a file.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import permutations
from pathlib import Path

import psycopg
from psycopg import sql

from api_gateway.consumers import CredentialKind, Register
from api_gateway.errors import UsageError
from api_gateway.routes import BasicAuth, ClientCertificate, FormToken, HeaderToken, PathToken, QueryToken, Route

MOST_ROWS = 5000  # a table with more is no register of partners
MOST_COLUMNS = 12  # of text in one table, for pairs of user and password

_TABLES = """
SELECT n.nspname, c.relname, array_agg(a.attname::text ORDER BY a.attnum) FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type t ON t.oid = a.atttypid AND t.typcategory = 'S'
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname = ANY(%s) AND c.reltuples <= %s
GROUP BY 1, 2 ORDER BY 1, 2
"""

Secrets = Mapping[tuple[str, str], str]
"""By consumer and kind of credential."""


def find_secrets(url: str, schemas: Iterable[str], register: Register) -> dict[tuple[str, str], str]:
    """Look through the small tables of a copy for values that the register knows by their hash."""
    kinds: set[CredentialKind] = {credential.kind for credential in register.credentials} - {"api_key"}
    found: dict[tuple[str, str], str] = {}
    if not kinds:
        return found
    with psycopg.connect(url) as connection:
        for schema, table, columns in connection.execute(_TABLES.encode(), [list(schemas), MOST_ROWS]).fetchall():
            select = sql.SQL("SELECT {} FROM {} LIMIT {}").format(
                sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(name)) for name in columns),
                sql.Identifier(schema, table),
                sql.Literal(MOST_ROWS),
            )
            for row in connection.execute(select):
                for kind, secret in _secrets_of(row, kinds):
                    consumer = register.by_credential(kind, secret)
                    if consumer is not None:
                        found[consumer.code, kind] = secret
    return found


def _secrets_of(row: tuple[str | None, ...], kinds: set[CredentialKind]) -> Iterator[tuple[CredentialKind, str]]:
    values = [value for text in row if text for value in {text, text.rstrip()} if 0 < len(value) <= 200]
    for value in values:
        yield from ((kind, value) for kind in kinds - {"basic"})
    if "basic" in kinds and len(values) <= MOST_COLUMNS:
        yield from (("basic", f"{user}:{password}") for user, password in permutations(values, 2))


def read_secrets(path: Path, register: Register) -> dict[tuple[str, str], str]:
    """`{"acme": {"basic": "ACME:secret"}}`. Raises UsageError for a file that cannot be read or names nobody."""
    try:
        document = json.loads(path.read_text("utf-8"))
        given = {(code, kind): str(secret) for code, kinds in document.items() for kind, secret in kinds.items()}
    except (OSError, ValueError, AttributeError) as error:
        raise UsageError(f"{path}: {type(error).__name__}: no file of secrets by consumer and kind.") from None
    for code, _ in given:
        if code not in register.consumers:
            raise UsageError(f"{path}: there is no consumer {code}.")
    return given


def kind_of(route: Route) -> str | None:
    """The kind of credential that names a caller of this route."""
    match route.consumer:
        case QueryToken():
            return "query"
        case FormToken():
            return "form"
        case HeaderToken():
            return "header"
        case BasicAuth():
            return "basic"
        case PathToken():
            return "path"
        case ClientCertificate():
            return "certificate"
        case None:
            return None


def callers_of(route: Route, secrets: Secrets) -> list[str]:
    """The consumers in whose name this route can be called."""
    kind = kind_of(route)
    return sorted(code for code, known in secrets if known == kind)
