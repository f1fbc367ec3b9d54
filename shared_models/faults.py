"""What a database can answer instead of rows, in our words. PostgreSQL's own text never leaves this module.

DatabaseFault
├── DatabaseAway            refused, cut, restarting           ├── ConstraintViolated   unique, foreign key, …
├── DatabaseBusy            no connection or memory left       ├── BadValue             a value it cannot take
├── StatementTimeout        took too long                      ├── SchemaChanged        not the schema we know
├── LockTimeout             waited too long for somebody       ├── NotGranted           our role may not
├── SerializationFailure    somebody else won; try again       ├── ReadOnly             a write where none may be
├── CommitUnknown           cut while committing               ├── Refused              anything else
└── NoSession               the host database does not know who acts
"""

from __future__ import annotations

from typing import Literal

import psycopg
from psycopg import errors

ConstraintKind = Literal["unique", "foreign_key", "not_null", "check", "exclusion", "rule"]


class DatabaseFault(Exception):
    """`sqlstate` is the five characters of the SQL standard, None when the server could not say."""

    message = "the database refused"

    def __init__(self, sqlstate: str | None = None) -> None:
        super().__init__(self.message if sqlstate is None else f"{self.message} (SQLSTATE {sqlstate})")
        self.sqlstate = sqlstate


class DatabaseAway(DatabaseFault):
    message = "the database is away"


class DatabaseBusy(DatabaseFault):
    message = "the database has no capacity left"


class StatementTimeout(DatabaseFault):
    message = "a statement took too long"


class LockTimeout(DatabaseFault):
    message = "a statement waited too long for a lock"


class SerializationFailure(DatabaseFault):
    message = "the transaction lost against another one and may be tried again"


class CommitUnknown(DatabaseFault):
    message = "the connection was lost while committing; nobody knows yet whether it was"


class BadValue(DatabaseFault):
    message = "a value that the database cannot take"


class SchemaChanged(DatabaseFault):
    message = "the database's schema is not the one of the snapshot"


class NotGranted(DatabaseFault):
    message = "the database role lacks a grant"


class ReadOnly(DatabaseFault):
    message = "a write where only reading is allowed"


class NoSession(DatabaseFault):
    """The role or a setting that the host database wants of a principal is missing, or it did not take it."""

    message = "the database cannot be told who acts"


class Refused(DatabaseFault):
    pass


class ConstraintViolated(DatabaseFault):
    """`constraint`, `table` and `column` are names of the legacy schema: for our decisions, not for answers.

    kind `rule`: a trigger or function of the legacy schema raised an error of its own.
    """

    message = "a constraint of the database was violated"

    def __init__(
        self,
        kind: ConstraintKind,
        constraint: str | None = None,
        table: str | None = None,
        column: str | None = None,
        sqlstate: str | None = None,
    ) -> None:
        super().__init__(sqlstate)
        self.kind, self.constraint, self.table, self.column = kind, constraint, table, column


_CONSTRAINTS: dict[str, ConstraintKind] = {
    "23505": "unique",
    "23503": "foreign_key",
    "23001": "foreign_key",
    "23502": "not_null",
    "23514": "check",
    "23P01": "exclusion",
    "44000": "check",
    "P0001": "rule",
}
_STATES: dict[str, type[DatabaseFault]] = {
    "57014": StatementTimeout,
    "25P03": StatementTimeout,
    "25P04": StatementTimeout,
    "55P03": LockTimeout,
    "40001": SerializationFailure,
    "40P01": SerializationFailure,
    "25006": ReadOnly,
    "42501": NotGranted,
    "0A000": SchemaChanged,
    "26000": SchemaChanged,
    "55000": SchemaChanged,  # a materialized view that was never filled
    "53300": DatabaseBusy,
    "57P04": DatabaseAway,
}
_CLASSES: dict[str, type[DatabaseFault]] = {
    "08": DatabaseAway,
    "57": DatabaseAway,
    "53": DatabaseBusy,
    "54": BadValue,
    "22": BadValue,
    "40": SerializationFailure,
    "42": SchemaChanged,
    "3F": SchemaChanged,
    "28": DatabaseAway,
    "3D": DatabaseAway,
}


def refused_session(error: psycopg.Error) -> DatabaseFault:
    """Our word for what became of setting a principal's session: a role that is not there, or that we may not take."""
    state = error.sqlstate or ""
    return NoSession(state) if state.startswith("22") or state in ("42501", "42704") else translated(error)


# What PostgreSQL says, in English only, to whoever planned with a relation that was dropped in the same moment.
_DROPPED_MEANWHILE = ("could not open relation with OID", "cache lookup failed for")


def translated(error: psycopg.Error) -> DatabaseFault:
    """Our word for what psycopg raised. Total: every error has one."""
    state = error.sqlstate
    if state is None:
        return _without_state(error)
    if state == "XX000" and (error.diag.message_primary or "").startswith(_DROPPED_MEANWHILE):
        return SchemaChanged(state)
    if state in _CONSTRAINTS or state.startswith("23"):
        kind = _CONSTRAINTS.get(state, "check")
        place = error.diag
        return ConstraintViolated(kind, place.constraint_name, place.table_name, place.column_name, state)
    if state == "42501" and error.diag.source_function == "ExecWithCheckOptions":  # row security, not a lack of grants
        return ConstraintViolated("rule", sqlstate=state)
    kind_of_fault = _STATES.get(state) or _CLASSES.get(state[:2], Refused)
    return kind_of_fault(state)


def _without_state(error: psycopg.Error) -> DatabaseFault:
    if isinstance(error, errors.DataError):
        return BadValue()
    if isinstance(error, (errors.OperationalError, errors.InterfaceError)):
        return DatabaseAway()
    return Refused()
