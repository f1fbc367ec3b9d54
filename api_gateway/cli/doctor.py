"""`banyan doctor`: are the surroundings fit for an installation?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from api_gateway.doctor import Symptom
    from api_gateway.project import Configuration


def doctor(
    project: Annotated[
        Path | None, typer.Option(help="The project's folder; before `init` there need be none. [BANYAN_PROJECT]")
    ] = None,
    database_url: Annotated[
        str | None, typer.Option(help="The administrator's connection. [BANYAN_DATABASE_URL]")
    ] = None,
    legacy_url: Annotated[
        str | None, typer.Option(help="Where the legacy app listens: http://host:port. [BANYAN_LEGACY_URL]")
    ] = None,
    edge: Annotated[bool, typer.Option(help="Start an edge for a moment, to see what legacy sees through it.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was found as JSON.")] = False,
) -> None:
    """Look at database, pooler, legacy app and edge before an installation. Exit code 1 when one is not fit."""
    from api_gateway.cli.instance import project_folder
    from api_gateway.doctor import Surroundings, examine
    from api_gateway.settings import settings

    configured = settings()
    configuration = _configuration(project or project_folder(configured), is_named=project is not None)
    url = database_url or (configured.database_url.get_secret_value() if configured.database_url else None)
    legacy = legacy_url or configured.legacy_url or configuration.legacy.url
    found = examine(Surroundings(configuration, configured, url, legacy, edge))
    looked_at = {"database": url is not None, "legacy": legacy is not None, "edge": edge}
    if as_json:
        print(json.dumps({"findings": [symptom.as_json() for symptom in found], "looked_at": looked_at}, indent=2))
    else:
        print(_as_text(found, looked_at))
    if any(symptom.severity == "error" for symptom in found):
        raise typer.Exit(1)


def _configuration(folder: Path, *, is_named: bool) -> Configuration:
    """The project's, or the defaults where there is none yet. Raises UsageError for a file that cannot be read."""
    from api_gateway.project import Configuration, read_configuration

    if not is_named and not (folder / "banyan.toml").exists():
        return Configuration(name="")
    return read_configuration(folder)


def _as_text(found: list[Symptom], looked_at: dict[str, bool]) -> str:
    counts = ", ".join(
        f"{sum(symptom.severity == severity for symptom in found)} {name}"
        for severity, name in (("error", "errors"), ("warning", "warnings"), ("ok", "fit"))
    )
    lines = [*map(str, found), f"{counts}."]
    ways = {
        "database": "The database was not looked at: give --database-url or set BANYAN_DATABASE_URL.",
        "legacy": "The legacy app was not looked at: give --legacy-url or set BANYAN_LEGACY_URL.",
    }
    return "\n".join(lines + [way for what, way in ways.items() if not looked_at[what]])
