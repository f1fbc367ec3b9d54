"""`POST /partner/customer_new`: a form with basic auth, JSON back.

Kept: what is too long is cut; the same e-mail address again is answered with the customer that has it, `dup`, and
nothing else of the form is looked at; a login's name is the address, cut to 60 characters; a country is any two.
"""

from __future__ import annotations

import json

from fastapi import Request, Response

from api_gateway.api.transactions import Write
from api_gateway.evidence.mimic import LegacyCaller
from northgate_api.mimics.habits import form, password_wanted
from northgate_api.operations.callers import find_partner
from northgate_api.operations.customers import NewComer, is_taken, known_by_email, store_customer
from northgate_api.operations.passwords import hash_password
from shared_models.grants import touches


@touches(find_partner, known_by_email, is_taken, store_customer)
async def customer_new(request: Request, tx: Write, caller: LegacyCaller) -> Response:
    partner = await find_partner(tx, caller)
    if partner is None:
        return password_wanted()
    fields = form(await request.body())
    if not fields.get("name"):
        return _answer(ok=0, err="name missing")
    email, password = fields.get("email", "")[:120], fields.get("password")
    if email and "@" not in email:
        return _answer(ok=0, err="bad email")
    if email and (known := await known_by_email(tx, partner.code, email)) is not None:
        return _answer(ok=1, cust=known, dup=True)
    new = NewComer(
        fields["name"][:80],
        fields.get("addr1", "")[:80],
        fields.get("addr2", "")[:80] or None,
        fields.get("city", "")[:60],
        fields.get("zip", "")[:12],
        (fields.get("country") or "US").upper()[:2],
        email or None,
        fields.get("phone", "")[:30],
    )
    if password and await is_taken(tx, new.login):
        return _answer(ok=0, err="login taken")
    hashed = await hash_password(password) if email and password else None
    _, code = await store_customer(tx, partner.code, new, hashed)
    return _answer(ok=1, cust=code)


def _answer(**data: object) -> Response:
    return Response(json.dumps(data, separators=(",", ":")), headers={"content-type": "application/json"})
