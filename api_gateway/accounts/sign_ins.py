"""Sign-ins in the database: one row each, with the refresh tokens that followed one another.

A refresh token is used once, and only its hash is kept. Its successor is made of it, a salt and a secret, so two tabs
that refresh at the same moment are given the same one: for `GRACE` seconds, and as long as nobody has used it. Later,
the old token in anybody's hand means that there are two of them: the whole sign-in ends.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from api_gateway.accounts.keyring import Keyring
from api_gateway.accounts.rows import Account
from shared_models.database import WriteTransaction
from shared_models.state import CHANNEL, account_session, refresh_token

PREFIX = "bnyr_"
GRACE = 10  # seconds
_now = sa.func.clock_timestamp()


def hashed(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


@dataclass(frozen=True, slots=True)
class SignIn:
    """One device's sign-in. `legacy`: sealed, as `tokens.Access` has it."""

    id: str
    source: str
    account: str
    seal: str
    scopes: frozenset[str]
    legacy: str | None = None


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What became of a refresh token. `token`: the next one. `reused`: it came twice, and the sign-in has ended."""

    sign_in: SignIn | None
    token: str | None = None
    reused: bool = False


async def begin(
    tx: WriteTransaction, account: Account, scopes: frozenset[str], days: int, legacy: str | None
) -> tuple[SignIn, str]:
    """A new sign-in and its first refresh token."""
    sign_in = SignIn(secrets.token_hex(16), account.source, account.id, account.seal, scopes, legacy)
    row = {
        "id": sign_in.id,
        "source": sign_in.source,
        "account": sign_in.account,
        "seal": sign_in.seal,
        "scopes": sorted(scopes),
        "legacy": legacy,
        "expires": _now + sa.func.make_interval(0, 0, 0, days),
    }
    token = PREFIX + secrets.token_urlsafe(32)
    await tx.execute(sa.insert(account_session).values(row))
    await tx.execute(sa.insert(refresh_token).values(hash=hashed(token), session=sign_in.id))
    return sign_in, token


async def rotate(tx: WriteTransaction, keys: Keyring, token: str) -> Refreshed:
    """Use a refresh token. Twins come one after the other: the sign-in's row is locked until the end of `tx`."""
    row = await tx.one(_found(token).with_for_update(of=account_session))
    if row is None or not row["is_alive"]:
        return Refreshed(None)
    # Read again behind the lock: what a twin did meanwhile is seen.
    used = await tx.one(_use_of(token))
    sign_in = _sign_in(row)
    if used is None or used["is_spent"] is None:
        salt = secrets.token_bytes(16)
        following = PREFIX + keys.first.successor(token, salt)
        await tx.execute(
            sa.update(refresh_token).where(refresh_token.c.hash == hashed(token)).values(used=_now, salt=salt)
        )
        await tx.execute(sa.insert(refresh_token).values(hash=hashed(following), session=sign_in.id))
        await tx.execute(sa.update(account_session).where(account_session.c.id == sign_in.id).values(last_used=_now))
        return Refreshed(sign_in, following)
    if not used["is_spent"]:
        again = [PREFIX + key.successor(token, bytes(used["salt"])) for key in keys.keys]
        unused = sa.select(refresh_token.c.hash).where(
            refresh_token.c.hash.in_([hashed(one) for one in again]), refresh_token.c.used.is_(None)
        )
        kept = await tx.value(unused)
        following_again = next((one for one in again if kept is not None and hashed(one) == bytes(kept)), None)
        if following_again is not None:
            return Refreshed(sign_in, following_again)
    await end(tx, account_session.c.id == sign_in.id, "reused")
    return Refreshed(sign_in, reused=True)


async def find(tx: WriteTransaction, token: str) -> SignIn | None:
    """The living sign-in of a refresh token, used or not."""
    row = await tx.one(_found(token))
    return _sign_in(row) if row is not None and row["is_alive"] else None


async def end(tx: WriteTransaction, which: sa.ColumnElement[bool], why: str) -> list[SignIn]:
    """End sign-ins, and tell every gateway when `tx` commits."""
    rows = await tx.execute(
        sa.update(account_session)
        .where(which, account_session.c.ended.is_(None))
        .values(ended=_now, why=why)
        .returning(*_COLUMNS)
    )
    if rows:
        await tx.rows(sa.select(sa.func.pg_notify(CHANNEL, "").label("told")))
    return [_sign_in(row) for row in rows]


_COLUMNS = [account_session.c[name] for name in ("id", "source", "account", "seal", "scopes", "legacy")]


def _found(token: str) -> sa.Select[Any]:
    alive = sa.and_(account_session.c.ended.is_(None), account_session.c.expires > _now)
    return (
        sa.select(*_COLUMNS, alive.label("is_alive"))
        .join(refresh_token, refresh_token.c.session == account_session.c.id)
        .where(refresh_token.c.hash == hashed(token))
    )


def _use_of(token: str) -> sa.Select[Any]:
    """`is_spent`: null when it was never used, false while its grace lasts."""
    over = refresh_token.c.used < _now - sa.func.make_interval(0, 0, 0, 0, 0, 0, GRACE)
    return sa.select(over.label("is_spent"), refresh_token.c.salt).where(refresh_token.c.hash == hashed(token))


def _sign_in(row: Mapping[str, Any]) -> SignIn:
    scopes = frozenset(row["scopes"])
    return SignIn(row["id"], row["source"], row["account"], row["seal"], scopes, row["legacy"])
