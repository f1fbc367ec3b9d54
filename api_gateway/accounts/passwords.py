"""Password hashes of legacy apps, verified off the event loop, a few at a time.

Read are Django's formats (PBKDF2, Argon2, bcrypt, scrypt, the old salted digests), bcrypt as PHP and others write it,
Argon2, scrypt and PBKDF2 in their standard spellings, phpass (`$P$`, `$H$`), what WordPress writes today (`$wp$`), and
crypt's SHA-2. Nothing is hashed here for keeping: passwords stay the legacy app's.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING, Any

from api_gateway.accounts.refusals import busy

if TYPE_CHECKING:
    from passlib.context import CryptContext

SCHEMES = (
    "django_pbkdf2_sha256",
    "django_pbkdf2_sha1",
    "django_argon2",
    "django_bcrypt_sha256",
    "django_bcrypt",
    "django_salted_sha1",
    "django_salted_md5",
    "argon2",
    "bcrypt",
    "bcrypt_sha256",
    "scrypt",
    "pbkdf2_sha256",
    "pbkdf2_sha512",
    "phpass",
    "sha512_crypt",
    "sha256_crypt",
)
LONGEST = 1024  # characters of a password
AT_ONCE, WAITING = 2, 16
_BCRYPT_BYTES = 72
_MOST_MEMORY = 512 * 1024 * 1024

NOBODYS = "pbkdf2_sha256$1000000$bm9ib2R5YXRhbGw$" + base64.b64encode(bytes(32)).decode()
"""A hash that no password has, as dear as a current one: checked where there is no account to check."""


def matches(password: str, stored: str) -> bool:
    """Whether this is the password. False for a hash that cannot be read: unusable, or of a format that is not listed.

    Takes up to a second of CPU, and the memory that the hash asks for: never call it on an event loop.
    """
    if len(password) > LONGEST or "\0" in password:
        return False
    try:
        if stored.startswith("scrypt$"):
            return _django_scrypt(password, stored)
        if stored.startswith("$wp$"):
            secret = hmac.digest(b"wp-sha384", password.strip().encode(), "sha384")
            return bool(_context().verify(base64.b64encode(secret), stored.removeprefix("$wp")))
        scheme = _context().identify(stored)
        if scheme is None:
            return False
        given: str | bytes = password
        if scheme in ("bcrypt", "django_bcrypt"):  # as bcrypt itself has always read them
            given = password.encode()[:_BCRYPT_BYTES]
        return bool(_context().verify(given, stored))
    except (ValueError, TypeError, LookupError, MemoryError):
        return False


def is_readable(stored: str) -> bool:
    """Whether a hash is of a format that is read here at all."""
    return stored.startswith(("scrypt$", "$wp$")) or _context().identify(stored) is not None


class Verifier:
    """Verifies a few passwords at a time, in threads: hashing releases the interpreter's lock."""

    def __init__(self, at_once: int = AT_ONCE, waiting: int = WAITING) -> None:
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="banyan-password")
        self._most, self._now = at_once + waiting, 0

    async def matches(self, password: str, stored: str) -> bool:
        """Raises Problem 503 at once when too many are waiting already."""
        if self._now >= self._most:
            raise busy()
        self._now += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, matches, password, stored)
        finally:
            self._now -= 1

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


@cache
def _context() -> CryptContext:
    """Imported when the first password comes: most processes never see one."""
    from passlib.context import CryptContext

    return CryptContext(list(SCHEMES))


def _django_scrypt(password: str, stored: str) -> bool:
    """`scrypt$N$salt$r$p$key`, the one spelling of Django's that the library does not know."""
    _, n, salt, r, p, key = stored.split("$")
    cost: dict[str, Any] = {"n": int(n), "r": int(r), "p": int(p)}
    memory = 128 * cost["r"] * (cost["n"] + cost["p"] + 2)
    if memory > _MOST_MEMORY:
        return False
    found = hashlib.scrypt(password.encode(), salt=salt.encode(), maxmem=2 * memory, dklen=64, **cost)
    return hmac.compare_digest(found, base64.b64decode(key))
