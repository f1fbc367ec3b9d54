"""`banyan observe`: the observer process."""

from __future__ import annotations


def observe() -> None:
    """Receive copies of exchanges from the edge, count calls, run candidates and compare."""
    from api_gateway.observer import run
    from api_gateway.settings import settings

    run(settings())
