"""The legacy app beside the candidates, as the observer runs them: on the same database, reading only."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator

import psycopg
import pytest

from api_gateway.evidence.candidate import Candidates
from api_gateway.project import Project, load_project
from shared_models.database import Database
from shared_models.grants import Grant, grant_sql, touches_of, usage_sql
from shared_models.migrations import BANYAN, upgrade
from shared_models.state import READ
from tests.support.api import NORTHGATE
from tests.support.legacy import running_legacy


@pytest.fixture(scope="package")
def url(clone: Callable[[str], str], northgate_template: str) -> str:
    made = clone(northgate_template)
    upgrade(made, BANYAN)
    return made


@pytest.fixture(scope="package")
def legacy(url: str) -> Iterator[str]:
    with running_legacy(url) as address:
        yield address


@pytest.fixture(scope="package")
def project() -> Project:
    return load_project(NORTHGATE)


@pytest.fixture
async def candidates(url: str, project: Project) -> AsyncIterator[Candidates]:
    """As banyan_read, with exactly the columns that the mimics declare."""
    grant_what_mimics_touch(url, project)
    database = Database(
        url.replace("postgres@", f"{READ}@"), size=2, application_name="t", statement_timeout=5, lock_timeout=1
    )
    await database.open()
    yield Candidates(project, database)
    await database.close()


def grant_what_mimics_touch(url: str, project: Project) -> None:
    touched = touches_of(route.mimic for route in project.routes.values() if route.mimic is not None)
    wanted = [
        Grant(READ, "public", table, column, "SELECT")
        for touch in touched
        for table, columns in touch.select.items()
        for column in columns
    ]
    with psycopg.connect(url) as connection:
        for statement in [*usage_sql((grant.table_schema, grant.grantee) for grant in wanted), *grant_sql(wanted)]:
            connection.execute(statement.encode())
