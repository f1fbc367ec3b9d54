"""Habits of the legacy partner endpoints that their callers rely on, kept here under their names.

- numbers are read as PHP's intval did: `12abc` is 12, `abc` is 0, beyond 32 bits is the nearest end
- a date is 2026-11-05 or 11/05/2026
- a status that nobody knows is shown as its number
- an inactive partner is a wrong token
- a form is read whatever its content type says, UTF-8 or Latin-1; of a field that comes twice the last one counts
- what is refused has status 200, where the endpoint is of the PHP site's family
"""

from __future__ import annotations

import re
from datetime import date
from urllib.parse import unquote_to_bytes

from fastapi import Response
from sqlalchemy import select

from api_gateway.consumers import Principal
from northgate_api.tables import partner
from shared_models.database import ReadTransaction

STATES = {10: "OPEN", 20: "ALLOCATED", 30: "SHIPPED", 40: "INVOICED", 90: "CANCELLED"}
PARTNER_COLUMNS = {"partner": ["prt_cd", "act_fl"]}

_SMALLEST, _LARGEST = -(2**31), 2**31 - 1


async def active_partner(tx: ReadTransaction, caller: Principal | None) -> str | None:
    """The partner's code as legacy prints it; None for nobody, and for a partner that was switched off."""
    code = caller.value("prt_cd") if caller is not None else None
    if code is None:
        return None
    known = select(partner.c.prt_cd).where(partner.c.prt_cd == code, partner.c.act_fl == "Y")
    found: str | None = await tx.value(known)
    return found


def whole_number(text: str | None) -> int:
    """PHP's intval on 32 bits: blanks before are skipped, eleven digits are read at most, nonsense is 0."""
    found = re.match(r"[ \t\r\n]*([+-]?[0-9]+)", text or "")
    return max(_SMALLEST, min(_LARGEST, int(found[1][:12]))) if found else 0


def day(written: str) -> date | None:
    """None for anything that is not a day of the calendar in one of the two spellings."""
    if found := re.fullmatch(r"([0-9]{4})-([0-9]{2})-([0-9]{2})", written):
        year, month, number = found.groups()
    elif found := re.fullmatch(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})", written):
        month, number, year = found.groups()
    else:
        return None
    try:
        return date(int(year), int(month), int(number))
    except ValueError:
        return None


def without_nul(value: str) -> str:
    """Legacy drops NUL characters before it looks at a parameter."""
    return value.replace("\0", "")


def text(raw: bytes) -> str:
    """BOLT's AS/400 sends Latin-1, everybody else UTF-8."""
    try:
        return without_nul(raw.decode("utf-8"))
    except UnicodeDecodeError:
        return without_nul(raw.decode("latin-1"))


def form(body: bytes) -> dict[str, str]:
    """The fields of the body, blanks at both ends aside."""
    fields = {}
    for pair in body.replace(b"+", b" ").split(b"&"):
        name, _, value = pair.partition(b"=")
        fields[text(unquote_to_bytes(name))] = text(unquote_to_bytes(value)).strip()
    return fields


def plain(body: str, status: int = 200) -> Response:
    """Text in UTF-8 that does not say so."""
    return Response(body.encode(), status, {"content-type": "text/plain"})


def latin1(body: str, media_type: str) -> Response:
    """What Latin-1 does not have becomes a question mark."""
    return Response(body.encode("latin-1", "replace"), headers={"content-type": f"{media_type}; charset=ISO-8859-1"})


def err(code: str, message: object) -> Response:
    return plain(f"ERR|{code}|{message}")


def password_wanted() -> Response:
    """Basic auth of the two endpoints that Dale wrote. Not 200: their callers are browsers' relatives."""
    headers = {"content-type": "text/plain", "www-authenticate": 'Basic realm="Northgate partners"'}
    return Response("Authorization required\n", 401, headers)
