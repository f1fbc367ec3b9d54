"""The observer: the process that receives exchanges from the edge, counts them, runs candidates and compares."""

from api_gateway.observer.process import run

__all__ = ["run"]
