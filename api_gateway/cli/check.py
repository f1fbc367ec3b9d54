"""`banyan check`: do contract, snapshot, live schema and frozen OpenAPI document agree?"""

from __future__ import annotations

import gc
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from api_gateway.check import Disagreement
    from api_gateway.project import Project


def check(
    project: Annotated[Path | None, typer.Option(help="The project's folder. [BANYAN_PROJECT]")] = None,
    database_url: Annotated[
        str | None,
        typer.Option(help="The live database; without one only the files are compared. [BANYAN_DATABASE_URL]"),
    ] = None,
    write: Annotated[
        bool, typer.Option("--write", help="First refresh schema.lock.json, tables.py and contract.openapi.json.")
    ] = False,
    no_data: Annotated[bool, typer.Option("--no-data", help="Look at the schema only, at no row.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Say where the contract, the schema and the frozen API document disagree. Exit code 1 when one is an error."""
    gc.disable()  # the process ends with its answer; among millions of objects that live, looking for dead ones is slow
    from api_gateway.check import disagreements
    from api_gateway.cli.instance import project_folder
    from api_gateway.project import load_project
    from api_gateway.settings import settings

    configured = settings()
    loaded = load_project(project or project_folder(configured))
    url = database_url or (configured.database_url.get_secret_value() if configured.database_url else None)
    if write:
        _refresh(loaded, url)
    found = disagreements(loaded, url, may_read_rows=not no_data)
    print(json.dumps(_as_json(found, url), indent=2, ensure_ascii=False) if as_json else _as_text(found, url))
    if any(disagreement.severity == "error" for disagreement in found):
        raise typer.Exit(1)


def _refresh(project: Project, url: str | None) -> None:
    from api_gateway.draft.refresh import refresh_generated, refresh_snapshot

    if url is not None:
        refresh_snapshot(project, url)
    refresh_generated(project)


def _as_json(found: list[Disagreement], url: str | None) -> dict[str, object]:
    return {
        "findings": [disagreement.as_json() for disagreement in found],
        **{f"{severity}s": sum(d.severity == severity for d in found) for severity in ("error", "warning", "note")},
        "live_schema": "compared" if url else "not compared: no database URL",
    }


def _as_text(found: list[Disagreement], url: str | None) -> str:
    lines = [str(disagreement) for disagreement in found]
    compared = "contract, snapshot, frozen OpenAPI" + (", live schema" if url else "")
    errors, warnings = (sum(d.severity == severity for d in found) for severity in ("error", "warning"))
    lines.append(f"{compared} compared: {errors} errors, {warnings} warnings, {len(found) - errors - warnings} notes.")
    if not url:
        lines.append("The live schema was not looked at: give --database-url or set BANYAN_DATABASE_URL.")
    return "\n".join(lines)
