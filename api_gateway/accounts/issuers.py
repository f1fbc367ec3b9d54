"""Tokens of an outside issuer, verified with the keys that it publishes (OpenID Connect, RFC 7517, RFC 8725).

The algorithm must be on our list and fit the key; a key that could be a shared secret is never used. Keys are fetched
again every few minutes, so one that was withdrawn is not believed for longer, and once in between when a token names
one that is not known.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx2
import jwt

from api_gateway import events
from api_gateway.accounts.refusals import issuer_silent
from api_gateway.consumers import Principal
from api_gateway.identities import LOOPBACK, Issuer
from api_gateway.logging import report

REFRESH, KEEP, AGAIN = 300.0, 24 * 3600.0, 10.0
"""Seconds after which keys are fetched again; for which they are used while the issuer is away; between attempts."""
TIMEOUT = 3.0
_LARGEST = 256 * 1024
_MOST_KEYS = 50
_FITS = {
    "RSA": ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    "EC P-256": ("ES256",),
    "EC P-384": ("ES384",),
    "EC P-521": ("ES512",),
    "OKP Ed25519": ("EdDSA",),
    "OKP Ed448": ("EdDSA",),
}

Jwk = Mapping[str, Any]
Fetch = Callable[[str], Awaitable[Any]]


class Keys:
    """An issuer's keys, as far as they may sign."""

    def __init__(self, name: str, settings: Issuer, fetch: Fetch, clock: Callable[[], float] = time.monotonic) -> None:
        self._name, self._settings, self._fetch, self._clock = name, settings, fetch, clock
        self._keys: tuple[Jwk, ...] = ()
        self._fetched: float | None = None
        self._tried: float | None = None
        self._turn = asyncio.Lock()

    async def find(self, key_id: object, algorithm: str) -> Jwk | None:
        """The key that may have signed this. None: there is none. Raises Problem 503 when no keys can be had."""
        if self._fetched is None or self._clock() - self._fetched > REFRESH:
            await self._renew(self._fetched)
        found = self._known(key_id, algorithm)
        if found is None and self._may_try():
            await self._renew(self._fetched)
            found = self._known(key_id, algorithm)
        if self._fetched is None or self._clock() - self._fetched > KEEP:
            raise issuer_silent()
        return found

    def _known(self, key_id: object, algorithm: str) -> Jwk | None:
        fitting = [key for key in self._keys if algorithm in _algorithms(key)]
        if key_id is None:  # it may be left out where there is one key
            return fitting[0] if len(fitting) == 1 else None
        return next((key for key in fitting if key.get("kid") == key_id), None)

    def _may_try(self) -> bool:
        return self._tried is None or self._clock() - self._tried >= AGAIN

    async def _renew(self, seen: float | None) -> None:
        """Fetch them, unless somebody did since they were `seen`. What fails leaves those that are known."""
        async with self._turn:
            if self._fetched != seen or not self._may_try():
                return
            self._tried = self._clock()
            try:
                document = await self._fetch(self._settings.jwks_url or await self._discovered())
                listed = document["keys"][:_MOST_KEYS]
                keys = tuple(key for key in listed if isinstance(key, dict) and _algorithms(key))
            except (httpx2.HTTPError, OSError, TimeoutError, ValueError, LookupError, TypeError) as error:
                report(events.IssuerNotReached(self._name, type(error).__name__))
                return
            self._keys, self._fetched = keys, self._tried

    async def _discovered(self) -> str:
        """Raises ValueError where the document is another issuer's, or names keys that are not had privately."""
        document = await self._fetch(self._settings.issuer.rstrip("/") + "/.well-known/openid-configuration")
        url = urlsplit(document["jwks_uri"])
        is_private = url.scheme == "https" or (url.scheme == "http" and url.hostname in LOOPBACK)
        if document["issuer"] != self._settings.issuer or not is_private:
            raise ValueError("not the issuer's own")
        return str(document["jwks_uri"])


class OutsideIssuer:
    """One issuer of banyan.toml: from a token to a principal."""

    def __init__(self, name: str, settings: Issuer, per_minute: int | None, *, fetch: Fetch | None = None) -> None:
        self.name, self.settings, self._per_minute = name, settings, per_minute
        self._keys = Keys(name, settings, fetch or fetched)

    async def principal(self, token: str, head: Mapping[str, Any]) -> Principal | None:
        """None for a token that is not good. `head`: its unverified head. Raises Problem 503."""
        algorithm = head.get("alg")
        if not isinstance(algorithm, str) or algorithm not in self.settings.algorithms or "crit" in head:
            return None
        key = await self._keys.find(head.get("kid"), algorithm)
        if key is None:
            return None
        try:
            claims = jwt.decode(
                token,
                jwt.PyJWK(dict(key), algorithm).key,
                [algorithm],
                {"require": ["exp", "iss", "aud"]},
                audience=self.settings.audience,
                issuer=self.settings.issuer,
                leeway=self.settings.leeway,
            )
        except (jwt.PyJWTError, ValueError, TypeError):
            return None
        return self._principal(claims)

    def _principal(self, claims: Mapping[str, Any]) -> Principal | None:
        subject = _text(_claim(claims, self.settings.claim))
        if not subject:
            return None
        values = {name: _text(_claim(claims, claim)) for name, claim in self.settings.values.items()}
        held = _claim(claims, self.settings.scope_claim)
        words = held.split() if isinstance(held, str) else held if isinstance(held, list) else []
        more = (scope for word in words if isinstance(word, str) for scope in self.settings.scope_map.get(word, ()))
        return Principal(
            self.settings.kind,
            f"{self.name}:{subject}",
            frozenset((*self.settings.scopes, *more)),
            {"id": subject, **{name: value for name, value in values.items() if value}},
            self._per_minute,
        )


async def fetched(url: str) -> Any:
    """The JSON document at `url`. Raises httpx2.HTTPError, TimeoutError, OSError, ValueError."""
    async with asyncio.timeout(TIMEOUT):
        async with httpx2.AsyncClient(trust_env=False, follow_redirects=False) as client:
            async with client.stream("GET", url, headers={"accept": "application/json"}) as answer:
                if answer.status_code != 200:
                    raise ValueError("no document")
                body = b""
                async for piece in answer.aiter_bytes():
                    body += piece
                    if len(body) > _LARGEST:
                        raise ValueError("too large")
    return json.loads(body)


def _algorithms(key: Jwk) -> tuple[str, ...]:
    """What a published key may have signed with; nothing for one of another use, or a kind that is not public."""
    kind = key.get("kty")
    fits = _FITS.get(str(kind) if kind == "RSA" else f"{kind} {key.get('crv')}", ())
    operations = key.get("key_ops")
    if key.get("use", "sig") != "sig" or (isinstance(operations, list) and "verify" not in operations):
        return ()
    return tuple(name for name in fits if key.get("alg", name) == name)


def _claim(claims: Mapping[str, Any], path: str) -> Any:
    """A claim by its name, or by a path into it: `realm_access.roles`."""
    if path in claims:
        return claims[path]
    found: Any = claims
    for step in path.split("."):
        found = found.get(step) if isinstance(found, dict) else None
    return found


def _text(value: Any) -> str:
    is_plain = isinstance(value, (str, int)) and not isinstance(value, bool)
    return str(value) if is_plain and "\0" not in str(value) else ""
