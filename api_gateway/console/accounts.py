"""Who may enter the console: accounts and their password hashes.

A hash is written as `scrypt$n$r$p$salt$key` (RFC 7914; salt and key in base64), so that its cost can be raised later
while old hashes stay readable.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from typing import Any, Literal

import psycopg
from sqlalchemy import Select, select
from sqlalchemy.dialects.postgresql import insert

from api_gateway.errors import UsageError
from shared_models.state import console_account
from shared_models.statements import run

Role = Literal["viewer", "operator"]
MIN_PASSWORD, MAX_PASSWORD = 12, 256
_USERNAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
_N, _R, _P = 2**15, 8, 3  # 32 MiB and about 0.2 s: OWASP's advice for scrypt where memory is shared

_NOBODY = f"scrypt${_N}${_R}${_P}${base64.b64encode(bytes(16)).decode()}${base64.b64encode(bytes(32)).decode()}"


@dataclass(frozen=True, slots=True)
class Account:
    """`seal` changes with the password, so that sessions begun under another password end."""

    username: str
    role: str
    password_hash: str

    @property
    def seal(self) -> str:
        return hashlib.sha256(self.password_hash.encode()).hexdigest()[:16]


def hash_password(password: str) -> str:
    """A salted scrypt hash. Takes about 0.2 s of CPU and 32 MiB: never call it on an event loop."""
    salt = secrets.token_bytes(16)
    key = _scrypt(password, salt, _N, _R, _P)
    return "$".join(("scrypt", str(_N), str(_R), str(_P), _text(salt), _text(key)))


def password_matches(password: str, password_hash: str | None) -> bool:
    """Whether this is the password. Without an account (None) it takes as long, and the answer is no."""
    name, n, r, p, salt, key = (password_hash or _NOBODY).split("$")
    if name != "scrypt":
        return False
    found = _scrypt(password, base64.b64decode(salt), int(n), int(r), int(p))
    return hmac.compare_digest(found, base64.b64decode(key)) and password_hash is not None


def find_account(username: str) -> Select[Any]:
    columns = (console_account.c.username, console_account.c.role, console_account.c.password_hash)
    return select(*columns).where(console_account.c.username == username)


def create_console_account(
    connection: psycopg.Connection[Any], username: str, password: str, role: Role = "viewer"
) -> None:
    """Make the account, or give it a new password and role; the caller commits.

    Raises UsageError when the name or the password cannot be used.
    """
    if not _USERNAME.fullmatch(username):
        raise UsageError("a username is up to 64 letters, digits, '.', '_', '@' and '-', a letter or digit first.")
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise UsageError(f"a password has {MIN_PASSWORD} to {MAX_PASSWORD} characters.")
    values = {"password_hash": hash_password(password), "role": role}
    statement = (
        insert(console_account)
        .values(username=username, **values)
        .on_conflict_do_update(index_elements=[console_account.c.username], set_=values)
    )
    run(connection, statement)


def ensure_console_account(database_url: str, username: str, password: str, role: Role = "operator") -> None:
    """The account exists and has this password afterwards. Sessions go on when it already had."""
    with psycopg.connect(database_url) as connection:
        kept = run(connection, find_account(username))
        account = Account(**kept[0]) if kept else None
        if account is None or account.role != role or not password_matches(password, account.password_hash):
            create_console_account(connection, username, password, role)


def _scrypt(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=n, r=r, p=p, maxmem=256 * n * r, dklen=32)


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()
