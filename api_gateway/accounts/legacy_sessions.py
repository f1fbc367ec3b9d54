"""Sessions of the legacy app: whose is the cookie that a request brings? An answer is good for a second, or seconds.

A session is named by a Visit: what the cookies say, from which an answer can be had again while a token lives.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from api_gateway.accounts.asking import Asking
from api_gateway.accounts.directory import Directory
from api_gateway.accounts.django_session import fits_password, signed_in
from api_gateway.accounts.fresh import Fresh
from api_gateway.accounts.rows import Account, session_end, session_query
from api_gateway.identities import Ask, DjangoSession
from shared_models.database import Database

SECONDS = 0.75  # for which Django's tables are not read again; a sign-out counts within a second
_LONGEST = 4096


@dataclass(frozen=True, slots=True)
class Visit:
    """`credential`: Django's session key, or the cookies that legacy is asked with. As secret as those are."""

    source: str
    credential: str
    host: str | None = None

    def as_text(self) -> str:
        return json.dumps([self.source, self.credential, self.host])

    @classmethod
    def from_text(cls, text: str) -> Visit | None:
        try:
            source, credential, host = json.loads(text)
        except ValueError:
            return None
        return cls(source, credential, host)


class AmbiguousCookie(Exception):
    """The same cookie twice, with different values: legacy may believe the other one."""


class Sessions(Protocol):
    """How one app's sessions are read."""

    @property
    def can_end(self) -> bool: ...

    @property
    def cookies(self) -> tuple[str, ...]: ...

    def visit(self, cookies: Mapping[str, str], host: str | None) -> Visit | None: ...

    def is_known(self, visit: Visit) -> bool: ...

    async def account(self, visit: Visit) -> Account | None: ...

    async def end(self, visit: Visit) -> None: ...


class DjangoSessions:
    """Read from Django's table. `secrets`: the app's SECRET_KEY, and those that it fell back on."""

    can_end = True

    def __init__(
        self, source: str, settings: DjangoSession, secrets: Sequence[str], directory: Directory, database: Database
    ) -> None:
        self.cookies = (settings.cookie,)
        self._source, self._settings, self._secrets = source, settings, secrets
        self._directory, self._database = directory, database
        self._fresh: Fresh[Account | None] = Fresh(SECONDS)

    def visit(self, cookies: Mapping[str, str], host: str | None) -> Visit | None:
        key = cookies.get(self._settings.cookie, "").strip('"')
        return Visit(self._source, key) if 8 <= len(key) <= 128 and key.isalnum() and key.isascii() else None

    def is_known(self, visit: Visit) -> bool:
        return self._fresh.known(visit.credential) is not None

    async def account(self, visit: Visit) -> Account | None:
        return await self._fresh.get(visit.credential, lambda: self._read(visit.credential))

    async def end(self, visit: Visit) -> None:
        """As Django's own sign-out: the row goes."""
        async with self._database.write() as tx:
            await tx.execute(session_end(self._settings, visit.credential))
        self._fresh.forget(visit.credential)

    async def _read(self, key: str) -> Account | None:
        async with self._database.read() as tx:
            data = await tx.value(session_query(self._settings, key))
            user = signed_in(data, self._secrets) if isinstance(data, str) else None
            account = await self._directory.by_id_in(tx, self._source, user.user_id) if user is not None else None
        if user is None or account is None or not account.is_active or account.password is None:
            return None
        return account if fits_password(user.auth_hash, account.password, self._secrets) else None


class AskedSessions:
    """Told by the app itself."""

    can_end = False

    def __init__(self, source: str, settings: Ask, legacy_url: str, directory: Directory) -> None:
        self.cookies = settings.cookies
        self._source, self._settings, self._directory = source, settings, directory
        self._asking = Asking(source, settings, legacy_url)
        self._fresh: Fresh[Account | None] = Fresh(settings.seconds)

    def visit(self, cookies: Mapping[str, str], host: str | None) -> Visit | None:
        """Only the cookies that are named are passed on."""
        mine = "; ".join(f"{name}={cookies[name]}" for name in self.cookies if name in cookies)
        return Visit(self._source, mine, host) if 0 < len(mine) <= _LONGEST else None

    def is_known(self, visit: Visit) -> bool:
        return self._fresh.known(visit.as_text()) is not None

    async def account(self, visit: Visit) -> Account | None:
        return await self._fresh.get(visit.as_text(), lambda: self._ask(visit))

    async def end(self, visit: Visit) -> None:
        self._fresh.forget(visit.as_text())

    async def _ask(self, visit: Visit) -> Account | None:
        name = await self._asking.who(visit.credential, visit.host)
        if name is None:
            return None
        find = self._directory.by_username if self._settings.matches == "username" else self._directory.by_id
        account = await find(self._source, name)
        return account if account is not None and account.is_active else None


def cookies_of(headers: Sequence[bytes], wanted: frozenset[str]) -> dict[str, str]:
    """The cookies of these names (RFC 6265), values as they are. Raises AmbiguousCookie."""
    found: dict[str, str] = {}
    for header in headers:
        for pair in header.decode("latin-1").split(";"):
            name, separator, value = pair.partition("=")
            name, value = name.strip(), value.strip()
            if not separator or name not in wanted:
                continue
            if found.setdefault(name, value) != value:
                raise AmbiguousCookie
    return found
