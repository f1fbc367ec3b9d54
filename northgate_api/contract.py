"""What Northgate's API shows of the legacy schema: customers, items, orders with their lines, invoices with theirs.

A partner sees the orders it sent and the customers it brought; it keeps those customers' addresses up to date, and
leaves notes for the order desk. A customer that signs in with the mobile app sees itself and its own orders; the staff
of the panel see everything. What has rules of its own in the legacy app (orders, numbers, credit) is an operation.
`prt_cd` is the partner's code in the legacy system, registered with the consumer: `banyan consumers add acme --value
prt_cd=ACME …`.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from shared_models.contract import (
    Aggregates,
    Children,
    Codes,
    Column,
    Flag,
    Key,
    LocalTime,
    NoneWhen,
    Now,
    Parent,
    Resource,
    Rows,
    Search,
    SoftDelete,
    principal,
)

NEVER = date(1900, 1, 1)
OPEN_END = date(9999, 12, 31)
ZONE = "America/New_York"

partner = principal.value("prt_cd")
customer_of_account = principal.value("cust_no")


class OrderStatus(StrEnum):
    open = "open"
    allocated = "allocated"
    shipped = "shipped"
    invoiced = "invoiced"
    cancelled = "cancelled"


class InvoiceStatus(StrEnum):
    open = "open"
    paid = "paid"
    credited = "credited"


class Customer(
    Resource,
    table="customer",
    path="customers",
    rows=Rows.by_kind(
        consumer=Rows.where(src_cd=partner), account=Rows.where(cust_no=customer_of_account), staff=Rows.all()
    ),
    soft_delete=SoftDelete("del_fl", deleted="Y"),
    verbs=("list", "get", "update"),
):
    """A customer that the partner brought. Its address is the partner's to keep, as it is in the customer file."""

    number: Annotated[int, Key("cust_no")]
    code: Annotated[str, Column("cust_cd"), Field(description="Northgate's short code, unique.")]
    name: Annotated[str, Column("nm", write=True), Field(min_length=1)]
    address: Annotated[str, Column("addr1", write=True)]
    address_2: Annotated[str | None, Column("addr2", write=True)]
    city: Annotated[str, Column("city", write=True)]
    postal_code: Annotated[str, Column("zip", write=True)]
    country: Annotated[str, Column("ctry", write=True), Field(description="ISO 3166-1 alpha-2.", pattern="^[A-Z]{2}$")]
    email: Annotated[str | None, Column("email", write=True), Field(pattern="@")]
    phone: Annotated[str, Column("tel", write=True)]
    active: Annotated[bool, Flag("act_fl", true="Y", false="N")]
    since: Annotated[datetime, LocalTime("crt_dt", zone=ZONE)]
    last_ordered_on: Annotated[date | None, Column("lst_ord_dt"), NoneWhen(NEVER)]


class CustomerNote(
    Resource,
    table="cust_note",
    path="customer-notes",
    rows=Rows.by_kind(consumer=Rows.where(crt_by=partner) & Rows.through("customer"), staff=Rows.all()),
    verbs=("list", "get", "create", "update", "delete"),
    on_create={"crt_dt": Now(ZONE, whole_seconds=True)},
    sort="-written_at",
):
    """A note that the partner left in the file of one of its customers, where the order desk reads it."""

    number: Annotated[int, Key("note_no")]
    customer_number: Annotated[int, Column("cust_no", write="create")]
    text: Annotated[str, Column("txt", write=True, filter=False, sort=False), Field(min_length=1, max_length=2000)]
    written_at: Annotated[datetime, LocalTime("crt_dt", zone=ZONE)]
    customer: Annotated[Customer | None, Parent("cust_no")] = None


class Item(
    Resource,
    table="item",
    path="items",
    rows=Rows.all(),
    totals=("exact", "estimated"),
    search=Search("description", language="english"),
):
    """An article that Northgate sells or sold."""

    number: Annotated[str, Key("item_no")]
    description: Annotated[str, Column("descr")]
    category: Annotated[str, Column("cat_cd")]
    unit: Annotated[str, Column("uom")]
    price: Annotated[Decimal, Column("prc"), Field(description="List price of one unit, US dollars.")]
    available: Annotated[int, Column("qty_oh"), Field(description="On hand and not reserved; negative: oversold.")]
    active: Annotated[bool, Flag("act_fl", true="Y", false="N")]
    discontinued_on: Annotated[date | None, Column("dscnt_dt"), NoneWhen(OPEN_END)]


class OrderLine(Resource, table="ord_dtl"):
    """One line of an order."""

    line: Annotated[int, Key("ln_no")]
    item_number: Annotated[str, Column("item_no")]
    quantity: Annotated[int, Column("qty")]
    price: Annotated[Decimal, Column("prc")]
    discount_percent: Annotated[Decimal, Column("disc_pct")]
    amount: Annotated[Decimal, Column("ln_amt")]
    item: Annotated[Item | None, Parent("item_no")] = None


class Order(
    Resource,
    table="ord_hdr",
    path="orders",
    rows=Rows.by_kind(
        consumer=Rows.where(prt_cd=partner), account=Rows.where(cust_no=customer_of_account), staff=Rows.all()
    ),
    sort="-placed_at",
    aggregates=Aggregates(
        by=("status", "customer_number", "currency", "rush", "placed_at.day", "placed_at.month", "placed_at.year"),
        sum="total",
        avg="total",
        min=("total", "placed_at"),
        max=("total", "placed_at"),
    ),
):
    """An order as partners and the mobile app see it."""

    number: Annotated[int, Key("ord_no")]
    reference: Annotated[str | None, Column("ext_ref"), Field(description="The partner's own reference.")]
    customer_number: Annotated[int | None, Column("cust_no")]
    status: Annotated[
        OrderStatus | None,
        Codes(
            "stat",
            {
                10: OrderStatus.open,
                20: OrderStatus.allocated,
                30: OrderStatus.shipped,
                40: OrderStatus.invoiced,
                90: OrderStatus.cancelled,
            },
        ),
        Field(description="null: a code of the legacy system that nobody can explain any more."),
    ]
    placed_at: Annotated[datetime, LocalTime("ord_dt", zone=ZONE)]
    required_on: Annotated[date | None, Column("req_dt")]
    rush: Annotated[bool, Flag("rush_fl", true="Y", false="N")]
    total: Annotated[Decimal, Column("tot_amt")]
    currency: Annotated[str, Column("curr"), Field(description="ISO 4217.")]
    ship_via: Annotated[str | None, Column("ship_via")]
    notes: Annotated[str | None, Column("notes", filter=False, sort=False)]
    updated_at: Annotated[datetime, LocalTime("upd_dt", zone=ZONE)]
    customer: Annotated[Customer | None, Parent("cust_no")] = None
    lines: Annotated[list[OrderLine], Children(on="ord_no", writable=True)] = Field(default_factory=list)


class InvoiceLine(Resource, table="inv_dtl"):
    """One line of an invoice."""

    line: Annotated[int, Key("ln_no")]
    item_number: Annotated[str, Column("item_no")]
    description: Annotated[str, Column("descr")]
    quantity: Annotated[int, Column("qty")]
    price: Annotated[Decimal, Column("prc")]
    amount: Annotated[Decimal, Column("ln_amt")]


class Invoice(Resource, table="inv_hdr", path="invoices", rows=Rows.through("order"), sort="-dated_on"):
    """An invoice of one of the partner's orders."""

    number: Annotated[int, Key("inv_no")]
    order_number: Annotated[int, Column("ord_no")]
    customer_number: Annotated[int, Column("cust_no")]
    dated_on: Annotated[date, Column("inv_dt")]
    due_on: Annotated[date, Column("due_dt")]
    paid_on: Annotated[date | None, Column("pd_dt"), NoneWhen(NEVER)]
    status: Annotated[
        InvoiceStatus | None,
        Codes("stat", {"O": InvoiceStatus.open, "P": InvoiceStatus.paid, "C": InvoiceStatus.credited}),
    ]
    net: Annotated[Decimal, Column("net_amt")]
    tax: Annotated[Decimal, Column("tax_amt")]
    gross: Annotated[Decimal, Column("gross_amt")]
    order: Annotated[Order | None, Parent("ord_no")] = None
    customer: Annotated[Customer | None, Parent("cust_no")] = None
    lines: Annotated[list[InvoiceLine], Children(on="inv_no")] = Field(default_factory=list)
