"""The modern side of the small app: the same order, in one transaction; a job tells of it."""

from __future__ import annotations

import random
import time
import uuid
from typing import Annotated
from urllib.parse import parse_qs

import sqlalchemy as sa
from fastapi import Query, Request, Response

from api_gateway.api.transactions import Read, Write
from api_gateway.consumers import Principal
from api_gateway.jobs import Enqueuer
from shared_models.grants import touches

from .tables import item, line, sale
from .tasks import tell


@touches(
    select={"item": ["code", "price"]},
    insert={"sale": ["id", "no", "item", "qty", "total", "made"], "line": ["sale", "qty", "note"]},
)
async def place(request: Request, tx: Write) -> Response:
    form = {name: values[-1] for name, values in parse_qs((await request.body()).decode()).items()}
    wanted, quantity = form.get("item", "").replace("\0", ""), form.get("qty", "1")
    number = int(quantity) if quantity.isascii() and quantity.isdigit() and len(quantity) < 9 else 0
    price = await tx.value(sa.select(item.c.price).where(item.c.code == wanted))
    if price is None or not 0 < number < 1000:
        return Response("ERR", media_type="text/plain", headers={"content-type": "text/plain"})
    key, drawn, total = uuid.uuid4(), random.randint(100000, 999999), price * number
    order = {"id": key, "no": drawn, "item": wanted, "qty": number, "total": total, "made": int(time.time())}
    await tx.execute(sa.insert(sale).values(order))
    await tx.execute(sa.insert(line).values(sale=key, qty=number, note=f"order {drawn}"))
    enqueue = Enqueuer(tx, Principal("staff", "mimic"))
    await enqueue(tell(key=str(key), number=drawn, item=wanted, quantity=number, total=str(total)))
    return Response(f"OK|{key}|{drawn}", headers={"content-type": "text/plain"})


@touches(select={"sale": ["id", "item", "qty"]})
async def show(tx: Read, key: Annotated[str, Query(alias="id")] = "") -> Response:
    row = await tx.one(sa.select(sale.c.item, sale.c.qty).where(sa.cast(sale.c.id, sa.Text) == key.replace("\0", "")))
    text = f'{{"item": "{row["item"]}", "qty": {row["qty"]}}}' if row else "{}"
    return Response(text, headers={"content-type": "application/json"})
