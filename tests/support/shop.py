"""A small shop beside a legacy app: a project in a folder of its own, its database, and its gateway in this process."""

from __future__ import annotations

import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
from pydantic import SecretStr

from api_gateway import consumers, ledger
from api_gateway.api.contract import load_contract
from api_gateway.app import Gateway
from api_gateway.draft.refresh import refresh_generated, refresh_snapshot
from api_gateway.ledger import Move
from api_gateway.postgres import Server
from api_gateway.project import load_project
from api_gateway.settings import Settings
from api_gateway.stages import Stage
from tests.support.answers import Judge
from tests.support.api import grant
from tests.support.asgi import Answer, call

PASS = "pass-s3cret"
TOKEN = "tok-acme"
_NUMBERS = itertools.count()

SCHEMA = """
CREATE TABLE customer (cust_no int PRIMARY KEY, nm varchar(40) NOT NULL, tel text);
CREATE TABLE ord_hdr (ord_no int PRIMARY KEY, cust_no int NOT NULL, stat smallint NOT NULL);
CREATE TABLE ord_line (ord_no int REFERENCES ord_hdr, line_no int, item_no int, qty int NOT NULL,
  PRIMARY KEY (ord_no, line_no));
CREATE TABLE item (item_no int PRIMARY KEY, descr text NOT NULL);
CREATE MATERIALIZED VIEW best_seller AS SELECT item_no, descr FROM item;
INSERT INTO customer SELECT n, 'Customer ' || n FROM generate_series(1, 9) n;
INSERT INTO ord_hdr SELECT n, n, 10 FROM generate_series(1, 9) n;
INSERT INTO item SELECT n, 'Item ' || n FROM generate_series(1, 9) n;
INSERT INTO ord_line SELECT n, 1, n, 5 FROM generate_series(1, 9) n;
REFRESH MATERIALIZED VIEW best_seller;
"""

FILES = {
    "banyan.toml": 'name = "shop"\n',
    "contract.py": """
from typing import Annotated

from shared_models.contract import Aggregates, Children, Column, Key, Parent, Resource, Rows


class Customer(
    Resource,
    table="customer",
    path="customers",
    rows=Rows.all(),
    verbs=("list", "get", "create", "update", "delete"),
    aggregates=Aggregates(by="name"),
):
    number: Annotated[int, Key("cust_no", write="create")]
    name: Annotated[str, Column("nm", write=True)]


class Line(Resource, table="ord_line"):
    number: Annotated[int, Key("line_no", write="create")]
    item_number: Annotated[int | None, Column("item_no", write="create")]
    quantity: Annotated[int, Column("qty", write="create")]
    item: "Annotated[Item | None, Parent('item_no')]" = None


class Order(Resource, table="ord_hdr", path="orders", rows=Rows.all(), verbs=("list", "get", "create", "update")):
    number: Annotated[int, Key("ord_no", write="create")]
    customer_number: Annotated[int, Column("cust_no", write="create")]
    status: Annotated[int, Column("stat", write=True)]
    customer: Annotated[Customer | None, Parent("cust_no")] = None
    lines: Annotated[list[Line], Children(on="ord_no", writable=True)] = []


class Item(Resource, table="item", path="items", rows=Rows.all()):
    number: Annotated[int, Key("item_no")]
    text: Annotated[str, Column("descr")]


class BestSeller(Resource, table="best_seller", path="best-sellers", rows=Rows.all()):
    number: Annotated[int, Key("item_no")]
    text: Annotated[str | None, Column("descr")]
""",
    "operations/__init__.py": """
from fastapi import Response
from pydantic import BaseModel
from sqlalchemy import insert, update

from api_gateway.api.operations import operation
from api_gateway.api.transactions import Write
from shared_models.grants import touches

from ..contract import Customer
from ..tables import customer, ord_hdr, ord_line


class Name(BaseModel):
    number: int
    name: str


@operation("renamings", scope="customers:write", status=204, answer=Customer)
@touches(select={"customer": ["cust_no"]}, update={"customer": ["nm"]})
async def rename_customer(name: Name, tx: Write) -> Response:
    await tx.execute(update(customer).where(customer.c.cust_no == name.number).values(nm=name.name))
    return Response(status_code=204)


@operation("placings", scope="orders:write", status=201)
@touches(insert={"ord_hdr": ["ord_no", "cust_no", "stat"], "ord_line": ["ord_no", "line_no", "item_no", "qty"]})
async def place_order(number: int, tx: Write) -> Response:
    await tx.execute(insert(ord_hdr).values(ord_no=number, cust_no=1, stat=10))
    for line in (1, 2):
        await tx.execute(insert(ord_line).values(ord_no=number, line_no=line, item_no=1, qty=line))
    return Response(status_code=201)


operations = [rename_customer, place_order]
""",
    "routes.py": """
from fastapi import Response
from sqlalchemy import select, update

from api_gateway.api.transactions import Read, Write
from api_gateway.routes import QueryToken, Route
from shared_models.grants import touches

from .tables import customer, ord_hdr


@touches(select={"customer": ["cust_no", "nm"]})
async def customer_names(tx: Read) -> Response:
    rows = await tx.rows(select(customer.c.nm).order_by(customer.c.cust_no))
    return Response(" ".join(row["nm"] for row in rows))


@touches(select={"customer": ["cust_no"]}, update={"customer": ["nm"]})
async def customer_rename(tx: Write) -> Response:
    await tx.execute(update(customer).where(customer.c.cust_no == 1).values(nm="renamed"))
    return Response("done")


@touches(select={"ord_hdr": ["ord_no", "stat"]})
async def order_states(tx: Read) -> Response:
    rows = await tx.rows(select(ord_hdr.c.stat).order_by(ord_hdr.c.ord_no))
    return Response(" ".join(str(row["stat"]) for row in rows))


routes = [
    Route("names", "GET", "/old/names", QueryToken("token"), mimic=customer_names),
    Route("rename", "POST", "/old/rename", mimic=customer_rename),
    Route("states", "GET", "/old/states", mimic=order_states),
    Route("gone", "GET", "/old/gone", mimic=customer_names, successor="/api/v1/customers"),
]
""",
}


@dataclass(frozen=True, slots=True)
class Shop:
    """`url` is the administrator's. The partner's API key is `key`."""

    folder: Path
    url: str
    owner_url: str
    api_url: str
    read_url: str
    key: str

    def execute(self, statements: str) -> None:
        """As the legacy system's administrator does, statement by statement."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statements.encode())

    def settings(self, state_dir: Path) -> Settings:
        return Settings(
            project=self.folder,
            state_dir=state_dir,
            owner_database_url=SecretStr(self.owner_url),
            api_database_url=SecretStr(self.api_url),
            pass_secret=SecretStr(PASS),
            session_secret=SecretStr("of the tests"),
        )


def open_shop(server: Server, url: str, folder: Path) -> Shop:
    """Write the project, load its schema into the database at `url` (which has schema `banyan`), grant, register."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(SCHEMA.encode())
    place = folder / f"shop_{next(_NUMBERS)}_api"
    for name, text in FILES.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text, "utf-8")
    (place / "routes.py").rename(place / "later.py")  # it imports what is generated below
    bare = load_project(place)
    refresh_snapshot(bare, url)
    refresh_generated(bare)
    (place / "later.py").rename(place / "routes.py")
    project = load_project(place)
    grant(url, project, load_contract(project))
    name = url.rsplit("/", 1)[1]
    owner_url = server.url(name, user="banyan_owner")
    with psycopg.connect(owner_url, autocommit=True) as owner:
        scopes = ["customers:read", "customers:write", "orders:read", "orders:write", "items:read", "best-sellers:read"]
        consumers.add_consumer(owner, "acme", "Acme", scopes=scopes)
        key = consumers.create_key(owner, "acme")
        consumers.add_credential(owner, "acme", "query", TOKEN)
        stages = {"names": Stage.live, "rename": Stage.live, "states": Stage.canary, "gone": Stage.retired}
        for route, stage in stages.items():
            move = Move(route, None, Stage.legacy, stage, "test", "of the test", overridden="test")
            ledger.append(owner, move, expected_version=10_000)
    return Shop(place, url, owner_url, server.url(name, user="banyan_api"), server.url(name, user="banyan_read"), key)


@cache
def judge(folder: Path) -> Judge:
    """By the document that was frozen when the shop opened, whatever has become of its schema since."""
    return Judge(json.loads((folder / "contract.openapi.json").read_text("utf-8")))


@dataclass(frozen=True, slots=True)
class Counter:
    """One gateway of the shop, asked as the edge and as a consumer ask."""

    shop: Shop
    gateway: Gateway

    async def api(self, path: str, method: str = "GET", body: object = b"", **more: str) -> Answer:
        """`body`: bytes as they are, anything else as JSON; `more`: headers."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = [("x-api-key", self.shop.key), ("content-type", "application/json"), *more.items()]
        answer = await call(self.gateway, method, f"/api/v1/{path}", headers, content)
        assert answer is not None
        if answer.status >= 400:  # until a change is seen, rows may be shown that no document foresaw
            judge(self.shop.folder)(
                method, f"/api/v1/{path.partition('?')[0]}", answer.status, dict(answer.headers), answer.body
            )
        return answer

    async def rename(self, name: str) -> Answer:
        """The shop's one operation, on customer 1."""
        return await self.api("renamings", "POST", {"number": 1, "name": name})

    async def route(self, name: str, method: str = "GET") -> Answer:
        answer = await call(self.gateway, method, f"/old/{name}", [("x-banyan-route", name)])
        assert answer is not None
        return answer


def is_declined(answer: Answer) -> bool:
    return (answer.status, answer.body, answer.header("x-banyan-pass")) == (503, b"", PASS)


@asynccontextmanager
async def opened(shop: Shop, state_dir: Path, **more: Any) -> AsyncIterator[Counter]:
    gateway = Gateway(shop.settings(state_dir), "in a test")
    async with gateway.opened():
        yield Counter(shop, gateway)
