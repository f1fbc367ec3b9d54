"""What the legacy app writes when a partner brings a customer: its number, its row, its login for the mobile app."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal

import sqlalchemy as sa

from northgate_api.contract import NEVER
from northgate_api.operations.audit import log
from northgate_api.operations.clock import local_now
from northgate_api.operations.numbers import draw
from northgate_api.tables import customer, user_acct
from shared_models.database import ReadTransaction, WriteTransaction
from shared_models.grants import touches

LOGIN = 60  # characters; what is longer is cut off
NEVER_LOGGED_IN = datetime.combine(NEVER, time())


@dataclass(frozen=True, slots=True)
class NewComer:
    name: str
    address: str = ""
    address_2: str | None = None
    city: str = ""
    postal_code: str = ""
    country: str = "US"
    email: str | None = None
    phone: str = ""

    @property
    def login(self) -> str:
        return (self.email or "").lower()[:LOGIN]


@touches(select={"customer": ["cust_no", "cust_cd", "src_cd", "email", "del_fl"]})
async def known_by_email(tx: ReadTransaction, partner: str, email: str) -> str | None:
    """The code of the partner's customer with this address, upper or lower case aside."""
    c = customer.c
    same = sa.func.upper(c.email) == sa.func.upper(sa.cast(email, sa.Text))
    mine = sa.select(c.cust_cd).where(c.src_cd == partner, c.del_fl == "N", same).order_by(c.cust_no).limit(1)
    found: str | None = await tx.value(mine)
    return found


@touches(select={"user_acct": ["acct_id", "login"]})
async def is_taken(tx: ReadTransaction, login: str) -> bool:
    return await tx.value(sa.select(user_acct.c.acct_id).where(user_acct.c.login == login)) is not None


@touches(
    draw,
    log,
    insert={
        "customer": [
            "cust_cd", "nm", "addr1", "addr2", "city", "zip", "ctry", "email", "tel", "terms_cd", "cr_lim", "bal",
            "act_fl", "del_fl", "crt_dt", "lst_ord_dt", "rep_cd", "src_cd",
        ],
        "user_acct": ["login", "pw_hash", "cust_no", "lst_login", "lock_fl"],
    },
    secret={"user_acct": ["pw_hash"]},
)  # fmt: skip
async def store_customer(
    tx: WriteTransaction, partner: str, new: NewComer, password_hash: str | None
) -> tuple[int, str]:
    """Number and code. With a password's hash the customer gets a login, named after its address."""
    code = f"C{await draw(tx, 'CUST'):06d}"
    row = {
        "cust_cd": code,
        "nm": new.name,
        "addr1": new.address,
        "addr2": new.address_2,
        "city": new.city,
        "zip": new.postal_code,
        "ctry": new.country,
        "email": new.email,
        "tel": new.phone,
        "terms_cd": "N30",
        "cr_lim": Decimal(0),
        "bal": Decimal(0),
        "act_fl": "Y",
        "del_fl": "N",
        "crt_dt": local_now(),
        "lst_ord_dt": NEVER,
        "rep_cd": None,
        "src_cd": partner,
    }
    (stored,) = await tx.execute(sa.insert(customer).values(row).returning(customer.c.cust_no))
    number = int(stored["cust_no"])
    await log(tx, partner, "NEW", "customer", number, new.name)
    if new.email and password_hash is not None:
        login = {
            "login": new.login,
            "pw_hash": password_hash,
            "cust_no": number,
            "lst_login": NEVER_LOGGED_IN,
            "lock_fl": "N",
        }
        await tx.execute(sa.insert(user_acct).values(login))
    return number, code
