"""A contract over `writes.sql` that lets a request write."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from shared_models.contract import (
    Children,
    Codes,
    Column,
    Flag,
    Json,
    Key,
    LocalTime,
    NoneWhen,
    Now,
    Parent,
    Resource,
    Rows,
    SoftDelete,
    principal,
)

OURS = Rows.where(owner=principal.code)
EVERY = ("list", "get", "create", "update", "upsert", "delete")


class Client(
    Resource,
    table="client",
    path="clients",
    rows=OURS,
    verbs=EVERY,
    natural_key="code",
    soft_delete=SoftDelete("gone", also={"active": "N"}),
):
    id: Annotated[int, Key("id")]
    name: Annotated[str, Column("name", write=True)]
    code: Annotated[str | None, Column("code", write="create")]


class Line(Resource, table="line"):
    number: Annotated[int, Key("n", write="create")]
    item: Annotated[str, Column("item", write="create")]
    quantity: Annotated[int, Column("qty", write="create")]
    price: Annotated[Decimal, Column("price", write="create")]


class Purchase(
    Resource,
    table="purchase",
    path="purchases",
    rows=OURS,
    verbs=EVERY,
    natural_key="reference",
    on_create={"placed": Now("America/New_York", whole_seconds=True)},
    on_write={"touched": Now("America/New_York")},
):
    id: Annotated[int, Key("id")]
    reference: Annotated[str | None, Column("ref", write="create")]
    client_id: Annotated[int, Column("client", write=True)]
    status: Annotated[Literal["open", "closed"] | None, Codes("status", {10: "open", 90: "closed"}, write=True)]
    rush: Annotated[bool, Flag("rush", write=True)]
    due: Annotated[date | None, Column("due", write=True), NoneWhen(date(1900, 1, 1))]
    note: Annotated[str | None, Column("note", write=True)]
    extra: Annotated[Json, Column("extra", write=True)]
    placed: Annotated[datetime, LocalTime("placed", zone="America/New_York")]
    touched: Annotated[datetime, LocalTime("touched", zone="America/New_York")]
    total: Annotated[Decimal, Column("total", write=True)]
    shout: str | None
    client: Annotated[Client | None, Parent("client")] = None
    lines: Annotated[list[Line], Children(on="purchase", writable=True, numbered="number")] = Field(
        default_factory=list
    )


class Setting(Resource, table="setting", path="settings", rows=Rows.all(), verbs=EVERY, if_match=True):
    name: Annotated[str, Key("name", write="create")]
    value: Annotated[str, Column("value", write=True)]
    weight: Annotated[float | None, Column("weight", write=True)]
    source: Annotated[str | None, Column("source", write=True)]


class Moody(Resource, table="moody", path="moods", rows=Rows.all(), verbs=EVERY):
    id: Annotated[int, Key("id", write="create")]
    text: Annotated[str | None, Column("text", write=True)]
    before_says: str | None
    after_says: str | None
