"""FastAPI, async SQLAlchemy and pydantic, as their documentation teaches it."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import AsyncIterator
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, ClassVar
from uuid import UUID

from fastapi import Depends, FastAPI, HTTPException
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, field_validator
from sqlalchemy import CHAR, BigInteger, DateTime, ForeignKey, Select, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, joinedload, mapped_column, relationship, selectinload

engine = create_async_engine(
    os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+asyncpg://"), pool_size=8, max_overflow=0
)
Session = async_sessionmaker(engine, expire_on_commit=False)


class OrderStatus(StrEnum):
    open = "open"
    allocated = "allocated"
    shipped = "shipped"
    invoiced = "invoiced"
    cancelled = "cancelled"


CODES = {
    OrderStatus.open: "10",
    OrderStatus.allocated: "20",
    OrderStatus.shipped: "30",
    OrderStatus.invoiced: "40",
    OrderStatus.cancelled: "90",
}
NAMES = {code: name for name, code in CODES.items()}


class Base(DeclarativeBase):
    type_annotation_map: ClassVar = {datetime: DateTime(timezone=True), int: BigInteger}


class Customer(Base):
    __tablename__ = "customers"
    number: Mapped[int] = mapped_column("cust_no", primary_key=True)
    code: Mapped[str]
    name: Mapped[str]
    email: Mapped[str | None]
    phone: Mapped[str | None]
    tier: Mapped[int]
    active: Mapped[bool]
    credit_limit: Mapped[Decimal]
    balance: Mapped[Decimal]
    country: Mapped[str]
    city: Mapped[str]
    street: Mapped[str]
    notes: Mapped[str | None]
    created_at: Mapped[datetime]


class Line(Base):
    __tablename__ = "order_lines"
    order_number: Mapped[int] = mapped_column("order_id", ForeignKey("orders.order_id"), primary_key=True)
    line: Mapped[int] = mapped_column("line_no", primary_key=True)
    product: Mapped[int] = mapped_column("product_id")
    quantity: Mapped[int] = mapped_column("qty")
    unit_price: Mapped[Decimal]
    discount: Mapped[Decimal] = mapped_column(server_default="0")
    backordered: Mapped[bool] = mapped_column(server_default="false")
    memo: Mapped[str | None]


class Order(Base):
    __tablename__ = "orders"
    number: Mapped[int] = mapped_column("order_id", primary_key=True)
    customer_number: Mapped[int] = mapped_column("cust_no", ForeignKey("customers.cust_no"))
    status: Mapped[str] = mapped_column(CHAR(2), server_default="10")
    placed_at: Mapped[datetime] = mapped_column(server_default="now()")
    shipped_at: Mapped[datetime | None]
    currency: Mapped[str]
    total: Mapped[Decimal]
    discount: Mapped[Decimal] = mapped_column(server_default="0")
    freight: Mapped[Decimal] = mapped_column(server_default="0")
    rush: Mapped[bool] = mapped_column(server_default="false")
    channel: Mapped[str]
    external_ref: Mapped[UUID] = mapped_column(server_default="gen_random_uuid()")
    ship_name: Mapped[str]
    ship_city: Mapped[str]
    notes: Mapped[str | None]
    updated_at: Mapped[datetime] = mapped_column(server_default="now()")
    customer: Mapped[Customer] = relationship()
    lines: Mapped[list[Line]] = relationship(order_by=Line.line)


class Shown(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class CustomerOut(Shown):
    number: int
    code: str
    name: str
    email: str | None
    phone: str | None
    tier: int
    active: bool
    credit_limit: Decimal
    balance: Decimal
    country: str
    city: str
    street: str
    notes: str | None
    created_at: datetime


class LineOut(Shown):
    line: int
    product: int
    quantity: int
    unit_price: Decimal
    discount: Decimal
    backordered: bool
    memo: str | None


class OrderOut(Shown):
    number: int
    customer_number: int
    status: OrderStatus
    placed_at: datetime
    shipped_at: datetime | None
    currency: str
    total: Decimal
    discount: Decimal
    freight: Decimal
    rush: bool
    channel: str
    external_ref: UUID
    ship_name: str
    ship_city: str
    notes: str | None
    updated_at: datetime

    @field_validator("status", mode="before")
    @classmethod
    def named(cls, code: str) -> OrderStatus:
        return NAMES[code]


class StoredOrderOut(OrderOut):
    lines: list[LineOut]


class WholeOrderOut(StoredOrderOut):
    customer: CustomerOut


class Page(BaseModel):
    data: list[OrderOut]
    next_cursor: str | None


class WholePage(BaseModel):
    data: list[WholeOrderOut]
    next_cursor: str | None


class NewLine(BaseModel):
    line: int
    product: int
    quantity: int
    unit_price: Decimal
    memo: str | None = None


class NewOrder(BaseModel):
    customer_number: int
    currency: str
    total: Decimal
    channel: str
    ship_name: str
    ship_city: str
    notes: str | None = None
    lines: list[NewLine]


class Filter(BaseModel):
    status: OrderStatus
    placed_before: datetime | None = None
    below: int | None = None
    limit: int = Field(50, ge=1, le=200)

    def select(self) -> Select[Order]:
        found = select(Order).where(Order.status == CODES[self.status])
        if self.placed_before is not None:
            found = found.where(tuple_(Order.placed_at, Order.number) < (self.placed_before, self.below))
        return found.order_by(Order.placed_at.desc(), Order.number.desc()).limit(self.limit + 1)


async def session() -> AsyncIterator[AsyncSession]:
    async with Session() as opened:
        yield opened


Db = Annotated[AsyncSession, Depends(session)]
app = FastAPI()


@app.get("/orders.ndjson")
async def export_ndjson() -> StreamingResponse:
    async def lines() -> AsyncIterator[str]:
        async with Session() as db:
            rows = await db.stream_scalars(EXPORT)
            async for batch in rows.partitions():
                yield "".join(OrderOut.model_validate(order).model_dump_json() + "\n" for order in batch)

    return StreamingResponse(lines(), media_type="application/x-ndjson")


@app.get("/orders.csv")
async def export_csv() -> StreamingResponse:
    async def lines() -> AsyncIterator[str]:
        text = io.StringIO()
        writer = csv.DictWriter(text, list(OrderOut.model_fields))
        writer.writeheader()
        async with Session() as db:
            rows = await db.stream_scalars(EXPORT)
            async for batch in rows.partitions():
                writer.writerows(OrderOut.model_validate(order).model_dump(mode="json") for order in batch)
                yield text.getvalue()
                text.seek(0)
                text.truncate()

    return StreamingResponse(lines(), media_type="text/csv")


EXPORT = select(Order).where(Order.number <= 200000).order_by(Order.number).execution_options(yield_per=1000)


@app.get("/orders/{number}", response_model=OrderOut)
async def get_order(number: int, db: Db) -> Order:
    order = await db.get(Order, number)
    if order is None:
        raise HTTPException(404)
    return order


@app.get("/orders", response_model=Page)
async def list_orders(wanted: Annotated[Filter, Depends()], db: Db) -> dict[str, object]:
    return paged(list(await db.scalars(wanted.select())), wanted.limit)


@app.get("/orders-with-lines", response_model=WholePage)
async def list_whole_orders(wanted: Annotated[Filter, Depends()], db: Db) -> dict[str, object]:
    whole = wanted.select().options(joinedload(Order.customer, innerjoin=True), selectinload(Order.lines))
    return paged(list(await db.scalars(whole)), wanted.limit)


@app.post("/orders", response_model=StoredOrderOut, status_code=201)
async def create_order(new: NewOrder, db: Db) -> Order:
    order = Order(**new.model_dump(exclude={"lines"}), lines=[Line(**line.model_dump()) for line in new.lines])
    db.add(order)
    await db.commit()
    return order


def paged(rows: list[Order], limit: int) -> dict[str, object]:
    more = len(rows) > limit
    last = rows[:limit][-1] if rows else None
    cursor = f"{last.placed_at.isoformat()},{last.number}" if more and last is not None else None
    return {"data": rows[:limit], "next_cursor": cursor}
