"""`banyan edge`: the one entry for all traffic."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def edge(
    project: Annotated[Path | None, typer.Option(help="The project's folder: the one with banyan.toml.")] = None,
    legacy_url: Annotated[str | None, typer.Option(help="Where the legacy app listens: http://host:port.")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port to listen on.")] = None,
    all_legacy: Annotated[
        bool, typer.Option("--all-legacy", help="Break the glass: everything to the legacy app; needs nothing else.")
    ] = False,
) -> None:
    """Run Envoy in front of the legacy app and the gateways, at the stages of the ledger."""
    from api_gateway.edge.supervise import run
    from api_gateway.settings import settings

    given = {"project": project, "legacy_url": legacy_url, "edge_host": host, "edge_port": port}
    run(
        settings().model_copy(update={name: value for name, value in given.items() if value is not None}),
        all_legacy=all_legacy,
    )
