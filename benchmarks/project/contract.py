"""The benchmark's resources: orders with their customer and lines, seen by the seller whose orders they are."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field

from shared_models.contract import Children, Codes, Column, Key, Parent, Resource, Rows, principal

seller = principal.value("seller")


class OrderStatus(StrEnum):
    open = "open"
    allocated = "allocated"
    shipped = "shipped"
    invoiced = "invoiced"
    cancelled = "cancelled"


class Customer(Resource, table="customers", path="customers", rows=Rows.where(seller=seller)):
    """A customer."""

    number: Annotated[int, Key("cust_no")]
    code: Annotated[str, Column("code")]
    name: Annotated[str, Column("name")]
    email: Annotated[str | None, Column("email")]
    phone: Annotated[str | None, Column("phone")]
    tier: Annotated[int, Column("tier")]
    active: Annotated[bool, Column("active")]
    credit_limit: Annotated[Decimal, Column("credit_limit")]
    balance: Annotated[Decimal, Column("balance")]
    country: Annotated[str, Column("country")]
    city: Annotated[str, Column("city")]
    street: Annotated[str, Column("street")]
    notes: Annotated[str | None, Column("notes")]
    created_at: Annotated[datetime, Column("created_at")]


class OrderLine(Resource, table="order_lines"):
    """One line of an order."""

    line: Annotated[int, Key("line_no", write="create")]
    product: Annotated[int, Column("product_id", write=True)]
    quantity: Annotated[int, Column("qty", write=True)]
    unit_price: Annotated[Decimal, Column("unit_price", write=True)]
    discount: Annotated[Decimal, Column("discount")]
    backordered: Annotated[bool, Column("backordered")]
    memo: Annotated[str | None, Column("memo", write=True)]


class Order(
    Resource,
    table="orders",
    path="orders",
    rows=Rows.where(seller=seller),
    sort="-placed_at",
    verbs=("list", "get", "create"),
):
    """An order."""

    number: Annotated[int, Key("order_id")]
    customer_number: Annotated[int, Column("cust_no", write=True)]
    status: Annotated[
        OrderStatus | None,
        Codes(
            "status",
            {
                "10": OrderStatus.open,
                "20": OrderStatus.allocated,
                "30": OrderStatus.shipped,
                "40": OrderStatus.invoiced,
                "90": OrderStatus.cancelled,
            },
        ),
    ]
    placed_at: Annotated[datetime, Column("placed_at")]
    shipped_at: Annotated[datetime | None, Column("shipped_at")]
    currency: Annotated[str, Column("currency", write=True)]
    total: Annotated[Decimal, Column("total", write=True)]
    discount: Annotated[Decimal, Column("discount")]
    freight: Annotated[Decimal, Column("freight")]
    rush: Annotated[bool, Column("rush")]
    channel: Annotated[str, Column("channel", write=True)]
    external_ref: Annotated[UUID, Column("external_ref")]
    ship_name: Annotated[str, Column("ship_name", write=True)]
    ship_city: Annotated[str, Column("ship_city", write=True)]
    notes: Annotated[str | None, Column("notes", write=True)]
    updated_at: Annotated[datetime, Column("updated_at")]
    customer: Annotated[Customer | None, Parent("cust_no")] = None
    lines: Annotated[list[OrderLine], Children(on="order_id", writable=True)] = Field(default_factory=list)
