"""The junction: every kind of disagreement looked for, in three lists; a new kind is a function in one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from api_gateway.check.accounts import unknown_scopes
from api_gateway.check.callers import with_callers
from api_gateway.check.contract import against_live_schema, against_snapshot
from api_gateway.check.disagreement import Disagreement
from api_gateway.check.drift import drifted
from api_gateway.check.indexes import missing_indexes
from api_gateway.check.openapi import against_frozen_document
from api_gateway.check.privileges import wrong_privileges
from api_gateway.check.rows import unkept_promises
from api_gateway.check.searches import unindexed_searches
from api_gateway.check.subject import Live, Subject, live, load_subject
from api_gateway.check.tables import outdated_tables
from api_gateway.check.triggers import failing_triggers
from api_gateway.draft.live import legacy_database
from api_gateway.project import Project

OF_FILES: tuple[Callable[[Subject], Iterable[Disagreement]], ...] = (
    against_snapshot,
    outdated_tables,
    against_frozen_document,
    unknown_scopes,
)
OF_DATABASE: tuple[Callable[[Subject, Live], Iterable[Disagreement]], ...] = (
    drifted,
    against_live_schema,
    missing_indexes,
    failing_triggers,
    wrong_privileges,
)
# Views of the host, and its text search configurations, are found by its own search path.
OF_ROWS: tuple[Callable[[Subject, Live], Iterable[Disagreement]], ...] = (unindexed_searches, unkept_promises)


def disagreements(project: Project, database_url: str | None, *, may_read_rows: bool = True) -> list[Disagreement]:
    """Everything found, errors first. Without a URL only the files are compared.

    Raises UsageError when a file of the project is missing or cannot be read, EnvironmentFault when the database is
    away.
    """
    subject = load_subject(project)
    found = [disagreement for look in OF_FILES for disagreement in look(subject)]
    if database_url is not None:
        with live(project, database_url, may_read_rows=may_read_rows) as database:
            found += [disagreement for look in OF_DATABASE for disagreement in look(subject, database)]
            with legacy_database(database_url, hosts_path=True) as connection:
                rows = replace(database, connection=connection)
                found += [disagreement for look in OF_ROWS for disagreement in look(subject, rows)]
            found = with_callers(found, subject, database)
    return sorted(found, key=lambda one: one.place)
