"""What `banyan check` compares: the project's files, and where there is a database, what lives in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

from api_gateway.api.contract import Contract, contract_modules, load_contract, load_snapshot
from api_gateway.draft.live import legacy_database
from api_gateway.errors import UsageError
from api_gateway.project import Project
from shared_models.binding import bind
from shared_models.catalog import read_snapshot
from shared_models.resources import ContractError, Finding
from shared_models.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Subject:
    """`contract` is None when it does not fit the snapshot: `faults` then say why."""

    project: Project
    snapshot: Snapshot
    contract: Contract | None
    faults: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Live:
    """The database itself. `connection` commits each statement; `may_read_rows`: the user allows looking at rows."""

    connection: psycopg.Connection[Any]
    snapshot: Snapshot
    may_read_rows: bool = True


def load_subject(project: Project) -> Subject:
    """Raises UsageError when a file of the project is missing or cannot be read."""
    snapshot = load_snapshot(project)
    try:
        return Subject(project, snapshot, load_contract(project, snapshot))
    except UsageError:
        faults = contract_faults(project, snapshot)
        if not faults:
            raise
        return Subject(project, snapshot, None, tuple(faults))


@contextmanager
def live(project: Project, database_url: str, *, may_read_rows: bool) -> Iterator[Live]:
    """Raises EnvironmentFault when the database is away."""
    with legacy_database(database_url) as connection:
        yield Live(connection, read_snapshot(connection, project.configuration.schemas), may_read_rows)


def contract_faults(project: Project, snapshot: Snapshot) -> list[Finding]:
    """What of the contract, in any of its versions, does not fit this snapshot."""
    found: list[Finding] = []
    for module in contract_modules(project).values():
        try:
            bind(module, snapshot, zone=project.configuration.api.time_zone)
        except ContractError as error:
            found += error.findings
    return list(dict.fromkeys(found))
