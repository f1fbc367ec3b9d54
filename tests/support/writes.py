"""A writable contract over a database of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import ModuleType

import psycopg

from api_gateway.api.contract import Contract
from api_gateway.consumers import Consumer
from api_gateway.postgres import Server
from api_gateway.project import load_project
from shared_models.binding import bind
from shared_models.catalog import read_snapshot
from shared_models.granting import apply, wanted
from shared_models.grants import grants, touches_of
from shared_models.migrations import upgrade
from tests.support.api import NORTHGATE, Api, serving


def laid(url: str, sql: str, module: ModuleType, schemas: Iterable[str] = ("public",)) -> Contract:
    """The tables, schema `banyan`, and the grants of the contract in `module`."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.encode())
        snapshot = read_snapshot(connection, list(schemas))
        contract = Contract(bind(module, snapshot), tuple(getattr(module, "operations", ())))
        upgrade(url)
        touched = touches_of(contract.operations)
        apply(connection, wanted(grants(contract.resources, touched), touched, snapshot, contract.resources))
    return contract


def consumers(contract: Contract) -> list[Consumer]:
    """Two with every scope, one who may only read."""
    every = frozenset(contract.scopes())
    reading = frozenset(scope for scope in every if scope.endswith(":read"))
    return [Consumer("ACME", "Acme", every), Consumer("BOLT", "Bolt", every), Consumer("READER", "Reader", reading)]


@contextmanager
def served(server: Server, url: str, contract: Contract) -> Iterator[Api]:
    as_api = server.url(url.rsplit("/", 1)[1], user="banyan_api")
    with serving(as_api, consumers(contract), project=load_project(NORTHGATE), contract=contract) as api:
        yield api
