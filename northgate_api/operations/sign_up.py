"""POST /customers: a partner brings a customer, who can log in at once where a password is sent."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.config import JsonDict
from starlette.responses import Response

from api_gateway.api.authentication import Caller
from api_gateway.api.documents import Answers
from api_gateway.api.operations import operation
from api_gateway.api.problems import invalid_body
from api_gateway.api.transactions import Write
from api_gateway.errors import FieldError, Problem
from northgate_api.contract import Customer
from northgate_api.operations.callers import NO_PARTNER, partner_of
from northgate_api.operations.customers import LOGIN, NewComer, is_taken, known_by_email, store_customer
from northgate_api.operations.passwords import hash_password
from shared_models.faults import ConstraintViolated
from shared_models.grants import touches

REFUSES = {
    "customer_known": "The partner has a customer with this e-mail address; `errors` names it.",
    "login_taken": "Somebody logs in with this e-mail address already.",
    **NO_PARTNER,
}
EXAMPLE: JsonDict = {"name": "Ridge Tools", "email": "desk@ridge-tools.example", "password": "a good long one"}
Plain = StringConstraints(strip_whitespace=True)


class NewCustomer(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE]})

    name: Annotated[str, Plain, Field(min_length=1, max_length=80)]
    address: Annotated[str, Plain, Field(max_length=80)] = ""
    address_2: Annotated[str | None, Plain, Field(max_length=80)] = None
    city: Annotated[str, Plain, Field(max_length=60)] = ""
    postal_code: Annotated[str, Plain, Field(max_length=12)] = ""
    country: Annotated[str, Field(pattern="^[A-Z]{2}$", description="ISO 3166-1 alpha-2.")] = "US"
    email: Annotated[str | None, Plain, Field(max_length=120, pattern="@")] = None
    phone: Annotated[str, Plain, Field(max_length=30)] = ""
    password: Annotated[
        str | None, Field(min_length=8, max_length=256, description="For a login of the customer's own: its e-mail.")
    ] = None


@operation("customers", scope="customers:write", status=201, answer=Customer, refuses=REFUSES)
@touches(partner_of, known_by_email, is_taken, store_customer)
async def sign_up(new: NewCustomer, tx: Write, caller: Caller, answers: Answers) -> Response:
    """Sign up a customer of the partner's, with a login where a password is sent."""
    partner = await partner_of(tx, caller)
    comer = NewComer(
        new.name, new.address, new.address_2 or None, new.city, new.postal_code, new.country, new.email, new.phone
    )
    _check_login(new)
    if comer.email is not None and (code := await known_by_email(tx, partner.code, comer.email)) is not None:
        fault = FieldError("email_used", f"Of customer {code}.", pointer="/email")
        raise Problem(409, "customer_known", "There is a customer with this address.", errors=[fault])
    hashed = None
    if new.password is not None:
        if await is_taken(tx, comer.login):
            raise _taken()
        hashed = await hash_password(new.password)
    try:
        number, _ = await store_customer(tx, partner.code, comer, hashed)
    except ConstraintViolated as fault:
        if fault.kind == "unique" and fault.table == "user_acct":  # somebody was faster
            raise _taken() from None
        raise
    return await answers.created(tx, Customer, number)


def _check_login(new: NewCustomer) -> None:
    """Raises Problem 422: the login is the address, and legacy would cut it."""
    if new.password is None:
        return
    if new.email is None:
        raise invalid_body([FieldError("missing", "A login needs an e-mail address.", pointer="/email")])
    if len(new.email) > LOGIN:
        raise invalid_body([FieldError("string_too_long", f"As a login at most {LOGIN} characters.", pointer="/email")])


def _taken() -> Problem:
    fault = FieldError("login_taken", "Somebody else logs in with it.", pointer="/email")
    return Problem(409, "login_taken", "There is a login of this name.", errors=[fault])
