"""`banyan worker`: jobs, and the console on its own port."""

from __future__ import annotations


def worker() -> None:
    """Run jobs in the background and serve the console."""
    from api_gateway.settings import settings
    from api_gateway.worker import run

    run(settings())
