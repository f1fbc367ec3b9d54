"""Every value of the corner cases, read over the API and written back over the API, is stored as it was before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import psycopg
import pytest
from psycopg import sql

from api_gateway.api.bodies import exact_json
from api_gateway.api.contract import Contract, load_contract, load_snapshot
from api_gateway.consumers import Consumer
from api_gateway.draft.init import init_project
from api_gateway.postgres import Server
from api_gateway.project import load_project
from shared_models.granting import apply, wanted
from shared_models.grants import grants
from shared_models.inputs import json_text
from shared_models.migrations import upgrade
from shared_models.resources import BoundResource, Field, Resources
from tests.support.api import Api, serving
from tests.support.foreign import loads

pytestmark = pytest.mark.xdist_group("corner_cases")

JSON = {"content-type": "application/json"}

# What a document cannot carry, each with its reason.
NOT_ALL = {
    "c12.t": "an identity that only the database gives",
    "c26.t": "composites can be read only",
    "c30.inv": "an orphan that a foreign key, not valid for what was there, does not let in again",
    "c31.late": "the same with a check",
}


_MORE = r"""
CREATE SCHEMA more; CREATE EXTENSION hstore SCHEMA more; CREATE EXTENSION citext SCHEMA more;
CREATE TABLE more.value (id int PRIMARY KEY, h more.hstore, c more.citext, b bytea, ip inet, net cidr, j json, jb jsonb,
  bits bit(3)[], ints int[], r int4range, mr nummultirange, iv interval, at timestamp, n numeric[], big bigint[],
  doc xml);
INSERT INTO more.value VALUES (1, 'a=>1, b=>NULL', 'MiXed', '\x00ff', '10.0.0.1/8', '10.0.0.0/8',
  '{"n":12345678901234567890.10}', '{"n": 12345678901234567890.10}', '{101,NULL}', '{1,NULL,3}', '[1,5)',
  '{[1.5,2),[3,4]}', '1 year 2 mons -3 days 04:05:06.789', '2024-03-10 02:30:00', '{1.10,NaN}',
  '{9223372036854775807}', NULL);
"""


@pytest.fixture(scope="module")
def place(clone: Callable[[str], str]) -> str:
    url = clone("template1")
    loads()["corner_cases"](url)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_MORE.encode())
    return url


def writable(field: Field) -> Field:
    return replace(field, write="create") if field.column.is_writable and field.value.take is not None else field


def opened(resource: BoundResource) -> BoundResource:
    """The drafted resource, with everything writable that can be."""
    if resource.path is None or not resource.key or resource.table.is_view:
        return resource
    fields = {name: writable(field) for name, field in resource.fields.items()}
    writing = replace(resource.writing, scope=f"{resource.path}:write")
    return replace(resource, fields=fields, verbs=(*resource.verbs, "create"), writing=writing)


@pytest.fixture(scope="module")
def api(place: str, server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    folder = tmp_path_factory.mktemp("written") / "written_api"
    init_project(folder, place)
    project = load_project(folder)
    drafted = load_contract(project)
    resources = Resources({cls: opened(resource) for cls, resource in drafted.resources.bound.items()})
    contract = Contract(resources, ())
    upgrade(place)
    with psycopg.connect(place, autocommit=True) as connection:
        apply(connection, wanted(grants(resources, []), [], load_snapshot(project), resources))
    writer = Consumer("writer", "Writes everything", frozenset(contract.scopes()), {})
    url = server.url(place.rsplit("/", 1)[1], user="banyan_api")
    with serving(url, [writer], project=project, contract=contract) as served:
        yield served


def stored(connection: psycopg.Connection[tuple[str]], resource: BoundResource) -> list[str]:
    table = sql.Identifier(resource.table.schema, resource.table.name)
    return sorted(row[0] for row in connection.execute(sql.SQL("SELECT t::text FROM {} t").format(table)))


def test_what_is_read_and_written_back_is_stored_as_it_was(api: Api, place: str) -> None:
    count = 0
    with psycopg.connect(place, autocommit=True) as connection:
        for resource in api.contract.resources:
            table = resource.table
            if "create" not in resource.verbs or table.qualified in NOT_ALL:
                continue
            documents = exact_json(api.get(f"{resource.path}?limit=200", "writer").content)["data"]
            before = stored(connection, resource)
            connection.execute("SET session_replication_role = replica")
            connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table.schema, table.name)))
            connection.execute("SET session_replication_role = origin")
            for document in documents:
                given = {name: value for name, value in document.items() if resource.fields[name].write}
                answer = api.ask("POST", str(resource.path), "writer", content=json_text(given), headers=JSON)
                assert answer.status_code == 201, (table.qualified, given, answer.text)
                count += 1
            assert stored(connection, resource) == before, table.qualified
    assert count > 35


def test_what_can_only_be_read_is_refused_as_such(api: Api) -> None:
    (document,) = api.all("c26-t", "writer")
    answer = api.ask("POST", "c26-t", "writer", json={**document, "id": 2})
    assert answer.status_code == 422
    assert {error["code"] for error in answer.json()["errors"]} == {"read_only"}
