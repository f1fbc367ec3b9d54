"""The project of two versions, in a folder and over a database of its own."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from api_gateway.api.contract import load_contract
from api_gateway.consumers import Consumer
from api_gateway.draft.refresh import refresh_generated, refresh_snapshot
from api_gateway.postgres import Server
from api_gateway.project import Project, load_project
from tests.support.api import Api, prepare, serving

FILES = Path(__file__).parent / "people"
_NUMBERS = itertools.count()


def laid(url: str, folder: Path) -> Project:
    """Write the project, load its schema into the empty database at `url`, freeze and grant."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute((FILES / "schema.sql").read_bytes())
    place = folder / f"people_{next(_NUMBERS)}"
    shutil.copytree(FILES, place, ignore=shutil.ignore_patterns("__pycache__", "__init__.py"))
    project = load_project(place)
    refresh_snapshot(project, url)
    refresh_generated(project)
    prepare(url, project, load_contract(project))
    return project


@contextmanager
def both_served(server: Server, url: str, project: Project) -> Iterator[Api]:
    """`acme` and `bolt` may use both versions, `old` only the first; `second` is pinned to v2, `lost` to no version."""
    contract = load_contract(project)
    every = frozenset(contract.scopes())
    old = frozenset(scope for scope in every if ".v2:" not in scope)
    consumers = [Consumer("acme", "Acme", every), Consumer("bolt", "Bolt", every), Consumer("old", "Old", old)]
    consumers += [Consumer("second", "", every, version="v2"), Consumer("lost", "", every, version="v9")]
    as_api = server.url(url.rsplit("/", 1)[1], user="banyan_api")
    with serving(as_api, consumers, project=project, contract=contract) as api:
        yield api
