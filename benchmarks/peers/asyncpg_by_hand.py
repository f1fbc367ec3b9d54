"""FastAPI and asyncpg, hand-written for speed: own SQL, orjson, no response model."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

import asyncpg
import orjson
from fastapi import FastAPI, HTTPException, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

CODES = {"open": "10", "allocated": "20", "shipped": "30", "invoiced": "40", "cancelled": "90"}
Status = Literal["open", "allocated", "shipped", "invoiced", "cancelled"]

ORDER = """order_id AS number, cust_no AS customer_number,
  CASE status WHEN '10' THEN 'open' WHEN '20' THEN 'allocated' WHEN '30' THEN 'shipped' WHEN '40' THEN 'invoiced'
    WHEN '90' THEN 'cancelled' END AS status,
  placed_at, shipped_at, currency, total, discount, freight, rush, channel, external_ref, ship_name, ship_city, notes,
  updated_at"""
LINE = "line_no AS line, product_id AS product, qty AS quantity, unit_price, discount, backordered, memo"
CUSTOMER = """cust_no AS number, rtrim(code) AS code, name, email, phone, tier, active, credit_limit, balance, country,
  city, street, notes, created_at"""

GET = f"SELECT {ORDER} FROM orders WHERE order_id = $1"
LIST = f"""SELECT {ORDER} FROM orders WHERE status = $1 AND (placed_at, order_id) < ($2, $3)
  ORDER BY placed_at DESC, order_id DESC LIMIT $4"""
CUSTOMERS = f"SELECT {CUSTOMER} FROM customers WHERE cust_no = ANY($1)"
LINES = f"SELECT order_id, {LINE} FROM order_lines WHERE order_id = ANY($1) ORDER BY order_id, line_no"
INSERT_ORDER = f"""INSERT INTO orders (cust_no, currency, total, channel, ship_name, ship_city, notes)
  VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING {ORDER}"""
INSERT_LINES = f"""INSERT INTO order_lines (order_id, line_no, product_id, qty, unit_price, memo)
  SELECT $1, * FROM unnest($2::int[], $3::bigint[], $4::int[], $5::numeric[], $6::text[]) RETURNING {LINE}"""
EXPORT = f"SELECT {ORDER} FROM orders WHERE order_id <= 200000 ORDER BY order_id"


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


@asynccontextmanager
async def opened(app: FastAPI) -> AsyncIterator[None]:
    async with asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=8, max_size=8) as pool:
        app.state.pool = pool
        yield


app = FastAPI(lifespan=opened)
Limit = Annotated[int, Query(ge=1, le=200)]
LAST = datetime.max.replace(tzinfo=datetime.now().astimezone().tzinfo)


def answer(document: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(document, default=str), status, media_type="application/json")


@app.get("/orders.ndjson")
async def export_ndjson() -> StreamingResponse:
    async def lines() -> AsyncIterator[bytes]:
        async with app.state.pool.acquire() as connection, connection.transaction(readonly=True):
            cursor = await connection.cursor(EXPORT)
            while rows := await cursor.fetch(1000):
                yield b"".join([orjson.dumps(dict(row), default=str, option=orjson.OPT_APPEND_NEWLINE) for row in rows])

    return StreamingResponse(lines(), media_type="application/x-ndjson")


@app.get("/orders.csv")
async def export_csv() -> StreamingResponse:
    async def lines() -> AsyncIterator[str]:
        text = io.StringIO()
        write = csv.writer(text).writerows
        async with app.state.pool.acquire() as connection, connection.transaction(readonly=True):
            cursor = await connection.cursor(EXPORT)
            head = True
            while rows := await cursor.fetch(1000):
                write([list(rows[0].keys()), *rows] if head else rows)
                head = False
                yield text.getvalue()
                text.seek(0)
                text.truncate()

    return StreamingResponse(lines(), media_type="text/csv")


@app.get("/orders/{number}")
async def get_order(number: int) -> Response:
    row = await app.state.pool.fetchrow(GET, number)
    if row is None:
        raise HTTPException(404)
    return answer(dict(row))


async def page(
    connection: Any, status: str, placed_before: datetime | None, below: int | None, limit: int
) -> tuple[list[dict[str, Any]], str | None]:
    rows = await connection.fetch(LIST, CODES[status], placed_before or LAST, below or 2**62, limit + 1)
    data = [dict(row) for row in rows[:limit]]
    more = len(rows) > limit
    return data, f"{data[-1]['placed_at'].isoformat()},{data[-1]['number']}" if more else None


@app.get("/orders")
async def list_orders(
    status: Status, placed_before: datetime | None = None, below: int | None = None, limit: Limit = 50
) -> Response:
    data, cursor = await page(app.state.pool, status, placed_before, below, limit)
    return answer({"data": data, "next_cursor": cursor})


@app.get("/orders-with-lines")
async def list_whole_orders(
    status: Status, placed_before: datetime | None = None, below: int | None = None, limit: Limit = 50
) -> Response:
    async with app.state.pool.acquire() as connection:
        data, cursor = await page(connection, status, placed_before, below, limit)
        customers = await connection.fetch(CUSTOMERS, list({row["customer_number"] for row in data}))
        lines = await connection.fetch(LINES, [row["number"] for row in data])
    by_number = {row["number"]: dict(row) for row in customers}
    by_order: dict[int, list[dict[str, Any]]] = {row["number"]: [] for row in data}
    for line in lines:
        whole = dict(line)
        by_order[whole.pop("order_id")].append(whole)
    for row in data:
        row["customer"] = by_number[row["customer_number"]]
        row["lines"] = by_order[row["number"]]
    return answer({"data": data, "next_cursor": cursor})


@app.post("/orders", status_code=201)
async def create_order(new: NewOrder) -> Response:
    head = (new.customer_number, new.currency, new.total, new.channel, new.ship_name, new.ship_city, new.notes)
    columns = [[getattr(line, name) for line in new.lines] for name in NewLine.model_fields]
    async with app.state.pool.acquire() as connection, connection.transaction():
        order = dict(await connection.fetchrow(INSERT_ORDER, *head))
        lines = await connection.fetch(INSERT_LINES, order["number"], *columns)
    return answer({**order, "lines": [dict(line) for line in lines]}, 201)
