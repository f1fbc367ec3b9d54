"""Who acts, told from a request's head: a token of ours, one of an outside issuer, or the legacy app's cookie.

API keys are not looked at here. A credential that was put into the head on purpose decides alone: a cookie beside it,
which browsers add by themselves, is never read, so two credentials never add up.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jwt

from api_gateway.accounts.cross_site import may_change
from api_gateway.accounts.ended import Ended
from api_gateway.accounts.issuers import OutsideIssuer
from api_gateway.accounts.keyring import Keyring
from api_gateway.accounts.legacy_sessions import AmbiguousCookie, Sessions, Visit, cookies_of
from api_gateway.accounts.refusals import cross_site, not_signed_in, too_many_strangers
from api_gateway.accounts.rows import Account
from api_gateway.accounts.tokens import Access, AccessTokens
from api_gateway.consumers import Principal
from api_gateway.identities import Source
from api_gateway.limits import Meter

Headers = Sequence[tuple[bytes, bytes]]
STRANGERS = 120
"""Cookies of nobody that one address may bring in a minute: each of them is looked up, or asked for."""
_LONGEST_TOKEN = 16 * 1024


@dataclass(frozen=True, slots=True)
class Recognised:
    """Who acts, and by what: an access token of ours, or a visit of the legacy app."""

    principal: Principal
    access: Access | None = None
    visit: Visit | None = None


class Recognition:
    """`trusted`: origins whose pages may send the legacy cookie along with a change."""

    def __init__(
        self,
        sources: Mapping[str, Source],
        sessions: Mapping[str, Sessions],
        issuers: Collection[OutsideIssuer],
        tokens: AccessTokens,
        keys: Keyring,
        ended: Ended,
        *,
        trusted: Collection[str],
        per_minute: int,
        shared_by: Callable[[], int] = lambda: 1,
    ) -> None:
        self._sources, self._sessions = sources, sessions
        self._issuers = {issuer.settings.issuer: issuer for issuer in issuers}
        self._tokens, self._keys, self._ended = tokens, keys, ended
        self._trusted, self._per_minute, self._shared_by = frozenset(trusted), per_minute, shared_by
        self._cookies = frozenset(name for one in sessions.values() for name in one.cookies)
        self._cookie_marks = tuple(name.encode() for name in self._cookies)
        self._strangers = Meter()

    async def recognise(self, method: str, headers: Headers, address: str) -> Recognised | None:
        """None when there is nothing here to recognise: no credential, or one for the register of API keys.

        address  whom failures are counted against
        Raises Problem 401 for what is not good, 403, 429, 503 where it cannot be told.
        """
        authorization: bytes | None = None
        cookies: list[bytes] = []
        for name, value in headers:
            if name == b"x-api-key":
                return None
            if name == b"authorization":
                if authorization is not None:
                    return None
                authorization = value
            elif name == b"cookie":
                cookies.append(value)
        if authorization is not None:
            token = bearer(authorization)
            return None if token is None else await self._by_token(token, address)
        if not any(mark in cookie for cookie in cookies for mark in self._cookie_marks):
            return None
        return await self._by_cookie(method, headers, cookies, address)

    async def _by_token(self, token: str, address: str) -> Recognised:
        refused = not_signed_in("The token is unknown, over or not for here.", is_token=True)
        if len(token) > _LONGEST_TOKEN:
            raise refused
        head, issuer = _unverified(token)
        access = self._tokens.read(token, head) if issuer == self._tokens.issuer else None
        if access is not None:
            return Recognised(await self._of_access(access, address), access)
        outside = self._issuers.get(issuer or "")
        principal = await outside.principal(token, head) if outside is not None else None
        if principal is None:
            raise refused
        return Recognised(principal)

    async def _of_access(self, access: Access, address: str) -> Principal:
        source = self._sources.get(access.source)
        if source is None or self._ended.has(access.sign_in):
            raise not_signed_in("The sign-in has ended.", is_token=True)
        if access.legacy is not None and not await self.is_still_there(access.legacy, access, address):
            raise not_signed_in("The session of the legacy app has ended.", is_token=True)
        values = {"id": access.account, "username": access.username, **access.values}
        scopes = access.scopes & frozenset(source.scopes)
        return Principal(source.kind, f"{access.source}:{access.account}", scopes, values, self._per_minute)

    async def is_still_there(self, sealed: str, whose: Access | Account, address: str) -> bool:
        """Whether the legacy session that something was born of lives, and is still the same account's."""
        visit = self.visit_of(sealed)
        account = await self._looked_up(visit, address) if visit is not None else None
        expected = whose.account if isinstance(whose, Access) else whose.id
        return account is not None and account.id == expected

    def read_own(self, token: str) -> Access | None:
        """What an access token of ours says, None for any other: whether its sign-in has ended is not looked at."""
        head, issuer = _unverified(token) if len(token) <= _LONGEST_TOKEN else ({}, None)
        return self._tokens.read(token, head) if issuer == self._tokens.issuer else None

    def visit_of(self, sealed: str) -> Visit | None:
        text = self._keys.unseal(sealed)
        visit = Visit.from_text(text) if text is not None else None
        return visit if visit is not None and visit.source in self._sessions else None

    async def _by_cookie(self, method: str, headers: Headers, cookies: list[bytes], address: str) -> Recognised | None:
        try:
            found = cookies_of(cookies, self._cookies)
        except AmbiguousCookie:
            raise not_signed_in("The request carries two different cookies of one name.") from None
        hosts = [value.decode("latin-1") for name, value in headers if name == b"host"]
        host = hosts[0] if len(hosts) == 1 else None
        visits = [visit for one in self._sessions.values() if (visit := one.visit(found, host)) is not None]
        if not visits:
            return None
        if not may_change(method, headers, self._trusted):
            raise cross_site()
        signed_in = [(visit, account) for visit in visits if (account := await self._looked_up(visit, address))]
        if len(signed_in) > 1:
            raise not_signed_in("The request carries the cookies of two accounts.")
        if not signed_in:
            raise not_signed_in("Nobody is signed in with this cookie.")
        visit, account = signed_in[0]
        principal = account.principal(self._sources[visit.source], self._per_minute)
        return Recognised(principal, visit=visit)

    async def _looked_up(self, visit: Visit, address: str) -> Account | None:
        sessions = self._sessions[visit.source]
        if sessions.is_known(visit):
            return await sessions.account(visit)
        now, shared_by = time.monotonic(), self._shared_by()
        if wait := self._strangers.wait(address, STRANGERS, shared_by, now):
            raise too_many_strangers(wait)
        account = await sessions.account(visit)
        if account is None:
            self._strangers.take(address, STRANGERS, shared_by, now)
        return account


def bearer(authorization: bytes) -> str | None:
    """The token, where it looks like a signed one (three parts): an API key does not."""
    scheme, _, token = authorization.strip().partition(b" ")
    token = token.strip()
    if scheme.lower() != b"bearer" or token.count(b".") != 2 or not token.isascii():
        return None
    return token.decode()


def _unverified(token: str) -> tuple[Mapping[str, Any], str | None]:
    """The head, and who is said to have issued it: it tells whom to ask, and nothing else is made of it."""
    try:
        head = jwt.get_unverified_header(token)
        claims = jwt.decode(token, options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError, RecursionError):
        return {}, None
    issuer = claims.get("iss")
    return head, issuer if isinstance(issuer, str) else None
