"""A project's typed API in this process, over a real database, as its consumers see it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import uvicorn
from fastapi import FastAPI
from starlette.testclient import TestClient

from api_gateway.accounts.build import Accounts
from api_gateway.api.build import Databases, build_api, front_of
from api_gateway.api.contract import Contract, load_contract, wanted_grants
from api_gateway.consumers import Consumer, Credential, Register, secret_hash
from api_gateway.postgres import free_port
from api_gateway.project import Project, load_project
from shared_models.database import Database
from shared_models.granting import apply
from shared_models.migrations import upgrade
from tests.support.answers import Judges

NORTHGATE = Path(__file__).parent.parent.parent / "northgate_api"


def prepare(administrator_url: str, project: Project, contract: Contract) -> None:
    """Schema banyan, and the grants of the contract."""
    upgrade(administrator_url)
    grant(administrator_url, project, contract)


def grant(administrator_url: str, project: Project, contract: Contract) -> None:
    target = wanted_grants(project, contract)
    with psycopg.connect(administrator_url, autocommit=True) as connection:
        apply(connection, target)


class Api:
    """Asks as a consumer; the key is the consumer's code."""

    def __init__(self, client: TestClient, contract: Contract) -> None:
        self.client, self.contract = client, contract

    def get(self, path: str, consumer: str = "acme", **more: Any) -> httpx2.Response:
        return self.ask("GET", path, consumer, **more)

    def ask(
        self,
        method: str,
        path: str,
        consumer: str | None = "acme",
        *,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> httpx2.Response:
        key = {} if consumer is None else {"x-api-key": consumer}
        return self.client.request(method, f"/api/v1/{path}", headers={**key, **(headers or {})}, **more)

    def pages(self, path: str, consumer: str = "acme") -> Iterator[list[dict[str, Any]]]:
        """Every page of a list, following its Link headers."""
        answer = self.get(path, consumer)
        while True:
            assert answer.status_code == 200, answer.text
            yield answer.json()["data"]
            if "next" not in answer.links:
                assert answer.json()["next_cursor"] is None
                return
            answer = self.client.get(answer.links["next"]["url"], headers={"x-api-key": consumer})

    def all(self, path: str, consumer: str = "acme") -> list[dict[str, Any]]:
        return [row for page in self.pages(path, consumer) for row in page]


@contextmanager
def serving(
    url: str,
    consumers: list[Consumer],
    *,
    project: Project | None = None,
    contract: Contract | None = None,
    size: int = 4,
    exports: int = 2,
    pooled: bool = False,
    accounts: Accounts | None = None,
    patience: float = 2,
) -> Iterator[Api]:
    """`url` is that of banyan_api. `patience`: seconds for which a statement waits for a lock."""
    project = project or load_project(NORTHGATE)
    contract = contract or load_contract(project)
    register = Register.of(1, consumers, [Credential(c.code, "api_key", secret_hash(c.code)) for c in consumers])
    database = Database(
        url,
        size=size,
        application_name="tests",
        statement_timeout=patience + 3,
        lock_timeout=patience,
        exports=exports,
        pooled=pooled,
    )
    app = build_api(
        project,
        contract,
        lambda: register,
        Databases(database, database),
        secret="of the tests",
        accounts=accounts,
    )
    with TestClient(front_of(app), raise_server_exceptions=False) as client:
        hold_against_the_document(client, app, contract)
        try:
            yield Api(client, contract)
        finally:
            assert client.portal is not None
            client.portal.call(database.close)
            if accounts is not None:
                client.portal.call(accounts.close)


def hold_against_the_document(client: TestClient, app: FastAPI, contract: Contract) -> None:
    """Whatever any test asks through this client must be answered as the API's document says."""
    made: list[Judges] = []

    def judge(answer: httpx2.Response) -> None:
        if not made:
            made.append(Judges(app.state.openapi_of(version.version) for version in contract.versions))
        path = answer.request.url.raw_path.partition(b"?")[0].decode("latin-1")
        made[0](answer.request.method, path, answer.status_code, answer.headers, answer.read())

    client.event_hooks = {"response": [judge]}


def partners(contract: Contract) -> list[Consumer]:
    """Two partners with every scope, one who may only read items, one that no legacy partner stands behind."""
    every = frozenset(contract.scopes())
    return [
        Consumer("acme", "Acme", every, {"prt_cd": "ACME"}),
        Consumer("bolt", "Bolt", every, {"prt_cd": "BOLT"}),
        Consumer("catalogue", "Reads items only", frozenset({"items:read"}), {"prt_cd": "CRANE"}),
        Consumer("nobody", "Has no rows", every, {}),
    ]


@contextmanager
def listening(api: Api) -> Iterator[str]:
    """The same application on a port of its own, for programs that speak HTTP: its address.

    In the event loop of the test client, since connections to the database belong to one loop, as in a gateway.
    """
    port = free_port()
    config = uvicorn.Config(api.client.app, port=port, log_level="critical", access_log=False, lifespan="off")
    server = uvicorn.Server(config)
    assert api.client.portal is not None
    served = api.client.portal.start_task_soon(server.serve)
    try:
        while not server.started:
            assert not served.done(), served.result()
            time.sleep(0.02)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        served.result(10)
