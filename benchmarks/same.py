"""Do all sides answer the same? A side that leaves something out would win for nothing."""

from __future__ import annotations

import csv
import io
import json
import socket
from datetime import datetime
from typing import Any

from benchmarks.works import ORDERS, Name

_EXACT = (
    "number",
    "customer_number",
    "status",
    "currency",
    "total",
    "freight",
    "rush",
    "channel",
    "ship_city",
    "notes",
)
_MOMENTS = ("placed_at", "shipped_at")


def disagreement(work: Name, asked: dict[str, tuple[int, str]]) -> str | None:
    """None when every side's first answer says the same."""
    seen = {name: _essence(work, _body(port, text)) for name, (port, text) in asked.items()}
    told = {repr(one): name for name, one in seen.items()}
    if len(told) <= 1:
        return None
    (first, _), (other, _), *_ = sorted(zip(told.values(), told, strict=True))
    return f"{first} and {other} answer differently: {str(seen[first])[:300]} … {str(seen[other])[:300]}"


def _essence(work: Name, body: bytes) -> object:
    match work:
        case "get":
            return _order(json.loads(body))
        case "insert":
            order = json.loads(body)
            kept = {name: value for name, value in _order(order).items() if name not in ("number", "placed_at")}
            return kept, [_line(line) for line in order["lines"]]
        case "list" | "include":
            page = json.loads(body)
            return [_whole(order) for order in page.get("data", page.get("results"))]
        case "export-ndjson":
            lines = body.splitlines()
            return len(lines) == ORDERS, _order(json.loads(lines[0])), _order(json.loads(lines[-1]))
        case "export-csv":
            table = list(csv.DictReader(io.StringIO(body.decode(), newline="")))
            return len(table) == ORDERS, table[0]["number"], table[-1]["number"], table[-1]["total"], table[3]["notes"]


def _whole(order: dict[str, Any]) -> object:
    lines, customer = order.get("lines", []), order.get("customer")
    return _order(order), [_line(line) for line in lines], customer and (customer["number"], customer["balance"])


def _order(order: dict[str, Any]) -> dict[str, Any]:
    moments = {name: order[name] and datetime.fromisoformat(order[name]).timestamp() for name in _MOMENTS}
    return {**{name: order[name] for name in _EXACT}, **{n: at and round(at, 3) for n, at in moments.items()}}


def _line(line: dict[str, Any]) -> tuple[Any, ...]:
    return line["line"], line["product"], line["quantity"], line["unit_price"], line["memo"]


def _body(port: int, text: str) -> bytes:
    """The body of one answer, over a connection of its own."""
    with socket.create_connection(("127.0.0.1", port), timeout=300) as connection:
        connection.sendall(text.replace("\r\n", "\r\nconnection: close\r\n", 1).encode())
        received = connection.makefile("rb").read()
    head, _, body = received.partition(b"\r\n\r\n")
    if b"transfer-encoding: chunked" not in head.lower():
        return body
    parts, at = [], 0
    while (end := body.index(b"\r\n", at)) and (size := int(body[at:end], 16)):
        parts.append(body[end + 2 : end + 2 + size])
        at = end + 4 + size
    return b"".join(parts)
