"""The PostgreSQL server as it is: version, replication, encodings, clocks, time-outs, what may be made there."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import dict_row

from api_gateway.doctor.symptom import Symptom
from shared_models.spelling import quoted
from shared_models.state import ROLES, SCHEMA

OLDEST, TESTED = 130000, (150000, 180000)  # tested: the distribution's, the embedded one
MOST_SKEW = 2.0  # seconds

_FACTS = """
SELECT current_setting('server_version_num')::int AS version, current_setting('server_version') AS version_text,
       pg_is_in_recovery() AS standby, current_setting('default_transaction_read_only') = 'on' AS read_only,
       current_setting('server_encoding') AS encoding, current_setting('TimeZone') AS time_zone,
       quote_ident(current_user) AS login, quote_ident(current_database()) AS database,
       (SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user) AS makes_roles,
       has_database_privilege(current_database(), 'CREATE') AS makes_schemas,
       (SELECT pg_get_userbyid(nspowner)::text FROM pg_namespace WHERE nspname = %(ours)s) AS schema_owner,
       ARRAY(SELECT r FROM unnest(%(roles)s::text[]) r WHERE r NOT IN (SELECT rolname FROM pg_roles)) AS lacking,
       ARRAY(SELECT rolname::text FROM pg_roles WHERE rolname = ANY(%(roles)s) AND NOT rolcanlogin) AS no_login,
       ARRAY(SELECT evtname::text FROM pg_event_trigger WHERE evtenabled <> 'D' ORDER BY 1) AS event_triggers,
       ARRAY(SELECT extname::text || ' ' || extversion FROM pg_extension WHERE extname <> 'plpgsql' ORDER BY 1)
         AS extensions
"""
# Our pool sets its own time-outs when it connects; the administrator's sessions (migrate, init) live with these.
_TIMEOUTS = """
SELECT name, setting::bigint, source FROM pg_settings
 WHERE name IN ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout', 'idle_session_timeout',
                'transaction_timeout')
   AND setting::bigint > 0 ORDER BY 1
"""
_OF_ROLES = """
SELECT coalesce(r.rolname::text, 'all roles'), split_part(setting, '=', 1), substr(setting, strpos(setting, '=') + 1)
  FROM pg_db_role_setting s LEFT JOIN pg_roles r ON r.oid = s.setrole, unnest(s.setconfig) setting
 WHERE (s.setdatabase = 0 OR s.setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database()))
   AND (r.rolname = ANY(%(roles)s)) ORDER BY 1, 2
"""


# An operator for exactly varchar = varchar goes before PostgreSQL's own, which is for text, wherever it stands.
_SHADOWS = """
SELECT format('%%I.%%s(%%s, %%s)', n.nspname, o.oprname, format_type(o.oprleft, NULL), format_type(o.oprright, NULL))
  FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace
  JOIN pg_type l ON l.oid = o.oprleft JOIN pg_type r ON r.oid = o.oprright
 WHERE n.nspname = ANY(%(path)s) AND o.oprname = ANY(%(compared)s)
   AND l.typnamespace = 'pg_catalog'::regnamespace AND r.typnamespace = 'pg_catalog'::regnamespace
   AND NOT EXISTS (SELECT FROM pg_depend d
                    WHERE d.classid = 'pg_operator'::regclass AND d.objid = o.oid AND d.deptype = 'e')
 ORDER BY 1
"""
_COMPARED = ["=", "<>", "<", "<=", ">", ">=", "~~", "~~*"]


@dataclass(frozen=True, slots=True)
class Facts:
    """One row of the server about itself."""

    row: dict[str, Any]

    def __getattr__(self, name: str) -> Any:
        return self.row[name]


def server(connection: psycopg.Connection[Any], zone: str, path: list[str]) -> Iterator[Symptom]:
    """`zone`: the legacy app's wall clock, as banyan.toml says; `path`: the search path. Raises psycopg.Error."""
    with connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(_FACTS, {"ours": SCHEMA, "roles": list(ROLES)}).fetchone()
    facts = Facts(row or {})
    yield _version(facts)
    if facts.standby:
        message = "this is a hot standby: Banyan's own tables cannot be written here"
        yield Symptom("standby", "error", message, "Give the primary's address; reads may go to a standby later.")
    if facts.read_only:
        message = "transactions are read only by default (default_transaction_read_only)"
        yield Symptom(
            "read_only", "error", message, f"ALTER ROLE {facts.login} SET default_transaction_read_only = off;"
        )
    yield _encoding(facts)
    yield _clock(connection)
    yield _zone(facts, zone)
    yield from _roles(facts)
    yield _schema(facts)
    if facts.event_triggers:
        names = ", ".join(facts.event_triggers)
        message = f"event triggers run at `banyan migrate up`: {names}"
        yield Symptom("event_triggers", "warning", message, "See that they let a schema and its tables be made.")
    yield from _timeouts(connection)
    yield from _shadows(connection, path)
    listed = ", ".join(facts.extensions) or "none"
    yield Symptom("extensions", "ok", f"extensions: {listed}; none is needed")


def _version(facts: Facts) -> Symptom:
    if facts.version < OLDEST:
        message = f"PostgreSQL {facts.version_text} is older than what Banyan reads"
        return Symptom("server_version", "error", message, "Upgrade PostgreSQL to 13 or later.")
    if facts.version < TESTED[0] or facts.version >= TESTED[1] + 10000:
        message = f"PostgreSQL {facts.version_text} is not tested with Banyan; 15 to 18 are"
        return Symptom("server_version", "warning", message, "Run `banyan check` and read every resource once.")
    return Symptom("server_version", "ok", f"PostgreSQL {facts.version_text}")


def _encoding(facts: Facts) -> Symptom:
    if facts.encoding == "SQL_ASCII":
        message = "the database is SQL_ASCII: it may hold bytes that are no UTF-8, and answers with them are no JSON"
        fix = "Find them (convert_from(…, 'UTF8') fails), then dump and restore into a database made with -E UTF8."
        return Symptom("encoding", "error", message, fix)
    if facts.encoding != "UTF8":
        message = f"the database is {facts.encoding}: read as UTF-8, but text beyond it cannot be stored"
        return Symptom("encoding", "warning", message, "Nothing for reading; a write beyond it is refused (422).")
    return Symptom("encoding", "ok", "the database is UTF8")


def _clock(connection: psycopg.Connection[Any]) -> Symptom:
    before = time.time()
    row = connection.execute("SELECT extract(epoch FROM clock_timestamp())::float8").fetchone()
    after = time.time()
    there = float(row[0]) if row else after
    skew = there - before if there < before else max(0.0, there - after)
    if abs(skew) > MOST_SKEW:
        message = f"the database's clock is {abs(skew):.0f} s {'behind' if skew < 0 else 'ahead of'} this machine's"
        return Symptom("clock", "warning", message, "Let both follow NTP: times in logs and in the ledger differ.")
    return Symptom("clock", "ok", "both clocks agree")


def _zone(facts: Facts, zone: str) -> Symptom:
    message = f"the server's TimeZone is {facts.time_zone}, api.time_zone is {zone}"
    if facts.time_zone in (zone, "UTC", "Etc/UTC", "GMT"):
        return Symptom("time_zone", "ok", message)
    fix = "If legacy stores local times in timestamp columns, api.time_zone must be the clock it goes by."
    return Symptom("time_zone", "warning", message, fix)


def _roles(facts: Facts) -> Iterator[Symptom]:
    if facts.no_login:
        statements = " ".join(f"ALTER ROLE {role} LOGIN;" for role in facts.no_login)
        yield Symptom("roles", "error", f"may not log in: {', '.join(facts.no_login)}", statements)
    if not facts.lacking:
        yield Symptom("roles", "ok", "Banyan's three roles are there")
    elif facts.makes_roles:
        yield Symptom(
            "roles", "ok", f"{facts.login} may make the roles that are not there yet: {', '.join(facts.lacking)}"
        )
    else:
        statements = " ".join(f"CREATE ROLE {role} LOGIN;" for role in facts.lacking)
        fix = f"An administrator runs once: {statements}"
        if "banyan_owner" in facts.lacking:
            fix += f" GRANT banyan_owner TO {facts.login};"
        yield Symptom("roles", "error", f"{facts.login} may not create roles: {', '.join(facts.lacking)}", fix)


def _schema(facts: Facts) -> Symptom:
    if facts.schema_owner == "banyan_owner":
        return Symptom("schema_banyan", "ok", "schema banyan is there")
    if facts.schema_owner is not None:
        message = f"there is a schema banyan that belongs to {facts.schema_owner}"
        return Symptom(
            "schema_banyan", "error", message, "If it is a leftover: ALTER SCHEMA banyan OWNER TO banyan_owner;"
        )
    if facts.makes_schemas:
        return Symptom("schema_banyan", "ok", f"{facts.login} may create the schema banyan")
    fix = f"The database's owner runs once: GRANT CREATE ON DATABASE {facts.database} TO {facts.login};"
    return Symptom("schema_banyan", "error", f"{facts.login} may not create the schema banyan", fix)


def _shadows(connection: psycopg.Connection[Any], path: list[str]) -> Iterator[Symptom]:
    shadows = [row[0] for row in connection.execute(_SHADOWS, {"compared": _COMPARED, "path": path}).fetchall()]
    if shadows:
        message = f"operators of the database's own would compare values in place of PostgreSQL's: {', '.join(shadows)}"
        fix = "If that is not meant, drop them; and let nobody but their owner create in schemas of the search path."
        yield Symptom("shadows", "warning", message, fix)


def _timeouts(connection: psycopg.Connection[Any]) -> Iterator[Symptom]:
    """What bounds our administrator's sessions, and what roles of ours were given."""
    short = [f"{name} = {value} ms" for name, value, _ in connection.execute(_TIMEOUTS).fetchall()]
    if short:
        fix = "Ours set their own; for `migrate` and `init` on a large schema: ALTER ROLE … SET them to 0."
        yield Symptom("timeouts", "warning", f"this login's sessions are bounded: {', '.join(short)}", fix)
    given = connection.execute(_OF_ROLES, {"roles": list(ROLES)}).fetchall()
    for role, name, value in given:
        if "timeout" in name:
            message = f"{role} was given {name} = {value}; Banyan's own settings go before it"
            fix = f"ALTER ROLE {quoted(role)} RESET {name}; or set BANYAN_STATEMENT_TIMEOUT, BANYAN_LOCK_TIMEOUT."
            yield Symptom("timeouts", "warning", message, fix)
    if not short and not given:
        yield Symptom("timeouts", "ok", "no time-outs but Banyan's own")
