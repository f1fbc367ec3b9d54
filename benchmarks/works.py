"""The works: what is asked, the same of every side, and how long."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import psycopg

Name = Literal["get", "list", "include", "insert", "export-ndjson", "export-csv"]
NAMES: tuple[Name, ...] = ("get", "list", "include", "export-ndjson", "export-csv", "insert")  # what writes comes last
EXPORTS = ("export-ndjson", "export-csv")
PAGE = 50
ORDERS = 200_000


@dataclass(frozen=True, slots=True)
class Position:
    """The last row of a page of open orders, newest first: where the next page goes on. `placed`: as PostgreSQL
    writes it."""

    placed: str
    number: int


def positions(url: str, count: int = 40) -> list[Position]:
    rows = f"""SELECT placed_at AT TIME ZONE 'UTC', order_id FROM (
        SELECT placed_at, order_id, row_number() OVER (ORDER BY placed_at DESC, order_id DESC) AS n
        FROM orders WHERE status = '10') AS o WHERE n % {PAGE} = 0 ORDER BY n LIMIT {count}"""
    with psycopg.connect(url) as connection:
        return [Position(f"{at.isoformat()}+00:00", number) for at, number in connection.execute(rows)]


def numbers(count: int = 2000) -> list[int]:
    """Orders to get, spread over the table."""
    chosen = random.Random(11)
    return [chosen.randint(1, ORDERS) for _ in range(count)]


def new_orders(count: int = 200) -> list[dict[str, Any]]:
    """Bodies of orders with five lines."""
    chosen = random.Random(12)
    return [_new_order(chosen) for _ in range(count)]


def _new_order(chosen: random.Random) -> dict[str, Any]:
    lines = [
        {
            "line": line,
            "product": chosen.randint(1, 2000),
            "quantity": chosen.randint(1, 12),
            "unit_price": f"{chosen.randint(100, 20000) / 100:.2f}",
            "memo": "Gift wrap" if line == 3 else None,
        }
        for line in range(1, 6)
    ]
    return {
        "customer_number": chosen.randint(1, 10000),
        "currency": "EUR",
        "total": f"{chosen.randint(1000, 900000) / 100:.2f}",
        "channel": "partner",
        "ship_name": f"Receiver {chosen.randint(1, 5000)}",
        "ship_city": f"City {chosen.randint(1, 300)}",
        "notes": 'Leave at the "gate", call ahead',
        "lines": lines,
    }


def request(method: str, target: str, headers: Iterable[tuple[str, str]] = (), body: object = None) -> str:
    """A whole HTTP/1.1 request."""
    text = "" if body is None else json.dumps(body)
    head = [("host", "127.0.0.1"), *headers]
    if body is not None:
        head += [("content-type", "application/json"), ("content-length", str(len(text)))]
    return f"{method} {target} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in head) + f"\r\n{text}"
