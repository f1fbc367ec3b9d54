"""Can our roles do what the contract needs, and nothing else? By the catalogs for everything, and by trying.

Looked at once Banyan is installed: before, there is nothing granted that could be wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import errors

from api_gateway.api.contract import wanted_grants
from api_gateway.check.disagreement import Code, Disagreement, Severity
from api_gateway.check.subject import Live, Subject
from api_gateway.errors import UsageError
from api_gateway.settings import settings
from shared_models.granting import Wanted
from shared_models.privileges import Held, RoleFacts, definer_functions, held, role_facts
from shared_models.spelling import quoted
from shared_models.state import API, READ, SCHEMA
from shared_models.trials import (
    Trial,
    definition_trials,
    delete_trial,
    failed,
    grouped,
    hidden_column_trials,
    needed_trials,
    outside_trials,
    sample,
)

ROLES = (API, READ)
MOST_NEEDED, MOST_OUTSIDE, MOST_HIDDEN, MOST_SCHEMAS = 150, 40, 200, 10  # tried; the catalogs are asked about all
_SHOWN = 5
_BETWEEN = "contract and privileges"
_APPLY = "`banyan grants --apply` puts it right, or prints the SQL for somebody who may."

Need = tuple[str, str, str, str, str | None]  # role, schema, table, privilege, column


def wrong_privileges(subject: Subject, live: Live) -> Iterator[Disagreement]:
    if subject.contract is None or not _is_installed(live.connection):
        return
    try:
        target = wanted_grants(subject.project, subject.contract, subject.snapshot)
    except UsageError as error:
        yield _found("contract_unfit", "error", error.message, "Correct what @touches names.")
        return
    facts = {role.name: role for role in role_facts(live.connection, ROLES)}
    for role in ROLES:
        if role not in facts:
            yield _found("role_missing", "error", f"there is no role {role}", _APPLY)
            continue
        yield from _too_strong(facts[role])
        if "SUPERUSER" not in facts[role].powers:
            yield from _Weighing(role, target, live, facts[role]).all()


def _is_installed(connection: psycopg.Connection[Any]) -> bool:
    row = connection.execute("SELECT to_regnamespace(%s) IS NOT NULL", [SCHEMA]).fetchone()
    return bool(row and row[0])


def _too_strong(role: RoleFacts) -> Iterator[Disagreement]:
    """Powers beside the grants. Temporary tables aside: candidates may use them, and they end with the session."""
    if role.powers:
        takes = " ".join(f"NO{power}" for power in role.powers)
        statement = f"ALTER ROLE {role.name} {takes};"
        yield _found("role_too_strong", "error", f"{role.name} has {', '.join(role.powers)}", statement)
    if "SUPERUSER" in role.powers:  # everything else follows from it
        return
    for above in role.above:
        message = f"{role.name} can become {above}, whom neither grants nor row security bind"
        yield _found("role_too_strong", "error", message, f"REVOKE {quoted(above)} FROM {role.name};")
    for schema in role.creates_in:
        revoke = f"REVOKE CREATE ON SCHEMA {quoted(schema)} FROM PUBLIC, {role.name};"
        message = f"{role.name} may create tables and functions in schema {schema}"
        yield _found("grant_public", "warning", message, f"See that legacy does not need it, then: {revoke}")
    if role.creates_schemas:
        yield _found(
            "role_too_strong",
            "error",
            f"{role.name} may create schemas",
            f"REVOKE CREATE ON DATABASE … FROM PUBLIC, {role.name};",
        )


@dataclass(frozen=True, slots=True)
class _Weighing:
    """One role: what it needs, what it holds, and what the server says when it is tried."""

    role: str
    target: Wanted
    live: Live
    facts: RoleFacts

    def all(self) -> Iterator[Disagreement]:
        mine = held(self.live.connection, [self.role])
        yield from self._missing(mine)
        yield from self._too_much(mine)
        functions = definer_functions(self.live.connection, self.role)
        if functions:
            yield _found(
                "grant_public",
                "warning",
                f"{self.role} may call {len(functions)} functions with their owner's rights: {_some(functions)}",
                "See what they do; then REVOKE EXECUTE ON FUNCTION … FROM PUBLIC, and grant it to whom legacy needs.",
                details={"role": self.role, "functions": functions},
            )
        yield from self._tried(mine)

    def _needs(self) -> set[Need]:
        found: set[Need] = {
            (g.grantee, g.table_schema, g.table_name, g.privilege_type, g.column_name)
            for g in self.target.columns
            if g.grantee == self.role
        }
        if self.role == API:
            found |= {(API, schema, table, "DELETE", None) for schema, table in self.target.deletes}
        return found

    def _missing(self, mine: Sequence[Held]) -> Iterator[Disagreement]:
        have = {(one.role, one.schema, one.table, one.privilege, one.column) for one in mine}
        lost = sorted(
            (need for need in self._needs() if need not in have and (*need[:4], None) not in have),
            key=lambda need: tuple(part or "" for part in need),
        )
        for (schema, table, privilege), columns in grouped((n[1:4], n[4] or "") for n in lost).items():
            named = [column for column in columns if column]
            yield _found(
                "grant_missing",
                "error",
                f"{self.role} may not {privilege}",
                _APPLY,
                table=f"{schema}.{table}",
                column=", ".join(named) or None,
            )

    def _too_much(self, mine: Sequence[Held]) -> Iterator[Disagreement]:
        needs = self._needs()
        extra = [one for one in mine if (one.role, one.schema, one.table, one.privilege, one.column) not in needs]
        for source in ("own", "inherited", "public"):
            tables = _by_table(one for one in extra if one.source == source)
            if tables:
                yield self._excess(source, tables)

    def _excess(self, source: str, tables: Mapping[str, set[str]]) -> Disagreement:
        what = sorted({privilege for privileges in tables.values() for privilege in privileges})
        extent = f"{', '.join(what)} beyond the contract on {len(tables)} tables: {_some(list(tables))}"
        details = {"role": self.role, "tables": {name: sorted(privileges) for name, privileges in tables.items()}}
        if source == "own":
            return _found("grant_excess", "error", f"{self.role} was granted {extent}", _APPLY, details=details)
        if source == "inherited":
            from_whom = ", ".join(self.facts.member_of) or "being their owner"
            revoke = f"REVOKE {', '.join(map(quoted, self.facts.member_of)) or '…'} FROM {self.role};"
            message = f"{self.role} has through {from_whom} {extent}"
            return _found("grant_inherited", "error", message, revoke, details=details)
        statement = f"REVOKE ALL ON {', '.join(_quoted_place(name) for name in tables)} FROM PUBLIC;"
        short = statement if len(tables) <= _SHOWN else "REVOKE ALL ON … FROM PUBLIC; (whole with --json)"
        return _found(
            "grant_public",
            "warning",
            f"PUBLIC, and so {self.role}, has {extent}",
            f"Banyan changes no grants of others. Grant legacy's own roles what they need, then: {short}",
            details={**details, "statement": statement},
        )

    def _tried(self, mine: Sequence[Held]) -> Iterator[Disagreement]:
        trials = [*self._needed(mine), *self._forbidden(mine)]
        wrong = _run(self.live.connection, self.role, trials)
        if wrong is None:
            yield _found(
                "privileges_untried",
                "note",
                f"{self.role} was not tried: this login may not act as it, and no URL of its own is set",
                f"GRANT {self.role} TO the login that checks, or set BANYAN_{_VARIABLE[self.role].upper()}.",
            )
        for trial in wrong or ():
            code: Code = "server_refuses" if trial.is_allowed else "server_allows"
            yield _found(
                code,
                "error",
                f"{self.role}: {trial.what} is {'refused' if trial.is_allowed else 'allowed'} by the server",
                "A view that acts with its caller's rights, a function or a schema that it uses needs a grant too."
                if trial.is_allowed
                else "Look at the rules, views and ownership of this table: the catalogs say it is not granted.",
                table=trial.table,
                column=trial.column,
                details={"statement": trial.statement},
            )

    def _needed(self, mine: Sequence[Held]) -> Iterator[Trial]:
        """What the catalogs say is there; what is missing has been told."""
        have = {(one.schema, one.table, one.privilege, one.column) for one in mine}
        granted = [need for need in self._needs() if need[1:] in have or (*need[1:4], None) in have]
        by_table = grouped(sorted((need[1:4], need[4] or "") for need in granted))
        views = {(table.schema, table.name) for table in self.live.snapshot.tables if table.is_view}
        # A table's grants are all there is to it; a view may need more, so views are tried first.
        places = sorted(by_table, key=lambda place: place[:2] not in views)
        of_views = [place for place in places if place[:2] in views]
        others = sample(places[len(of_views) :], MOST_NEEDED)
        for schema, table, privilege in [*sample(of_views, MOST_NEEDED), *others]:
            columns = [column for column in by_table[schema, table, privilege] if column]
            yield from needed_trials((schema, table), privilege, columns)

    def _forbidden(self, mine: Sequence[Held]) -> Iterator[Trial]:
        """What the catalogs say is not there; what is too much has been told."""
        readable = {(one.schema, one.table, one.column) for one in mine if one.privilege == "SELECT"}
        touched = {(one.schema, one.table) for one in mine}
        deletable = {(one.schema, one.table) for one in mine if one.privilege == "DELETE"}
        needed = {(need[1], need[2]) for need in self._needs()}
        hidden_left = MOST_HIDDEN
        outside: list[tuple[str, str]] = []
        kept: list[tuple[str, str]] = []
        for table in self.live.snapshot.tables:
            place = (table.schema, table.name)
            if place in needed:
                hidden = [c.name for c in table.columns if (*place, c.name) not in readable]
                if hidden and (*place, None) not in readable and hidden_left > 0:
                    yield from hidden_column_trials(place, hidden[:hidden_left])
                    hidden_left -= len(hidden)
                if place not in deletable:
                    kept.append(place)
            elif place not in touched:
                outside.append(place)
        yield from map(delete_trial, sample(kept, MOST_OUTSIDE))
        for place in sample(outside, MOST_OUTSIDE):
            yield from outside_trials(place)
        schemas = sorted({table.schema for table in self.live.snapshot.tables} - set(self.facts.creates_in))
        if not self.facts.creates_schemas:
            yield from definition_trials(sample(schemas, MOST_SCHEMAS))


_VARIABLE = {API: "api_database_url", READ: "read_database_url"}


def _run(connection: psycopg.Connection[Any], role: str, trials: list[Trial]) -> list[Trial] | None:
    """By SET ROLE where this login may, else with the role's own URL; None where neither is possible."""
    with suppress(errors.InsufficientPrivilege):
        return failed(connection, role, trials)
    secret = getattr(settings(), _VARIABLE[role])
    if secret is None:
        return None
    with suppress(psycopg.OperationalError):
        with psycopg.connect(secret.get_secret_value(), autocommit=True, connect_timeout=5) as own:
            return failed(own, None, trials) if _is_the_same(connection, own) else None
    return None


def _is_the_same(one: psycopg.Connection[Any], other: psycopg.Connection[Any]) -> bool:
    """Whether both look at the same database of the same server."""
    where = "SELECT current_database(), pg_postmaster_start_time()"
    return one.execute(where).fetchone() == other.execute(where).fetchone()


def _by_table(extra: Iterable[Held]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for one in extra:
        found.setdefault(f"{one.schema}.{one.table}", set()).add(one.privilege)
    return found


def _quoted_place(name: str) -> str:
    schema, _, table = name.partition(".")
    return f"{quoted(schema)}.{quoted(table)}"


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")


def _found(
    code: Code,
    severity: Severity,
    message: str,
    advice: str,
    *,
    table: str | None = None,
    column: str | None = None,
    details: dict[str, Any] | None = None,
) -> Disagreement:
    return Disagreement(
        code=code,
        severity=severity,
        between=_BETWEEN,
        message=message,
        advice=advice,
        table=table,
        column=column,
        details=details,
    )
