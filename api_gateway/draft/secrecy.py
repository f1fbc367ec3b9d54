"""What looks like a secret, by its name, its type and the first values: never drafted into a contract."""

from __future__ import annotations

import re
from functools import cache

from api_gateway.draft.words import words
from shared_models.snapshot import Column, Table

_WORDS = frozenset(
    [
        "bearer",
        "contrasena",
        "cookie",
        "cookies",
        "credential",
        "credentials",
        "cvc",
        "cvv",
        "hash",
        "hashes",
        "jwt",
        "kennwort",
        "mfa",
        "nonce",
        "otp",
        "pass",
        "passcode",
        "passphrase",
        "passwd",
        "passwds",
        "password",
        "passwords",
        "pin",
        "pins",
        "psk",
        "pwd",
        "pw",
        "salt",
        "salts",
        "secret",
        "secrets",
        "senha",
        "session",
        "sessions",
        "tok",
        "token",
        "tokens",
        "totp",
        "wachtwoord",
    ]
)
_PARTS = re.compile(
    r"pass?w(?:or|d)|passphrase|pwd|secret(?!ar)|token(?!i[sz])|credential|sessionid|sessid|mot_?de_?passe|"
    r"(?:access|api|auth|crypto?|dkim|encryption|gpg|license|master|pgp|priv|private|recovery|session|signing|ssh|tsig)keys?|"
    r"(?:pw|pass|md5|sha\d*)_?hash|hash(?:ed)?_?(?:pw|pass)"
)
_KEY_MATERIAL = frozenset(
    [
        "access",
        "activation",
        "aes",
        "api",
        "app",
        "auth",
        "authentication",
        "client",
        "confirmation",
        "cookie",
        "crypt",
        "crypto",
        "deploy",
        "dkim",
        "encryption",
        "gpg",
        "hmac",
        "host",
        "invite",
        "license",
        "login",
        "master",
        "pgp",
        "private",
        "psk",
        "recovery",
        "registration",
        "reset",
        "rsa",
        "secret",
        "server",
        "shared",
        "signing",
        "ssh",
        "ssl",
        "tls",
        "tsig",
        "verification",
        "webhook",
        "wep",
        "wpa",
        "wrapping",
    ]
)
_TEXTUAL = frozenset({"text", "varchar", "bpchar", "bytea", "json", "jsonb", "citext", "name", "uuid", "hstore", "xml"})
_OPAQUE = frozenset(
    [
        "blob",
        "body",
        "code",
        "content",
        "contents",
        "data",
        "digest",
        "identifier",
        "id",
        "key",
        "payload",
        "value",
        "values",
        "vars",
    ]
)
_INTEGERS = frozenset({"int2", "int4", "int8"})

_VALUES = re.compile(
    r"\$2[abxy]\$\d\d\$|\$argon2|\$[156y]\$|pbkdf2_|scrypt:|\{S?SHA|-----BEGIN [A-Z ]*PRIVATE KEY|eyJ[\w-]+\.eyJ|"
    r"(?:AKIA|ghp_|xox[bp]-|sk_live_)\w{8}"
)


def secrecy(table: Table, column: Column) -> str | None:
    """Why this column is left out, or None. A numeric identity (`session_id` as key) is a name, no secret."""
    if column.type.name in _INTEGERS and _is_in_a_key(table, column.name):
        return None
    return _secrecy(table.name, column.name, column.type.name)


@cache  # it is asked when tables are chosen, when rows are read and when fields are drafted
def _secrecy(table: str, column: str, kind: str) -> str | None:
    parts = words(column)
    joined = "_".join(parts)
    if _WORDS & set(parts) or _PARTS.search(joined) or _PARTS.search(joined.replace("_", "")):
        return "its name looks like a secret"
    if kind not in _TEXTUAL:
        return None
    if "oauth" in parts:
        return "its name looks like a secret"
    if parts and parts[-1] in ("key", "keys") and (_KEY_MATERIAL & set(parts[:-1]) or kind == "bytea"):
        return "its name looks like key material"
    if _holds_secrets(table) and set(parts) & _OPAQUE:
        return "its table's name looks like one of secrets"
    return None


def is_secret_value(value: str) -> bool:
    """Is this one value the hash of a password, a private key, a signed token?"""
    return _VALUES.match(value) is not None


def _holds_secrets(table: str) -> bool:
    parts = words(table)
    return bool(_WORDS & set(parts) or _PARTS.search("_".join(parts)))


def _is_in_a_key(table: Table, name: str) -> bool:
    return name in table.primary_key or any(name in key.columns for key in table.foreign_keys)
