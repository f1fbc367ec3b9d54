"""Banyan's roles and schema: made where they are missing, and everything they hold in a database taken back.

Runs as a superuser or, with what PostgreSQL lets such a role do, as the database's owner with CREATEROLE.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

from shared_models.state import OWNER, ROLES, SCHEMA


class MigrationFault(Exception):
    """One readable line, and a hint at what to do. When it is raised, nothing has been changed."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def prepare_schema(connection: Connection) -> None:
    """Make roles and schema where they are missing. Raises MigrationFault with the SQL that an administrator runs."""
    present = set(
        connection.scalars(text("SELECT rolname FROM pg_roles WHERE rolname = ANY(:roles)"), {"roles": list(ROLES)})
    )
    missing = [role for role in ROLES if role not in present]
    if missing and not _scalar(
        connection, "SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user"
    ):
        user = _scalar(connection, "SELECT quote_ident(current_user)")
        needed = "".join(f"CREATE ROLE {role} LOGIN; " for role in missing)
        raise MigrationFault(
            f"{user} may not create roles. An administrator runs once: {needed}GRANT {OWNER} TO {user};",
        )
    for role in missing:
        # Without a password nobody gets in from outside until an administrator gives the role one.
        connection.execute(text(f"CREATE ROLE {role} LOGIN"))
    may_act_as_owner(connection)
    _let_in(connection)
    if not _scalar(connection, f"SELECT to_regnamespace('{SCHEMA}') IS NOT NULL"):
        if not _scalar(connection, "SELECT has_database_privilege(current_database(), 'CREATE')"):
            database = _scalar(connection, "SELECT quote_ident(current_database())")
            user = _scalar(connection, "SELECT quote_ident(current_user)")
            raise MigrationFault(
                f"{user} may not create a schema. The database's owner runs once: "
                f"GRANT CREATE ON DATABASE {database} TO {user};"
            )
        connection.execute(text(f"CREATE SCHEMA {SCHEMA} AUTHORIZATION {OWNER}"))
    owner = _scalar(connection, "SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = :name", name=SCHEMA)
    if owner != OWNER:
        raise MigrationFault(
            f"there is a schema {SCHEMA} that belongs to {owner}: it is not ours.",
            hint=f"if it is a leftover: ALTER SCHEMA {SCHEMA} OWNER TO {OWNER};",
        )


def _let_in(connection: Connection) -> None:
    """Let our roles connect where the database does not let everybody."""
    database = _scalar(connection, "SELECT quote_ident(current_database())")
    for role in ROLES:
        connects = "SELECT has_database_privilege(:role, current_database(), 'CONNECT')"
        if not _scalar(connection, connects, role=role):
            connection.exec_driver_sql(f"GRANT CONNECT ON DATABASE {database} TO {role}")
            if not _scalar(connection, connects, role=role):
                raise MigrationFault(
                    f"{role} may not connect. The database's owner runs once: "
                    f"GRANT CONNECT ON DATABASE {database} TO {', '.join(ROLES)};"
                )


def may_act_as_owner(connection: Connection) -> None:
    """Become a member of the owner's role where that is needed. Raises MigrationFault where it is not allowed."""
    version = int(_scalar(connection, "SHOW server_version_num"))
    privilege = "SET" if version >= 160000 else "MEMBER"
    if _scalar(connection, f"SELECT pg_has_role(current_user, '{OWNER}', '{privilege}')"):
        return
    user = _scalar(connection, "SELECT quote_ident(current_user)")
    grant = f"GRANT {OWNER} TO {user}"
    may_grant = (
        f"SELECT pg_has_role(current_user, '{OWNER}', 'MEMBER WITH ADMIN OPTION')"
        if version >= 160000
        else "SELECT rolcreaterole FROM pg_roles WHERE rolname = current_user"
    )
    if not _scalar(connection, may_grant):
        raise MigrationFault(f"{user} may not act as {OWNER}. An administrator runs once: {grant};")
    connection.execute(text(grant))


def act_as_owner(connection: Connection) -> None:
    connection.execute(text(f"SET LOCAL ROLE {OWNER}"))


def refuse_dependents(connection: Connection) -> None:
    """Raises MigrationFault when anything outside our schema is built on something in it: it would have to go too."""
    found = connection.scalars(text(_DEPENDENTS), {"schema": SCHEMA, "inside": rf"(^|on |for ){SCHEMA}\."}).all()
    if found:
        raise MigrationFault(f"{found[0]} depends on schema {SCHEMA}; nothing was changed.", hint="drop it first.")


def drop_schema(connection: Connection, version_table: str) -> None:
    """Drop the schema once its history is at base. Whatever else is in it, or depends on it, stops this."""
    connection.execute(text(f"DROP TABLE {SCHEMA}.{version_table}"))
    connection.execute(text(f"DROP SCHEMA {SCHEMA} RESTRICT"))


def revoke_everything(connection: Connection) -> None:
    """Take back every privilege that our roles hold on anything in this database. Raises MigrationFault when one stays.

    Not `DROP OWNED BY`: that would also drop what the roles own, and their privileges on the server's other databases.
    """
    for statement in connection.scalars(text(_REVOCATIONS), {"roles": list(ROLES)}).all():
        connection.exec_driver_sql(statement)
    left = connection.scalars(text(_HELD), {"roles": list(ROLES)}).all()
    if left:
        raise MigrationFault(
            f"cannot take back what others granted on {', '.join(sorted(left)[:3])}{' …' if len(left) > 3 else ''}; "
            "nothing was changed.",
            hint="run it as a superuser, or let whoever granted it revoke it.",
        )


def _scalar(connection: Connection, query: str, **values: str) -> str:
    return str(connection.scalar(text(query), values) or "")


# Every object of this database (and the database itself) on which one of our roles holds a privilege. The server keeps
# this list itself, in pg_shdepend, to refuse dropping a role that is still in use.
_DEPENDENCIES = """
    SELECT DISTINCT d.classid, d.objid, r.rolname
      FROM pg_shdepend d JOIN pg_roles r ON r.oid = d.refobjid
     WHERE d.refclassid = 'pg_authid'::regclass AND d.deptype = 'a' AND r.rolname = ANY(:roles)
       AND (d.dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
            OR d.classid = 'pg_database'::regclass
               AND d.objid = (SELECT oid FROM pg_database WHERE datname = current_database()))
"""

_DEPENDENTS = """
SELECT DISTINCT o.type || ' ' || o.identity
  FROM pg_depend d
  JOIN (SELECT oid FROM pg_class WHERE relnamespace = to_regnamespace(:schema)
        UNION ALL SELECT oid FROM pg_proc WHERE pronamespace = to_regnamespace(:schema)
        UNION ALL SELECT oid FROM pg_type WHERE typnamespace = to_regnamespace(:schema)) ours ON ours.oid = d.refobjid,
       LATERAL pg_identify_object(d.classid, d.objid, d.objsubid) o
 WHERE d.deptype = 'n' AND o.schema IS DISTINCT FROM :schema AND o.identity !~ :inside
 ORDER BY 1
"""

_HELD = f"WITH held AS ({_DEPENDENCIES}) SELECT pg_describe_object(classid, objid, 0) FROM held"  # noqa: S608  constants

_REVOCATIONS = f"""
WITH held AS ({_DEPENDENCIES})
SELECT CASE
         WHEN kind = 'default acl' THEN (
           SELECT format('ALTER DEFAULT PRIVILEGES FOR ROLE %I%s REVOKE ALL ON %s FROM %I',
                         pg_get_userbyid(a.defaclrole),
                         coalesce(' IN SCHEMA ' || quote_ident(n.nspname), ''),
                         CASE a.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'FUNCTIONS'
                                              WHEN 'T' THEN 'TYPES' WHEN 'n' THEN 'SCHEMAS' ELSE 'LARGE OBJECTS' END,
                         rolname)
             FROM pg_default_acl a LEFT JOIN pg_namespace n ON n.oid = a.defaclnamespace WHERE a.oid = objid)
         ELSE format('REVOKE ALL ON %s %s FROM %I CASCADE',
                     CASE WHEN kind IN ('table', 'view', 'materialized view', 'foreign table', 'partitioned table')
                            THEN 'TABLE'
                          WHEN kind IN ('function', 'procedure', 'aggregate') THEN 'ROUTINE'
                          WHEN kind = 'server' THEN 'FOREIGN SERVER'
                          ELSE upper(kind) END,
                     identity, rolname)
       END
  FROM held, LATERAL (SELECT o.type AS kind, o.identity FROM pg_identify_object(classid, objid, 0) o) named
 ORDER BY 1
"""  # noqa: S608  constants
