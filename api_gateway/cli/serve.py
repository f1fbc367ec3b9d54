"""`banyan serve`: one gateway process."""

from __future__ import annotations

from typing import Annotated

import typer


def serve(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8021,
    host: Annotated[str, typer.Option(help="Address to listen on; the edge is the only one who should reach it.")] = (
        "127.0.0.1"
    ),
) -> None:
    """Serve the typed API and the moved routes behind the edge."""
    from api_gateway.app import run
    from api_gateway.settings import settings

    run(settings(), host, port)
