"""What is generated from contract and snapshot and committed beside them, as text by path."""

from __future__ import annotations

from pathlib import Path

from api_gateway.api.build import Databases, build_api
from api_gateway.api.contract import Contract, load_contract, load_snapshot
from api_gateway.api.openapi import frozen
from api_gateway.consumers import Register
from api_gateway.project import Project
from shared_models.database import Database
from shared_models.tables_source import tables_source, tables_stub


def frozen_documents(project: Project, contract: Contract) -> dict[str, bytes]:
    """The content of `contract.openapi.json`, and of its like for each version, by version. Needs no database."""
    nowhere = Database("", size=1, application_name="banyan", statement_timeout=1, lock_timeout=1)
    app = build_api(project, contract, Register, Databases(nowhere, nowhere), secret="")
    return {version.version: frozen(app.state.openapi_of(version.version)) for version in contract.versions}


def generated_files(project: Project) -> dict[Path, bytes]:
    """Raises UsageError when contract or snapshot are wrong. A missing `tables.py` is written: operations import it."""
    snapshot = load_snapshot(project)
    tables = {
        project.folder / "tables.py": tables_source(snapshot).encode(),
        project.folder / "tables.pyi": tables_stub(snapshot).encode(),
    }
    for path, content in tables.items():
        if not path.exists():
            path.write_bytes(content)
    documents = frozen_documents(project, load_contract(project))
    return {**tables, **{project.openapi_path_of(version): content for version, content in documents.items()}}
