"""Are there connections enough for what Banyan would open, beside what others use?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg

from api_gateway import connections as parts
from api_gateway.doctor.symptom import Symptom
from api_gateway.settings import LOOKING, Settings
from shared_models.spelling import quoted
from shared_models.state import ROLES

_FACTS = """
SELECT current_setting('max_connections')::int
         - current_setting('superuser_reserved_connections')::int
         - coalesce(current_setting('reserved_connections', true), '0')::int,
       (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
           AND application_name NOT LIKE 'banyan%%'),
       (SELECT datconnlimit FROM pg_database WHERE datname = current_database()),
       (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
           AND application_name NOT LIKE 'banyan%%')
"""
_ROLES = "SELECT rolname::text, rolconnlimit FROM pg_roles WHERE rolname = ANY(%s) AND rolconnlimit >= 0"


def ours(settings: Settings, *, accounts: bool) -> int:
    """Connections that all processes of one installation may hold at once. `accounts`: those of legacy are let in."""
    each = _each(settings) + parts.WATCHERS + parts.GUARD + (parts.ACCOUNTS if accounts else 0)
    return len(settings.gateways) * each + parts.worker(settings.job_concurrency) + parts.observer() + parts.EDGE


def connections(connection: psycopg.Connection[Any], settings: Settings, *, accounts: bool) -> Iterator[Symptom]:
    row = connection.execute(_FACTS).fetchone()
    if row is None:
        return
    wanted = ours(settings, accounts=accounts)
    spoken = f"{len(settings.gateways)} gateways of {_each(settings)}, and {wanted - pools(settings)} besides"
    places = [("the server", row[0] - row[1]), *([("this database", row[2] - row[3])] if row[2] >= 0 else [])]
    where, left = min(places, key=lambda place: place[1])
    message = f"Banyan opens up to {wanted} connections ({spoken}); {where} has {left} left"
    if left < wanted:
        fix = (
            "Raise max_connections (or the database's limit), or lower BANYAN_POOL_SIZE, BANYAN_GATEWAY_PORTS or"
            " BANYAN_CONNECTION_BUDGET."
        )
        yield Symptom("connections", "error", message, fix)
    elif left < wanted * 1.25:
        yield Symptom("connections", "warning", message, "Leave room for the others' busiest hour.")
    else:
        yield Symptom("connections", "ok", message)
    for role, limit in connection.execute(_ROLES, [list(ROLES)]).fetchall():
        if role == "banyan_api" and limit < pools(settings):
            message = f"{role} may open {limit} connections, the gateways' pools want {pools(settings)}"
            yield Symptom("connections", "error", message, f"ALTER ROLE {quoted(role)} CONNECTION LIMIT -1;")


def pools(settings: Settings) -> int:
    """What all gateways open as banyan_api."""
    return len(settings.gateways) * _each(settings)


def _each(settings: Settings) -> int:
    """What one gateway opens as banyan_api: its pool, one for each file that it writes, one to look at the schema."""
    return settings.pool_share() + settings.exports + LOOKING
