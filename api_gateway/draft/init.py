"""`banyan init` from end to end: read, look, draft, write."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from api_gateway.api.contract import load_contract
from api_gateway.api.freeze import frozen_documents
from api_gateway.draft.drafting import Selection, draft, select
from api_gateway.draft.files import Facts, project_files
from api_gateway.draft.folder import Outcome, is_edited, read_memory, write_files, write_generated
from api_gateway.draft.growth import proposed_source
from api_gateway.draft.live import legacy_database, snapshot_of
from api_gateway.draft.plan import Draft
from api_gateway.draft.refresh import forget_modules
from api_gateway.draft.relations import possible_links
from api_gateway.draft.sample import Sample, read_sample
from api_gateway.errors import UsageError
from api_gateway.project import load_project, read_configuration
from shared_models.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Report:
    """What a run found and did. `proposed`: code for what an edited contract does not know of yet."""

    folder: Path
    snapshot: Snapshot
    draft: Draft
    outcomes: Mapping[str, Outcome]
    proposed: str


def init_project(
    folder: Path,
    database_url: str,
    *,
    legacy_url: str | None = None,
    schemas: Sequence[str] = (),
    selection: Selection | None = None,
    read_rows: bool = True,
) -> Report:
    """Drafts a project into `folder`, or looks again at one that was drafted before, with its schemas and selection.

    Nothing is written before everything is known, nothing at all to the database. Raises UsageError for a folder,
    URL or schema that cannot be, EnvironmentFault when the database or the disk is.
    """
    folder = folder.resolve()
    _check_folder(folder)
    _check_legacy_url(legacy_url)
    memory = read_memory(folder)
    selection = selection or memory.selection
    with legacy_database(database_url) as connection:
        snapshot = snapshot_of(connection, schemas or _schemas_before(folder))
        tables, _ = select(snapshot, selection)
        sample = read_sample(connection, tables, possible_links(tables)) if read_rows else Sample()
    drafted = draft(snapshot, selection, sample)
    files = dict(project_files(drafted, snapshot, Facts(folder.name, legacy_url or _legacy_before(folder))))
    proposed = ""
    if is_edited(folder, "contract.py", memory):
        contract = (folder / "contract.py").read_text("utf-8")
        proposed = proposed_source(drafted, memory.drafted, memory.related, contract)
    outcomes = write_files(folder, files, replace(memory, selection=selection), drafted)
    if outcomes["contract.py"] != "kept":
        outcomes["contract.openapi.json"] = _freeze(folder, snapshot)
    return Report(folder, snapshot, drafted, outcomes, proposed)


def _freeze(folder: Path, snapshot: Snapshot) -> Outcome:
    """The document of the drafted contract. That of an edited one is frozen by whoever edited it."""
    project = load_project(folder)
    forget_modules(project)
    path = project.openapi_path
    before = path.read_bytes() if path.exists() else None
    document = frozen_documents(project, load_contract(project, snapshot))[project.configuration.api.version]
    write_generated(folder, path.name, document)
    return "unchanged" if document == before else "written"


def _check_folder(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file, not a folder.")
    name = re.sub(r"\W", "_", folder.name)
    if not name or name[0].isdigit() or name in sys.stdlib_module_names or _is_somebody_elses(name, folder):
        raise UsageError(
            f"a project cannot be called {folder.name!r}: Python imports it by that name.",
            hint="Choose a folder name that is no module, such as orders_api.",
        )


def _is_somebody_elses(name: str, folder: Path) -> bool:
    """Does Python know another module of this name?"""
    try:
        found = importlib.util.find_spec(name)
    except ValueError:
        return False  # a project that this process loaded before
    places = list(found.submodule_search_locations or [found.origin or ""]) if found is not None else []
    return any(Path(place).resolve() != folder for place in places)


def _check_legacy_url(url: str | None) -> None:
    if url is None:
        return
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"--legacy-url {url!r} must be an http:// or https:// URL.")


def _schemas_before(folder: Path) -> tuple[str, ...]:
    return read_configuration(folder).schemas if (folder / "banyan.toml").exists() else ()


def _legacy_before(folder: Path) -> str | None:
    return read_configuration(folder).legacy.url if (folder / "banyan.toml").exists() else None
