"""Databases that hold schema `banyan`, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from api_gateway.postgres import Server
from shared_models.migrations import upgrade


@pytest.fixture(scope="session")
def state_template(clone: Callable[[str], str]) -> str:
    """Name of a database with schema `banyan` at its head. Nobody connects to it."""
    url = clone("template1")
    upgrade(url)
    return url.rsplit("/", 1)[1]


@pytest.fixture
def administrator_url(clone: Callable[[str], str], state_template: str) -> str:
    return clone(state_template)


@pytest.fixture
def owner_url(server: Server, administrator_url: str) -> str:
    """As banyan_owner, in a fresh database with empty tables."""
    return server.url(administrator_url.rsplit("/", 1)[1], user="banyan_owner")


@pytest.fixture
def owner(owner_url: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection as banyan_owner that commits each statement."""
    with psycopg.connect(owner_url, autocommit=True) as connection:
        yield connection
