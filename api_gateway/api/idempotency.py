"""`Idempotency-Key`: a request that is sent again is answered again, and done once.

The key is claimed and the answer stored in the write's own transaction, so both are there or neither is: a refusal
or a crash stores nothing, and the next attempt starts afresh. Keys are the consumer's own and one route's; they
expire by the database's clock.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from starlette.responses import Response
from starlette.types import Scope

from api_gateway.api.problems import bad_request
from api_gateway.consumers import Principal
from api_gateway.errors import FieldError, Problem
from shared_models.database import WriteTransaction
from shared_models.faults import LockTimeout
from shared_models.state import idempotency as kept

HEADER = b"idempotency-key"
LIFETIME_HOURS = 24
TWIN_WAITS = "2s"

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_STORED_HEADERS = ("content-type", "location", "content-location", "etag", "cache-control", "preference-applied")


@dataclass(frozen=True, slots=True)
class Claim:
    """Whose key it is, and what it was sent with. `digest`: of method, target and body."""

    consumer: str
    operation: str
    key: str
    digest: bytes

    def where(self) -> sa.ColumnElement[bool]:
        mine = (kept.c.consumer == self.consumer, kept.c.operation == self.operation, kept.c.key == self.key)
        return sa.and_(*mine)


def claim_of(scope: Scope, body: bytes, principal: Principal, operation: str) -> Claim | None:
    """The claim a request makes, None without the header. Raises Problem 400 for a key that cannot be one.

    operation  the route: an operation's name, or the method and path of a resource
    """
    keys = [value.decode("latin-1") for name, value in scope["headers"] if name == HEADER]
    if not keys:
        return None
    if len(keys) > 1 or not _KEY.fullmatch(keys[0]):
        detail = "One value of 1 to 255 visible ASCII characters."
        raise bad_request([FieldError("invalid_value", detail, header="Idempotency-Key")])
    target = scope.get("raw_path") or scope["path"].encode()
    head = b"\0".join([scope["method"].encode(), target, scope["query_string"], b""])
    digest = hashlib.sha256(head + body).digest()
    return Claim(f"{principal.kind}:{principal.code}", operation, keys[0], digest)


async def take(tx: WriteTransaction, claim: Claim) -> Response | None:
    """None: the key is claimed, go on. Else the stored answer.

    Raises Problem 409 while a twin is at it, 422 for another request under the same key.
    """
    await tx.set_local("lock_timeout", TWIN_WAITS)
    try:
        claimed = await tx.execute(_claiming(claim))
    except LockTimeout:
        raise _twin() from None
    await tx.set_local("lock_timeout", None)
    if claimed:
        return None
    stored = await tx.one(sa.select(kept).where(claim.where()))
    if stored is None or stored["status"] is None:
        raise _twin()
    if stored["request_hash"] != claim.digest:
        raise Problem(422, "idempotency_key_reused", "The key was used with another request.")
    headers = {**stored["headers"], "idempotency-replayed": "true"}
    return Response(bytes(stored["body"]), stored["status"], headers)


async def store(tx: WriteTransaction, claim: Claim, response: Response) -> None:
    headers = {name: response.headers[name] for name in _STORED_HEADERS if name in response.headers}
    answer = {"status": response.status_code, "headers": headers, "body": bytes(response.body)}
    await tx.execute(sa.update(kept).where(claim.where()).values(answer))


def _claiming(claim: Claim) -> sa.sql.dml.Insert:
    """Insert the claim, or take an expired one over. Waits while a twin's transaction is open."""
    expires = sa.func.clock_timestamp() + sa.literal_column(f"interval '{LIFETIME_HOURS} hours'")
    fresh = {"request_hash": claim.digest, "status": None, "headers": None, "body": None, "expires_at": expires}
    row = {"consumer": claim.consumer, "operation": claim.operation, "key": claim.key, **fresh}
    return (
        insert(kept)
        .values(row)
        .on_conflict_do_update(
            index_elements=[kept.c.consumer, kept.c.operation, kept.c.key],
            set_={**fresh, "created_at": sa.func.clock_timestamp()},
            where=kept.c.expires_at < sa.func.clock_timestamp(),
        )
        .returning(kept.c.key)
    )


def _twin() -> Problem:
    title = "A request with this key is being worked on."
    return Problem(409, "idempotency_key_in_use", title, headers={"retry-after": "1"})
