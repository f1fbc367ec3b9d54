"""The job tables, which are procrastinate's: laid into schema `banyan`, and kept at the version that is installed.

Procrastinate ships its schema whole, and for each later version the steps from the one before. Which step a database
has is kept as the comment of its table of jobs.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from procrastinate.schema import SchemaManager
from sqlalchemy import Connection, text

from shared_models.state import SCHEMA

TABLE = f"{SCHEMA}.procrastinate_jobs"


def lay_jobs(connection: Connection) -> None:
    """Create procrastinate's tables, types and functions in our schema."""
    _apply(connection, SchemaManager.get_schema())
    _settle(connection, _steps()[-1].name)


def take_over_jobs(connection: Connection, steps: Sequence[Path] | None = None) -> None:
    """Apply the steps of the installed procrastinate that this database has not had. Without its tables, do nothing."""
    if not connection.scalar(text("SELECT to_regclass(:table) IS NOT NULL"), {"table": TABLE}):
        return
    laid = str(connection.scalar(text("SELECT obj_description(to_regclass(:table))"), {"table": TABLE}) or "")
    later = [step for step in (_steps() if steps is None else steps) if step.name > laid]
    for step in later:
        _apply(connection, step.read_text("utf-8"))
    if later:
        _settle(connection, later[-1].name)


def lift_jobs(connection: Connection) -> None:
    """Drop everything of procrastinate's, whatever its version.

    Tables and functions need each other, so it cascades; that nothing else hangs on them was checked before.
    """
    for statement in connection.scalars(text(_DROPS), {"schema": SCHEMA}).all():
        connection.exec_driver_sql(statement)


def _apply(connection: Connection, script: str) -> None:
    connection.execute(text(f"SET LOCAL search_path = {SCHEMA}"))
    driver = connection.connection.driver_connection
    if driver is None:
        raise RuntimeError("no driver connection")
    driver.execute(script.encode())  # a script of many statements, with percent signs that are no placeholders
    connection.execute(text("SET LOCAL search_path = pg_catalog"))


def _settle(connection: Connection, step: str) -> None:
    """Functions find their tables whatever the caller's search_path: an operation enqueues in its own transaction."""
    for function in connection.scalars(text(_FUNCTIONS), {"schema": SCHEMA}).all():
        connection.exec_driver_sql(f"ALTER FUNCTION {function} SET search_path = {SCHEMA}, pg_temp")
    connection.execute(text(f"COMMENT ON TABLE {TABLE} IS '{step}'"))


def _steps() -> list[Path]:
    return sorted(Path(SchemaManager.get_migrations_path()).glob("*.sql"))


_FUNCTIONS = """
SELECT p.oid::regprocedure::text FROM pg_proc p
 WHERE p.pronamespace = to_regnamespace(:schema) AND p.proname LIKE 'procrastinate%'
"""

_DROPS = """
SELECT format('DROP TABLE IF EXISTS %s CASCADE', c.oid::regclass) FROM pg_class c
 WHERE c.relnamespace = to_regnamespace(:schema) AND c.relname LIKE 'procrastinate%' AND c.relkind = 'r'
UNION ALL
SELECT format('DROP FUNCTION IF EXISTS %s CASCADE', p.oid::regprocedure) FROM pg_proc p
 WHERE p.pronamespace = to_regnamespace(:schema) AND p.proname LIKE 'procrastinate%'
UNION ALL
SELECT format('DROP TYPE IF EXISTS %s CASCADE', t.oid::regtype) FROM pg_type t
 WHERE t.typnamespace = to_regnamespace(:schema) AND t.typname LIKE 'procrastinate%'
   AND (t.typtype = 'e' OR t.typtype = 'c' AND EXISTS (
          SELECT FROM pg_class c WHERE c.oid = t.typrelid AND c.relkind = 'c'))
"""
