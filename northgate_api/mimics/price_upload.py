"""`POST /partner/price_upload`: a partner's agreed prices, as a file or as the body; the report comes back as text.

    item_no;min_qty;price[;valid from[;valid to]]       decimal comma or point

Kept: a price below half a cent is loaded as 0.00; a quantity that begins with a number is that number; blank rows and
headings are skipped, and counted in the row numbers; of a file that was cut, what came is loaded.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal, InvalidOperation

from fastapi import Request, Response
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from api_gateway.api.transactions import Write
from api_gateway.evidence.mimic import LegacyCaller
from northgate_api.contract import OPEN_END
from northgate_api.mimics.habits import day, plain, text, whole_number
from northgate_api.operations.callers import find_partner
from northgate_api.operations.clock import today
from northgate_api.operations.price_list import Price, Rejected, known_items, load
from shared_models.grants import touches

BAD_REQUEST = """
<!doctype html>
<html lang="en">
<head>
  <title>Bad Request (400)</title>
</head>
<body>
  <h1>Bad Request (400)</h1><p></p>
</body>
</html>
"""


class BadRow(Exception):
    """Its text is the row's line of the report."""


@touches(find_partner, known_items, load)
async def price_upload(request: Request, tx: Write, caller: LegacyCaller) -> Response:
    partner = await find_partner(tx, caller)
    if partner is None:
        return plain("access denied\n", 403)
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not media_type.startswith("multipart/"):
        body = await request.body()
    elif media_type != "multipart/form-data":
        return plain("ERR|FILE|no file\n")
    else:
        try:
            async with request.form() as fields:
                file = next((part for part in reversed(fields.getlist("file")) if isinstance(part, UploadFile)), None)
                if file is None or not file.filename:
                    return plain("ERR|FILE|no file\n")
                body = await file.read()
        except HTTPException:
            headers = {"content-type": "text/html; charset=utf-8", "x-frame-options": "DENY"}
            return Response(BAD_REQUEST, 400, headers)
    prices, rejected = _read(text(body), await known_items(tx), today())
    await load(tx, partner, prices, rejected)
    report = [f"LOADED {len(prices)} / REJECTED {len(rejected)}", *(f"{one.row}: {one.message}" for one in rejected)]
    return plain("\n".join(report) + "\n")


def _read(csv: str, known: frozenset[str], on: date) -> tuple[list[Price], list[Rejected]]:
    prices, rejected = [], []
    for number, row in enumerate(csv.splitlines(), 1):
        if not row.strip() or row.lower().startswith("item_no"):
            continue
        try:
            prices.append(_price(row, known, on))
        except BadRow as bad:
            rejected.append(Rejected(number, str(bad), row))
    return prices, rejected


def _price(row: str, known: frozenset[str], on: date) -> Price:
    """The checks in legacy's order: of a row with two faults the first one is told."""
    cells = [cell.strip() for cell in row.split(";")] + [""] * 5
    item = cells[0].upper()
    if item not in known:
        raise BadRow(f"unknown item {item[:20]}")
    quantity = whole_number(cells[1] or "1")
    if quantity < 1:
        raise BadRow("bad quantity")
    valid_from = _valid(cells[3], on)
    amount = _amount(cells[2])
    return Price(item, quantity, amount, valid_from, _valid(cells[4], OPEN_END))


def _amount(written: str) -> Decimal:
    try:
        amount = Decimal(written.replace(",", "."))
        if not 0 < amount < 10**8:
            raise BadRow("bad price")
    except InvalidOperation:
        raise BadRow("bad price") from None
    return amount.quantize(Decimal("0.01"))


def _valid(written: str, otherwise: date) -> date:
    found = day(written) if written else otherwise
    if found is None:
        raise BadRow("bad date")
    return found
