"""`banyan init`: a project for a database that nobody here has seen."""

from __future__ import annotations

import gc
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from api_gateway.draft.init import Report

Patterns = list[str]


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The project's folder; made when it is not there.")],
    database_url: Annotated[
        str | None, typer.Option(help="The legacy database: postgresql://user@host:port/name. [BANYAN_DATABASE_URL]")
    ] = None,
    legacy_url: Annotated[str | None, typer.Option(help="Where the legacy app listens.")] = None,
    schema: Annotated[Patterns | None, typer.Option(help="Only this schema; may be repeated.")] = None,
    include: Annotated[Patterns | None, typer.Option(help="Only tables that match, such as `ord_*`.")] = None,
    exclude: Annotated[Patterns | None, typer.Option(help="No tables that match, such as `audit.*`.")] = None,
    no_data: Annotated[bool, typer.Option("--no-data", help="Read the catalogs only, never a row.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was done as JSON.")] = False,
) -> None:
    """Draft a project from the schema of a database. Edited files are kept; the database is only read."""
    gc.disable()  # the process ends with its answer; among millions of objects that live, looking for dead ones is slow
    from api_gateway.draft.drafting import Selection
    from api_gateway.draft.init import init_project

    report = init_project(
        folder,
        database_url or _configured_url(),
        legacy_url=legacy_url,
        schemas=schema or (),
        selection=Selection(tuple(include or ()), tuple(exclude or ())) if include or exclude else None,
        read_rows=not no_data,
    )
    print(json.dumps(_as_json(report), indent=2, ensure_ascii=False) if as_json else _as_text(report))


def _configured_url() -> str:
    from api_gateway.cli.database import administrator_url
    from api_gateway.settings import settings

    return administrator_url(settings())


def _as_json(report: Report) -> dict[str, object]:
    draft = report.draft
    return {
        "folder": str(report.folder),
        "tables": len(report.snapshot.tables),
        "resources": len(draft.resources),
        "left_out": [{"table": f"{left.schema}.{left.table}", "reason": left.reason} for left in draft.left_out],
        "foreign_keys": {"declared": draft.foreign_keys, "related": draft.related},
        "files": dict(report.outcomes),
        "proposed": report.proposed,
    }


def _as_text(report: Report) -> str:
    draft, kept = report.draft, [name for name, outcome in report.outcomes.items() if outcome == "kept"]
    written = [name for name, outcome in report.outcomes.items() if outcome == "written"]
    counted = f"{len(report.snapshot.tables)} tables and views: {len(draft.resources)} drafted"
    related = f"{draft.related} of {draft.foreign_keys} foreign keys became relations"
    lines = [
        f"{counted}, {len(draft.left_out)} left out; {related}.",
        f"Written to {report.folder}: {', '.join(written) or 'nothing, it is as the schema is'}.",
    ]
    if kept:
        lines.append(f"Kept, because somebody edited them: {', '.join(kept)}.")
    if report.proposed:
        lines += ["", "New in the schema, for you to paste into contract.py:", "", report.proposed]
    elif written:
        lines.append(f"Next: read {report.folder.name}/contract.py and {report.folder.name}/README.md.")
    return "\n".join(lines)
