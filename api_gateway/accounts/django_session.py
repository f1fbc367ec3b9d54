"""What Django has written into a session, read without Django and without the app's code. Pure.

Since Django 3.1: `signing.dumps` of a JSON object, under the app's SECRET_KEY and the session store's salt. Before:
base64 of a SHA-1 HMAC, a colon and the JSON. Pickled sessions are not read: whoever may write them may run code.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from itsdangerous import BadSignature, Signer

_SALT = "django.contrib.sessions.SessionStore"
_OLD_SALT = b"django.contrib.sessionsSessionStore"
_HASH_SALT = b"django.contrib.auth.models.AbstractBaseUser.get_session_auth_hash"
_LARGEST = 1024 * 1024


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who a session says is signed in. `auth_hash` ties it to the password of that day."""

    user_id: str
    auth_hash: str


def signed_in(data: str, secrets: Sequence[str]) -> SignedIn | None:
    """None: nobody, or none of the secrets has signed it. `secrets`: the newest SECRET_KEY first."""
    for secret in secrets:
        session = _current(data, secret) if ":" in data else _before_3_1(data, secret)
        if session is not None:
            user, auth_hash = session.get("_auth_user_id"), session.get("_auth_user_hash")
            return SignedIn(str(user), auth_hash) if user is not None and isinstance(auth_hash, str) else None
    return None


def fits_password(auth_hash: str, password_hash: str, secrets: Sequence[str]) -> bool:
    """Whether the session began under this password: Django's own way of ending sessions when a password changes."""
    digest = "sha1" if len(auth_hash) == hashlib.sha1(usedforsecurity=False).digest_size * 2 else "sha256"
    expected = [_salted(_HASH_SALT, password_hash.encode(), secret, digest) for secret in secrets]
    return sum(hmac.compare_digest(one.hex(), auth_hash) for one in expected) > 0  # each of them is compared


def _current(data: str, secret: str) -> Mapping[str, Any] | None:
    signer = Signer(
        secret, salt=_SALT, sep=":", key_derivation="django-concat", digest_method=staticmethod(hashlib.sha256)
    )
    try:
        signed = signer.unsign(data).decode()
    except (BadSignature, UnicodeError):
        return None
    packed, _, _ = signed.rpartition(":")  # the time of signing; the table says when it expires
    is_compressed, packed = packed.startswith("."), packed.removeprefix(".")
    try:
        raw = base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4))
        return _json(_inflated(raw) if is_compressed else raw)
    except (binascii.Error, zlib.error, ValueError):
        return None


def _before_3_1(data: str, secret: str) -> Mapping[str, Any] | None:
    try:
        signature, separator, raw = base64.b64decode(data, validate=True).partition(b":")
    except (binascii.Error, ValueError):
        return None
    expected = _salted(_OLD_SALT, raw, secret, "sha1").hex().encode()
    return _json(raw) if separator and hmac.compare_digest(expected, signature) else None


def _salted(salt: bytes, value: bytes, secret: str, digest: str) -> bytes:
    key = hashlib.new(digest, salt + secret.encode(), usedforsecurity=False).digest()
    return hmac.digest(key, value, digest)


def _inflated(raw: bytes) -> bytes:
    reader = zlib.decompressobj()
    found = reader.decompress(raw, _LARGEST)
    if reader.unconsumed_tail:
        raise ValueError("too large")
    return found


def _json(raw: bytes) -> Mapping[str, Any] | None:
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
