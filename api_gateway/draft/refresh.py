"""Brings the generated files of a project up to date: the snapshot, its typed tables, the frozen OpenAPI document."""

from __future__ import annotations

import sys

from api_gateway.api.freeze import generated_files
from api_gateway.draft.folder import write_generated
from api_gateway.draft.live import live_snapshot
from api_gateway.project import Project


def refresh_snapshot(project: Project, database_url: str) -> None:
    """Raises EnvironmentFault when the database is away or the file cannot be written."""
    snapshot = live_snapshot(project.configuration.schemas, database_url)
    write_generated(project.folder, project.snapshot_path.name, snapshot.to_json().encode())


def refresh_generated(project: Project) -> None:
    """`tables.py` and `contract.openapi.json`. Raises UsageError when the contract does not fit the snapshot."""
    for path, content in generated_files(project).items():
        write_generated(project.folder, path.name, content)


def forget_modules(project: Project) -> None:
    """A contract that was just written anew must not be answered from Python's memory of the old one."""
    for name in [name for name in sys.modules if name.startswith(f"{project.package}.")]:
        del sys.modules[name]
