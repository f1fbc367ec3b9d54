"""Let the server itself say what a role may do: statements tried under that role, none of which takes effect.

Reading and writing are tried with EXPLAIN, which checks permissions and runs nothing; what must be refused is tried
only where the catalogs say that it will be. Everything happens in one transaction that is rolled back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import errors

from shared_models.spelling import quoted

_PATIENCE = "SET LOCAL lock_timeout = '1s'; SET LOCAL statement_timeout = '5s'; SET LOCAL search_path = pg_catalog"


@dataclass(frozen=True, slots=True)
class Trial:
    """`is_allowed`: what must come out. `table`: `schema.table` it is about, `what`: for people."""

    statement: str
    is_allowed: bool
    what: str
    table: str | None = None
    column: str | None = None


def needed_trials(table: tuple[str, str], privilege: str, columns: Sequence[str]) -> Iterator[Trial]:
    """That these columns can be read, inserted, updated; or rows deleted."""
    place, name = f"{quoted(table[0])}.{quoted(table[1])}", ".".join(table)
    listed = ", ".join(map(quoted, columns))
    defaults = ", ".join("DEFAULT" for _ in columns)
    statements = {
        "SELECT": ("SELECT", listed, "FROM", place),
        "INSERT": ("INSERT INTO", place, f"({listed}) VALUES ({defaults})"),
        "UPDATE": ("UPDATE", place, "SET", ", ".join(f"{quoted(column)} = DEFAULT" for column in columns)),
        "DELETE": ("DELETE FROM", place),
    }
    yield Trial(_explain(*statements[privilege]), True, privilege, name)


def hidden_column_trials(table: tuple[str, str], hidden: Iterable[str]) -> Iterator[Trial]:
    """That columns which the contract does not show cannot be read, by name or by `*`."""
    place, name = f"{quoted(table[0])}.{quoted(table[1])}", ".".join(table)
    yield Trial(_explain("SELECT * FROM", place), False, "SELECT *", name)
    for column in hidden:
        yield Trial(_explain("SELECT", quoted(column), "FROM", place), False, "SELECT", name, column)


def outside_trials(table: tuple[str, str]) -> Iterator[Trial]:
    """That a table outside of the contract can be neither read nor emptied."""
    place, name = f"{quoted(table[0])}.{quoted(table[1])}", ".".join(table)
    yield Trial(_explain("SELECT 1 FROM", place), False, "SELECT", name)
    yield delete_trial(table)


def delete_trial(table: tuple[str, str]) -> Trial:
    place = f"{quoted(table[0])}.{quoted(table[1])}"
    return Trial(_explain("DELETE FROM", place), False, "DELETE", ".".join(table))


def definition_trials(schemas: Iterable[str]) -> Iterator[Trial]:
    """That nothing can be made."""
    for schema in schemas:
        yield Trial(f"CREATE TABLE {quoted(schema)}.banyan_trial ()", False, f"CREATE TABLE in {schema}")
    yield Trial("CREATE SCHEMA banyan_trial", False, "CREATE SCHEMA")


def failed(connection: psycopg.Connection[Any], role: str | None, trials: Iterable[Trial]) -> list[Trial]:
    """The trials that came out otherwise than they must. `role` None: this login is the role.

    What fails for another reason than permissions (a column that is not there any more) says nothing about them.
    Raises psycopg.errors.InsufficientPrivilege when this login may not become the role.
    """
    found: list[Trial] = []
    with connection.transaction(force_rollback=True):
        connection.execute(_PATIENCE.encode())
        if role is not None:
            connection.execute(f"SET LOCAL ROLE {quoted(role)}".encode())
        for trial in trials:
            outcome = _outcome(connection, trial)
            if outcome is not None and outcome != trial.is_allowed:
                found.append(trial)
    return found


def _outcome(connection: psycopg.Connection[Any], trial: Trial) -> bool | None:
    """Whether the server allows it; None when it refuses for another reason."""
    whole = f"SAVEPOINT trial; {trial.statement}; ROLLBACK TO trial"  # one round trip where it is allowed
    try:
        connection.execute(whole.encode(), prepare=False)
        return True
    except psycopg.OperationalError as error:
        if error.sqlstate is None or error.sqlstate.startswith(("08", "57P")):
            raise  # the server is gone
        refused = None
    except psycopg.Error as error:
        refused = False if isinstance(error, errors.InsufficientPrivilege) else None
    connection.execute(b"ROLLBACK TO trial", prepare=False)
    return refused


def _explain(*words: str) -> str:
    return " ".join(("EXPLAIN", *words))


def sample(tables: Sequence[Any], most: int) -> Sequence[Any]:
    """At most so many, spread over all: the same ones each time."""
    if len(tables) <= most:
        return tables
    return [tables[index * len(tables) // most] for index in range(most)]


def grouped(columns: Iterable[tuple[tuple[str, str, str], str]]) -> Mapping[tuple[str, str, str], list[str]]:
    """Columns by (schema, table, privilege)."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for place, column in columns:
        found.setdefault(place, []).append(column)
    return found
