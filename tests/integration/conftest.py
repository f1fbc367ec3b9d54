"""Databases that hold schema `banyan`, and the example's API over them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from api_gateway.api.contract import load_contract
from api_gateway.postgres import Server
from api_gateway.project import Project, load_project
from shared_models.migrations import upgrade
from tests.support.api import NORTHGATE, Api, partners, prepare, serving
from tests.support.jobs import Chores
from tests.support.versions import both_served, laid


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


@pytest.fixture(scope="session")
def api_template(clone: Callable[[str], str], northgate_template: str) -> str:
    """Name of a copy of the example's database with schema `banyan` and the contract's grants."""
    url = clone(northgate_template)
    project = load_project(NORTHGATE)
    prepare(url, project, load_contract(project))
    return url.rsplit("/", 1)[1]


@pytest.fixture(scope="session")
def people(
    clone: Callable[[str], str], state_template: str, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Project]:
    """A project of two versions, and its database as the administrator sees it."""
    url = clone(state_template)
    return url, laid(url, tmp_path_factory.mktemp("versions"))


@pytest.fixture(scope="session")
def versions(server: Server, people: tuple[str, Project]) -> Iterator[Api]:
    """Both versions, served side by side."""
    with both_served(server, *people) as api:
        yield api


@pytest.fixture(scope="session")
def reading(server: Server, clone: Callable[[str], str], api_template: str) -> Iterator[Api]:
    """The example's API over one database for all tests that only read."""
    url = server.url(clone(api_template).rsplit("/", 1)[1], user="banyan_api")
    with serving(url, partners(load_contract(load_project(NORTHGATE)))) as api:
        yield api


@pytest.fixture
def writing_url(clone: Callable[[str], str], api_template: str) -> str:
    """A fresh copy of the example's database, as its administrator."""
    return clone(api_template)


@pytest.fixture
def writing(server: Server, writing_url: str) -> Iterator[Api]:
    """The example's API over `writing_url`."""
    url = server.url(writing_url.rsplit("/", 1)[1], user="banyan_api")
    with serving(url, partners(load_contract(load_project(NORTHGATE)))) as api:
        yield api


@pytest.fixture(scope="session")
def chores_template(server: Server, clone: Callable[[str], str]) -> str:
    """Name of a database for the project of chores. Nobody connects to it."""
    url = clone("template1")
    Chores(server, url).lay()
    return url.rsplit("/", 1)[1]
