"""Both sides of the example, each over its own copy of the same database; a file's tests go on from each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest

from api_gateway.api.contract import load_contract
from api_gateway.consumers import Consumer
from api_gateway.postgres import Server
from api_gateway.project import load_project
from tests.support.api import NORTHGATE, Api, partners, prepare, serving
from tests.support.both_sides import BothSides, both_sides


@pytest.fixture(scope="session")
def flows_template(clone: Callable[[str], str], northgate_template: str) -> str:
    """Name of a copy of the example's database with schema `banyan` and the contract's grants."""
    url = clone(northgate_template)
    project = load_project(NORTHGATE)
    prepare(url, project, load_contract(project))
    return url.rsplit("/", 1)[1]


@pytest.fixture(scope="module")
def both(clone: Callable[[str], str], flows_template: str, server: Server) -> Iterator[BothSides]:
    """Partners acme and bolt, and `desk`, the program of a clerk."""
    contract = load_contract(load_project(NORTHGATE))
    clerk = Consumer("desk", "The order desk", frozenset(contract.scopes()), {"user": "admin"})

    def serve(url: str) -> AbstractContextManager[Api]:
        as_api = server.url(url.rsplit("/", 1)[1], user="banyan_api")
        # twins come one after the other, however slow the machine: who waits is answered, and not sent away
        return serving(as_api, [*partners(contract), clerk], contract=contract, size=10, patience=60)

    with both_sides(clone, flows_template, serve) as sides:
        yield sides
        sides.desk.close()
