"""The embedded PostgreSQL for laptops and tests: the server's own programs out of a wheel, whoever we are.

Never for production: there Banyan is installed beside a PostgreSQL that already exists.
"""

from api_gateway.postgres.server import Server, free_port, running, start

__all__ = ["Server", "free_port", "running", "start"]
