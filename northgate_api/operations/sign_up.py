"""POST /customers: a partner brings a customer, who can log in at once where a password is sent."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler, StringConstraints, TypeAdapter
from pydantic.config import JsonDict
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema
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


Email = Annotated[str, Plain, Field(max_length=120, pattern=r"^[^\u0000]*@[^\u0000]*$")]
Password = Annotated[
    str, Field(min_length=8, max_length=256, description="For a login of the customer's own: its e-mail.")
]


class Address(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Plain, Field(min_length=1, max_length=80, pattern=r"^[^\u0000]*[^\s\u0000\u0085][^\u0000]*$")]
    address: Annotated[str, Plain, Field(max_length=80)] = ""
    address_2: Annotated[str | None, Plain, Field(max_length=80)] = None
    city: Annotated[str, Plain, Field(max_length=60)] = ""
    postal_code: Annotated[str, Plain, Field(max_length=12)] = ""
    country: Annotated[str, Field(pattern="^[A-Z]{2}$", description="ISO 3166-1 alpha-2.")] = "US"
    phone: Annotated[str, Plain, Field(max_length=30)] = ""


class NewCustomerWithoutLogin(Address):
    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Ridge Tools"}]})

    email: Email | None = None
    password: None = None


class NewCustomerWithLogin(Address):
    """The login is the address, and legacy would cut it."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    email: Annotated[str, Plain, Field(max_length=LOGIN, pattern=r"^[^\u0000]*@[^\u0000]*$")]
    password: Password


class NewCustomer(Address):
    """What is sent. It is told as one of the two above: what a login needs is a rule between fields."""

    email: Email | None = None
    password: Password | None = None

    @classmethod
    def __get_pydantic_json_schema__(cls, _schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        told = TypeAdapter[object](NewCustomerWithoutLogin | NewCustomerWithLogin)
        return {**handler(told.core_schema), "examples": [EXAMPLE]}


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
