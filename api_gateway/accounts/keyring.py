"""The secrets that our own tokens rest on, the newest first: the first signs, all of them are believed.

To change one, put the new one in front; take the old one away when the last token that it signed has run out.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from api_gateway.errors import UsageError

LEAST = 32  # characters of a secret


@dataclass(frozen=True)
class Key:
    """One secret, and what is made of it: never the secret itself, for each purpose another."""

    secret: str

    @cached_property
    def id(self) -> str:
        """Names the key in a token's head (`kid`), and tells nothing of it."""
        return self._derived("id").hex()[:12]

    @cached_property
    def signing(self) -> bytes:
        return self._derived("sign")

    @cached_property
    def sealing(self) -> Fernet:
        return Fernet(base64.urlsafe_b64encode(self._derived("seal")))

    def successor(self, token: str, salt: bytes) -> str:
        """The refresh token that follows this one: whoever asks twice is given the same."""
        made = hmac.digest(self._derived("refresh"), salt + token.encode(), "sha256")
        return base64.urlsafe_b64encode(made).decode().rstrip("=")

    def _derived(self, purpose: str) -> bytes:
        return hmac.digest(self.secret.encode(), f"banyan tokens {purpose}".encode(), hashlib.sha256)


class Keyring:
    """Raises UsageError for a secret that can be guessed."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self.keys = tuple(Key(secret) for secret in secrets)
        if not self.keys or any(len(key.secret) < LEAST for key in self.keys):
            raise UsageError(f"BANYAN_TOKEN_SECRETS: each secret has at least {LEAST} characters.")
        self._by_id = {key.id: key for key in self.keys}
        self._fernet = MultiFernet([key.sealing for key in self.keys])

    @classmethod
    def of(cls, listed: str | None, session_secret: str) -> Keyring:
        """`listed`: separated by commas; None: one that is made of the session secret, as long as that one lives."""
        if listed is not None:
            return cls(part.strip() for part in listed.split(",") if part.strip())
        return cls([hmac.digest(session_secret.encode(), b"banyan token secret", "sha256").hex()])

    @property
    def first(self) -> Key:
        return self.keys[0]

    def find(self, key_id: object) -> Key | None:
        return self._by_id.get(key_id) if isinstance(key_id, str) else None

    def seal(self, text: str) -> str:
        return self._fernet.encrypt(text.encode()).decode()

    def unseal(self, sealed: str) -> str | None:
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except (InvalidToken, UnicodeError):
            return None
