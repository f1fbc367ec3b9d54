"""Access tokens: signed, short, and enough by themselves to know who acts (RFC 9068, with a secret of our own).

A token names its sign-in (`sid`), so that ending that ends every copy. What it carries of a legacy session is sealed:
whoever reads the token learns nothing that the legacy app would take.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import jwt

from api_gateway.accounts.keyring import Keyring

ALGORITHM, TYPE = "HS256", "at+jwt"
LEEWAY = 5  # seconds that gateways' clocks may be apart
_NEEDED = ["iss", "aud", "sub", "sid", "iat", "exp"]


@dataclass(frozen=True, slots=True)
class Access:
    """What an access token says. `legacy`: the sealed session of the legacy app that it was born of, and ends with."""

    sign_in: str
    source: str
    account: str
    username: str
    scopes: frozenset[str]
    values: Mapping[str, str] = field(default_factory=dict)
    legacy: str | None = field(default=None, repr=False)


class AccessTokens:
    """`issuer`: this installation; a token of another one is worth nothing, even under the same secret."""

    def __init__(self, keys: Keyring, issuer: str, seconds: int) -> None:
        self._keys, self.issuer, self.seconds = keys, issuer, seconds

    def issue(self, access: Access) -> str:
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "aud": self.issuer,
            "sub": f"{access.source}:{access.account}",
            "sid": access.sign_in,
            "iat": now,
            "exp": now + self.seconds,
            "scope": " ".join(sorted(access.scopes)),
            "src": access.source,
            "acc": access.account,
            "usr": access.username,
            "val": dict(access.values),
        }
        if access.legacy is not None:
            claims["leg"] = access.legacy
        key = self._keys.first
        return jwt.encode(claims, key.signing, ALGORITHM, headers={"kid": key.id, "typ": TYPE})

    def read(self, token: str, head: Mapping[str, Any]) -> Access | None:
        """None for a token that is not ours, not good or too old. `head`: its unverified head."""
        key = self._keys.find(head.get("kid"))
        if key is None or head.get("typ") != TYPE:
            return None
        try:
            claims = jwt.decode(
                token,
                key.signing,
                [ALGORITHM],
                {"require": _NEEDED, "strict_aud": True},
                audience=self.issuer,
                issuer=self.issuer,
                leeway=LEEWAY,
            )
            return Access(
                str(claims["sid"]),
                str(claims["src"]),
                str(claims["acc"]),
                str(claims["usr"]),
                frozenset(str(claims["scope"]).split()),
                dict(claims["val"]),
                claims.get("leg"),
            )
        except (jwt.PyJWTError, KeyError, TypeError, ValueError):
            return None
