"""The register in the database: loaded whole, and changed by an operator.

Every change takes the register's one row first, so changes happen one after the other and a process that compares
versions misses none. Secrets come in, hashes are stored; a new key is returned once and kept nowhere.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from psycopg import Connection
from sqlalchemy import Select, Update, and_, func, insert, literal, select, text, tuple_, update

from api_gateway.consumers.register import Consumer, Credential, CredentialKind, Register, secret_hash
from api_gateway.errors import UsageError
from shared_models import state
from shared_models.statements import Row, run

KEY_PREFIX, TEST_PREFIX = "bnyn_", "bnyn_test_"
LIVE_KEYS = 2

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")
_SCOPE = re.compile(r"[a-z0-9][a-z0-9_./-]*:[a-z*]+")
_now = func.clock_timestamp()


def register_query() -> Select[tuple[Any]]:
    """One row, one column `register`: the document that `Register.from_json` reads, from one snapshot."""
    who, what = state.consumer.c, state.credential.c
    consumers = select(
        func.jsonb_agg(
            func.jsonb_build_object(
                "code",
                who.code,
                "name",
                who.name,
                "scopes",
                who.scopes,
                "values",
                who["values"],
                "per_minute",
                who.per_minute,
                "version",
                who.version,
            )
        )
    ).scalar_subquery()
    credentials = (
        select(
            func.jsonb_agg(
                func.jsonb_build_object(
                    "consumer",
                    what.consumer,
                    "kind",
                    what.kind,
                    "hash",
                    func.encode(what.hash, "hex"),
                    "scopes",
                    what.scopes,
                    "is_test",
                    what.is_test,
                    "expires",
                    func.extract("epoch", what.expires),
                )
            )
        )
        .where(what.revoked.is_(None))
        .scalar_subquery()
    )
    empty = text("'[]'::jsonb")
    return select(
        func.jsonb_build_object(
            "version",
            select(state.register.c.version).scalar_subquery(),
            "now",
            func.extract("epoch", _now),
            "consumers",
            func.coalesce(consumers, empty),
            "credentials",
            func.coalesce(credentials, empty),
        ).label("register")
    )


def load_register(connection: Connection[Any]) -> Register:
    return Register.from_json(run(connection, register_query())[0]["register"])


def register_version(connection: Connection[Any]) -> int:
    return int(run(connection, select(state.register.c.version))[0]["version"])


def consumer_summaries(connection: Connection[Any]) -> list[Row]:
    """Every consumer with its credentials (id, kind, hint, created, revoked, last_used), for a person to look at."""
    what = state.credential.c
    credentials = [dict(row) for row in run(connection, select(state.credential).order_by(what.consumer, what.id))]
    for credential in credentials:
        del credential["hash"]
    return [
        {**row, "credentials": [c for c in credentials if c["consumer"] == row["code"]]}
        for row in run(connection, select(state.consumer).order_by(state.consumer.c.code))
    ]


def add_consumer(
    connection: Connection[Any],
    code: str,
    name: str,
    *,
    scopes: Iterable[str] = (),
    values: Mapping[str, str] | None = None,
    per_minute: int | None = None,
    contact: str = "",
    notes: str = "",
    version: str | None = None,
) -> Consumer:
    """`contact`, `notes`: for people. Raises UsageError when the code or a scope is malformed, or the code is taken."""
    consumer = Consumer(code, name, _scopes(scopes), dict(values or {}), per_minute, version=version)
    if not _CODE.fullmatch(code):
        raise UsageError(f"consumer code {code!r} must be letters, digits, '_', '.', '-', at most 63 of them.")
    with connection.transaction():
        _change(connection)
        if run(connection, select(state.consumer.c.code).where(state.consumer.c.code == code)):
            raise UsageError(f"consumer {code} exists already.", hint=f"`banyan consumers show {code}` shows it.")
        run(
            connection,
            insert(state.consumer).values(
                code=code,
                name=name,
                scopes=sorted(consumer.scopes),
                values=dict(consumer.values),
                per_minute=per_minute,
                contact=contact,
                notes=notes,
                version=version,
            ),
        )
    return consumer


def change_consumer(
    connection: Connection[Any],
    code: str,
    *,
    name: str | None = None,
    contact: str | None = None,
    notes: str | None = None,
    version: str | None = None,
    scopes: Iterable[str] | None = None,
    values: Mapping[str, str] | None = None,
) -> None:
    """What is None stays. An empty version is none; scopes and values take the place of those before.

    Raises UsageError for an unknown consumer, or a malformed scope.
    """
    given: dict[str, Any] = {"name": name, "contact": contact, "notes": notes}
    given = {column: text for column, text in given.items() if text is not None}
    given |= {"version": version or None} if version is not None else {}
    given |= {"scopes": sorted(_scopes(scopes))} if scopes is not None else {}
    given |= {"values": dict(values)} if values is not None else {}
    with connection.transaction():
        _change(connection)
        _require(connection, code)
        if given:
            run(connection, update(state.consumer).where(state.consumer.c.code == code).values(**given))


def _scopes(given: Iterable[str]) -> frozenset[str]:
    scopes = frozenset(given)
    for scope in sorted(scopes):
        if not _SCOPE.fullmatch(scope):
            raise UsageError(f"scope {scope!r} must look like orders:read.")
    return scopes


def limit_consumer(connection: Connection[Any], code: str, per_minute: int | None) -> None:
    """Requests of the typed API that the consumer may make in a minute; 0: any number; None: as the project says.

    Raises UsageError for an unknown consumer.
    """
    with connection.transaction():
        _change(connection)
        _require(connection, code)
        run(
            connection,
            update(state.consumer).where(state.consumer.c.code == code).values(per_minute=per_minute),
        )


def create_key(
    connection: Connection[Any],
    code: str,
    *,
    scopes: Iterable[str] | None = None,
    expires_in: timedelta | None = None,
    is_test: bool = False,
) -> str:
    """A new API key of 256 random bits, returned this once.

    scopes      those of the consumer's that it is good for; None: all of them, also those that are given later
    expires_in  from now, by the database's clock; None: it has no end
    is_test     it reads as the consumer does, and whatever it writes is rolled back
    Raises UsageError for an unknown consumer, one with two live keys of this kind, or a scope that it does not have.
    """
    narrowed = None if scopes is None else sorted(set(scopes))
    with connection.transaction():
        _change(connection)
        _require(connection, code)
        _refuse_more(connection, code, narrowed)
        _make_room(code, _live_keys(connection, code, is_test))
        return _insert_key(connection, code, narrowed, expires_in, is_test)


def rotate_key(connection: Connection[Any], code: str, overlap: timedelta, *, is_test: bool = False) -> str:
    """A new key like the newest one, which ends after `overlap`: the consumer changes over in between.

    Raises UsageError for an unknown consumer, and where there is no key, or are two already.
    """
    with connection.transaction():
        _change(connection)
        _require(connection, code)
        live = _live_keys(connection, code, is_test)
        if not live:
            raise UsageError(f"{code} has no live key.", hint=f"`banyan consumers key {code}` makes one.")
        _make_room(code, live)
        old, what = live[-1], state.credential.c
        ends = _now + overlap
        run(
            connection,
            update(state.credential)
            .where(what.id == old["id"])
            .values(expires=func.least(func.coalesce(what.expires, ends), ends)),
        )
        return _insert_key(connection, code, old["scopes"], None, is_test)


def _live_keys(connection: Connection[Any], code: str, is_test: bool) -> list[Row]:
    what = state.credential.c
    is_live = and_(what.revoked.is_(None), func.coalesce(what.expires > _now, literal(True)))
    mine = and_(what.consumer == code, what.kind == "api_key", what.is_test == is_test)
    return list(run(connection, select(what.id, what.hint, what.scopes).where(mine, is_live).order_by(what.id)))


def _make_room(code: str, live: list[Row]) -> None:
    if len(live) >= LIVE_KEYS:
        raise UsageError(
            f"{code} has {len(live)} live keys, {', '.join(row['hint'] for row in live)}: at most {LIVE_KEYS}.",
            hint=f"`banyan consumers revoke {code} --credential {live[0]['id']}` makes room.",
        )


def _refuse_more(connection: Connection[Any], code: str, scopes: list[str] | None) -> None:
    """A key never has what its consumer has not."""
    (row,) = run(connection, select(state.consumer.c.scopes).where(state.consumer.c.code == code))
    more = sorted(set(scopes or ()) - set(row["scopes"]))
    if more:
        raise UsageError(f"{code} does not have {', '.join(more)}, so its key cannot.")


def _insert_key(
    connection: Connection[Any], code: str, scopes: list[str] | None, expires_in: timedelta | None, is_test: bool
) -> str:
    prefix = TEST_PREFIX if is_test else KEY_PREFIX
    secret = prefix + secrets.token_urlsafe(32)
    more = {"scopes": scopes, "is_test": is_test, "expires": None if expires_in is None else _now + expires_in}
    _insert(connection, code, "api_key", secret, f"{prefix}…{secret[-4:]}", **more)
    return secret


def add_credential(connection: Connection[Any], code: str, kind: CredentialKind, secret: str) -> None:
    """Make known what a legacy protocol carries. For `basic`, the secret is `user:password`.

    Raises UsageError when it is empty, when the consumer is unknown, or when it names somebody already.
    """
    if not secret:
        raise UsageError("the secret is empty.")
    if kind == "api_key":
        raise UsageError("API keys are made here, not brought.", hint=f"`banyan consumers key {code}` makes one.")
    with connection.transaction():
        _change(connection)
        _require(connection, code)
        taken = run(
            connection,
            select(state.credential.c.consumer).where(
                state.credential.c.kind == kind,
                state.credential.c.hash == bytes.fromhex(secret_hash(secret)),
                state.credential.c.revoked.is_(None),
            ),
        )
        if taken:
            raise UsageError(f"this {kind} secret names {taken[0]['consumer']} already; it cannot name {code} too.")
        _insert(connection, code, kind, secret, f"{secret[:2]}…" if len(secret) >= 12 else "…")


def revoke(connection: Connection[Any], code: str, *, credential: int | None = None) -> int:
    """Revoke one credential of a consumer, or all of them; how many were live. Raises UsageError for an unknown one."""
    what = state.credential.c
    chosen = and_(what.consumer == code, what.id == credential if credential is not None else literal(True))
    with connection.transaction():
        _change(connection)
        _require(connection, code)
        if credential is not None and not run(connection, select(what.id).where(chosen)):
            raise UsageError(f"{code} has no credential {credential}.")
        ended = run(
            connection,
            update(state.credential).where(chosen, what.revoked.is_(None)).values(revoked=_now).returning(what.id),
        )
    return len(ended)


def use_statement(used: Iterable[Credential]) -> Update:
    """Note that these credentials were just used. Processes that note the same one do not wait for each other."""
    what = state.credential.c
    keys = [(credential.kind, bytes.fromhex(credential.hash)) for credential in used]
    mine = select(what.id).where(tuple_(what.kind, what.hash).in_(keys), what.revoked.is_(None))
    return (
        update(state.credential)
        .where(what.id.in_(mine.order_by(what.id).with_for_update(skip_locked=True, key_share=True)))
        .values(last_used=_now)
    )


def _change(connection: Connection[Any]) -> None:
    run(connection, update(state.register).values(version=state.register.c.version + 1))
    run(connection, select(func.pg_notify(state.CHANNEL, "")))


def _require(connection: Connection[Any], code: str) -> None:
    if not run(connection, select(state.consumer.c.code).where(state.consumer.c.code == code)):
        raise UsageError(f"there is no consumer {code}.", hint="`banyan consumers list` shows them.")


def _insert(connection: Connection[Any], code: str, kind: str, secret: str, hint: str, **more: Any) -> None:
    run(
        connection,
        insert(state.credential)
        .values(consumer=code, kind=kind, hash=bytes.fromhex(secret_hash(secret)), hint=hint, **more)
        .inline(),
    )
