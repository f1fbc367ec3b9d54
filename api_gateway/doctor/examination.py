"""The whole examination, in order; what cannot be looked at is left out and said."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from api_gateway.doctor.budget import connections
from api_gateway.doctor.encryption import encryption
from api_gateway.doctor.legacy import legacy_paths
from api_gateway.doctor.pooler import pooler, way_of_the_api
from api_gateway.doctor.seen import legacy_sees
from api_gateway.doctor.server import server
from api_gateway.doctor.symptom import RANKS, Symptom
from api_gateway.draft.live import legacy_database
from api_gateway.project import Configuration
from api_gateway.settings import Settings


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where to look. An address that is None is not looked at; `configuration` is the default one before `init`."""

    configuration: Configuration
    settings: Settings
    database_url: str | None
    legacy_url: str | None
    with_edge: bool = True


def examine(around: Surroundings) -> list[Symptom]:
    """Everything found, errors first. Raises EnvironmentFault in one line when the database is away."""
    return sorted(_all(around), key=lambda symptom: RANKS[symptom.severity])


def _all(around: Surroundings) -> Iterator[Symptom]:
    configuration = around.configuration
    if around.database_url is not None:
        with legacy_database(around.database_url) as connection:
            connection.prepare_threshold = None  # perhaps there is a pooler that keeps none
            yield from server(connection, configuration.api.time_zone, _path(around.database_url))
            yield from encryption(connection, around.database_url, around.settings)
            accounts = bool(configuration.accounts or configuration.issuers)
            yield from connections(connection, around.settings, accounts=accounts)
            yield from pooler(around.database_url)
            if around.settings.api_database_url is not None:
                api_url = around.settings.api_database_url.get_secret_value()
                yield from way_of_the_api(api_url, around.settings.pooler)
    if around.legacy_url is not None:
        yield from legacy_paths(around.legacy_url, configuration.api.prefix)
    if around.with_edge:
        yield from legacy_sees(configuration.edge.trusted_hops)


def _path(database_url: str) -> list[str]:
    """The search path that the host gives to this login."""
    with legacy_database(database_url, hosts_path=True) as connection:
        row = connection.execute("SELECT pg_catalog.current_schemas(false)", prepare=False).fetchone()
    return list(row[0]) if row is not None else []
