"""`banyan up`: everything on one machine, from an empty folder to a running instance and back to nothing."""

from api_gateway.up.run import run

__all__ = ["run"]
