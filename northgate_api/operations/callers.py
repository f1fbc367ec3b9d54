"""Who may do what is more than one row: partners, for what is theirs; clerks of the order desk, for everything.

Partners are consumers of the API; a clerk is one too, or a person by the panel's own session. `prt_cd` and `user` are
what a consumer is in the legacy system, registered with it.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from api_gateway.consumers import Principal
from api_gateway.errors import Problem
from northgate_api.tables import auth_user, partner
from shared_models.database import ReadTransaction
from shared_models.grants import touches

NO_PARTNER = {"no_partner": "The key does not belong to an active partner."}
NO_CLERK = {"no_clerk": "The key does not belong to a clerk of the order desk."}


@dataclass(frozen=True, slots=True)
class Partner:
    code: str
    price_list: str


@dataclass(frozen=True, slots=True)
class Clerk:
    id: int
    name: str


@touches(select={"partner": ["prt_cd", "prc_lst", "act_fl"]})
async def partner_of(tx: ReadTransaction, caller: Principal) -> Partner:
    """Raises Problem 403 for a caller behind whom no active partner stands."""
    found = await find_partner(tx, caller)
    if found is None:
        raise Problem(403, "no_partner", "The key does not belong to an active partner.")
    return found


@touches(select={"partner": ["prt_cd", "prc_lst", "act_fl"]})
async def find_partner(tx: ReadTransaction, caller: Principal | None) -> Partner | None:
    code = caller.value("prt_cd") if caller is not None else None
    if code is None:
        return None
    p = partner.c
    found = await tx.one(sa.select(p.prt_cd, p.prc_lst).where(p.prt_cd == code, p.act_fl == "Y"))
    return Partner(found["prt_cd"], found["prc_lst"]) if found is not None else None


@touches(select={"auth_user": ["id", "username", "is_staff", "is_active"]})
async def clerk_of(tx: ReadTransaction, caller: Principal) -> Clerk:
    """Raises Problem 403 for a caller behind whom no active clerk stands."""
    u = auth_user.c
    name = caller.value("username" if caller.kind == "staff" else "user") or ""
    known = sa.select(u.id, u.username).where(u.username == name, u.is_staff.is_(True), u.is_active.is_(True))
    found = await tx.one(known)
    if found is None:
        raise Problem(403, "no_clerk", "The key does not belong to a clerk of the order desk.")
    return Clerk(found["id"], found["username"])
