"""The desk: signs accounts in with password, refresh token or legacy session, and out again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from api_gateway import events
from api_gateway.accounts import sign_ins
from api_gateway.accounts.directory import Directory
from api_gateway.accounts.ended import Ended
from api_gateway.accounts.keyring import Keyring
from api_gateway.accounts.legacy_sessions import Sessions, Visit
from api_gateway.accounts.passwords import Verifier, is_readable
from api_gateway.accounts.recognition import Recognised, Recognition
from api_gateway.accounts.refusals import (
    beyond_scope,
    no_legacy_session,
    not_signed_in,
    sign_out_at_legacy,
    spent_token,
    too_many_attempts,
    wrong_credentials,
)
from api_gateway.accounts.rows import Account
from api_gateway.accounts.sign_ins import SignIn
from api_gateway.accounts.tokens import Access, AccessTokens
from api_gateway.identities import Source
from api_gateway.limits import Attempts
from api_gateway.logging import report
from shared_models.database import Database, WriteTransaction
from shared_models.state import account_session

_LONGEST_TOKEN = 512


@dataclass(frozen=True, slots=True)
class Granted:
    """What a sign-in is given (RFC 6749, section 5.1). `seconds`: until the access token is over."""

    access: str
    refresh: str
    seconds: int
    scopes: frozenset[str]


class Desk:
    """`days`: how long a sign-in can be refreshed."""

    def __init__(
        self,
        directory: Directory,
        database: Database,
        sessions: Mapping[str, Sessions],
        recognition: Recognition,
        tokens: AccessTokens,
        keys: Keyring,
        ended: Ended,
        *,
        days: int,
        shared_by: Callable[[], int] = lambda: 1,
    ) -> None:
        self._directory, self._database, self._sessions = directory, database, sessions
        self._recognition, self._tokens, self._keys, self._ended = recognition, tokens, keys, ended
        self._days = days
        self._attempts = Attempts(shared_by=shared_by)
        self._verifier = Verifier()

    @property
    def by_password(self) -> tuple[str, ...]:
        """Sources whose accounts sign in with their password."""
        return tuple(name for name, source in self._directory.sources.items() if source.sign_in)

    def close(self) -> None:
        self._verifier.close()

    async def with_password(
        self, source: str, username: str, password: str, scopes: frozenset[str] | None, address: str
    ) -> Granted:
        """Raises Problem: 400 alike for every reason, 429, 503; DatabaseFault."""
        settings = self._directory.sources[source]
        tried = f"{source}:{username.casefold()}"
        if wait := self._attempts.begin(tried, address):
            raise too_many_attempts(wait)
        account = await self._directory.by_username(source, username)
        ordinary = await self._directory.ordinary_hash(source)
        stored = account.password if account is not None else None
        known = stored is not None and is_readable(stored)
        fits = await self._verifier.matches(password, stored if stored is not None and known else ordinary)
        if account is None or not (fits and known and account.is_active):
            report(events.AccountRefused(source, "password"))
            raise wrong_credentials()
        self._attempts.succeeded(tried, address)
        return await self._begin(account, _within(settings, scopes), "password", None)

    async def with_refresh_token(self, token: str, address: str) -> Granted:
        """Raises Problem 400; DatabaseFault."""
        if not token.startswith(sign_ins.PREFIX) or len(token) > _LONGEST_TOKEN:
            raise spent_token()
        async with self._database.write() as tx:
            known = await sign_ins.find(tx, token)
        if known is None:
            raise spent_token()
        # Legacy may have to be asked: not inside the transaction that holds the sign-in's row.
        lives = known.legacy is None or await self._recognition.is_still_there(known.legacy, _whose(known), address)
        async with self._database.write() as tx:
            done = await sign_ins.rotate(tx, self._keys, token)
            sign_in, account = done.sign_in, None
            if sign_in is not None and done.token is not None:
                account = await self._account_of(tx, sign_in)
                why = "session over" if not lives else "account" if account is None else None
                if why is not None:
                    await sign_ins.end(tx, account_session.c.id == sign_in.id, why)
                    account = None
        if sign_in is None:
            raise spent_token()
        if account is None or done.token is None:
            self._ended.add(sign_in.id)
            code = f"{sign_in.source}:{sign_in.account}"
            report(events.RefreshTokenReused(code) if done.reused else events.AccountSignedOut(code, "ended"))
            raise spent_token()
        return self._granted(account, sign_in, done.token)

    async def with_legacy_session(self, recognised: Recognised | None, scopes: frozenset[str] | None) -> Granted:
        """A session of the legacy app, known by its cookie, becomes tokens that end with it. Raises Problem 400."""
        visit = recognised.visit if recognised is not None else None
        account = await self._sessions[visit.source].account(visit) if visit is not None else None
        if visit is None or account is None:
            raise no_legacy_session()
        settings = self._directory.sources[visit.source]
        return await self._begin(account, _within(settings, scopes), "legacy session", visit)

    async def sign_out(self, recognised: Recognised | None, token: str | None, *, everywhere: bool = False) -> None:
        """End what is signed in: by this token, else by the request's own credential. A token of nobody is no fault.

        everywhere  every other sign-in of the account too
        Raises Problem: 401 without a credential, 409 where only the legacy app can do it.
        """
        async with self._database.write() as tx:
            sign_in = await self._named(tx, token) if token is not None else None
            if token is None and recognised is None:
                raise not_signed_in("There is nobody to sign out.")
            if token is None and recognised is not None:
                visit, access = recognised.visit, recognised.access
                if visit is not None and not self._sessions[visit.source].can_end:
                    raise sign_out_at_legacy()
                which = account_session.c.id == access.sign_in if access is not None else sa.false()
                who = recognised.principal.code
            elif sign_in is not None:
                visit, which, who = None, account_session.c.id == sign_in.id, f"{sign_in.source}:{sign_in.account}"
            else:
                return
            if everywhere:
                source, _, account = who.partition(":")
                which = sa.and_(account_session.c.source == source, account_session.c.account == account)
            ended = await sign_ins.end(tx, which, "signed out")
        self._ended.add(*(one.id for one in ended))
        sealed = [one.legacy for one in ended if one.legacy is not None]
        await self._end_at_legacy([visit, *map(self._recognition.visit_of, sealed)])
        report(events.AccountSignedOut(who, "signed out"))

    async def _named(self, tx: WriteTransaction, token: str) -> SignIn | None:
        if token.startswith(sign_ins.PREFIX):
            return await sign_ins.find(tx, token[:_LONGEST_TOKEN])
        access = self._recognition.read_own(token)
        return None if access is None else SignIn(access.sign_in, access.source, access.account, "", frozenset())

    async def _end_at_legacy(self, visits: list[Visit | None]) -> None:
        for visit in {one for one in visits if one is not None}:
            await self._sessions[visit.source].end(visit)

    async def _account_of(self, tx: WriteTransaction, sign_in: SignIn) -> Account | None:
        """The account as it is now; None when it may not act any more, or has another password."""
        if sign_in.source not in self._directory.sources:
            return None
        account = await self._directory.by_id_in(tx, sign_in.source, sign_in.account)
        is_same = account is not None and account.is_active and account.seal == sign_in.seal
        return account if is_same else None

    async def _begin(self, account: Account, scopes: frozenset[str], by: str, visit: Visit | None) -> Granted:
        legacy = self._keys.seal(visit.as_text()) if visit is not None else None
        async with self._database.write() as tx:
            sign_in, token = await sign_ins.begin(tx, account, scopes, self._days, legacy)
        report(events.AccountSignedIn(account.code, by))
        return self._granted(account, sign_in, token)

    def _granted(self, account: Account, sign_in: SignIn, refresh: str) -> Granted:
        settings = self._directory.sources[account.source]
        scopes = sign_in.scopes & frozenset(settings.scopes)
        access = Access(
            sign_in.id, account.source, account.id, account.username, scopes, account.values, sign_in.legacy
        )
        return Granted(self._tokens.issue(access), refresh, self._tokens.seconds, scopes)


def _within(settings: Source, wanted: frozenset[str] | None) -> frozenset[str]:
    """Raises Problem 400 for a scope that these accounts do not have."""
    if wanted is None:
        return frozenset(settings.scopes)
    if not wanted <= frozenset(settings.scopes):
        raise beyond_scope()
    return wanted


def _whose(sign_in: SignIn) -> Access:
    return Access(sign_in.id, sign_in.source, sign_in.account, "", sign_in.scopes, legacy=sign_in.legacy)
