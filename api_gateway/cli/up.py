"""`banyan up`: everything on one machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def up(
    project: Annotated[Path | None, typer.Option(help="The project's folder.")] = None,
    database_url: Annotated[
        str | None,
        typer.Option(envvar=["BANYAN_DATABASE_URL", "DATABASE_URL"], help="An existing database. Default: embedded."),
    ] = None,
    legacy_url: Annotated[str | None, typer.Option(help="A legacy app that already runs.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Port of the edge.")] = None,
    traffic: Annotated[bool, typer.Option("--traffic", help="Add the project's simulated partners.")] = False,
) -> None:
    """Start database, legacy app, gateways, worker, observer and edge; stop them all with Ctrl-C."""
    from api_gateway.cli import main
    from api_gateway.settings import settings
    from api_gateway.up import run

    given = {
        "project": project or (Path() if Path("banyan.toml").exists() else None),
        "database_url": database_url or None,
        "legacy_url": legacy_url,
        "edge_port": port,
    }
    run(settings(), {name: value for name, value in given.items() if value is not None}, main, traffic=traffic)
