"""Password hashes as Django 5.2 makes them, so that the legacy panel's own code knows them."""

from __future__ import annotations

import base64
import hashlib
import secrets
import string

from api_gateway.api.threads import in_a_thread

ITERATIONS = 1_000_000
SALT = 22  # letters and digits, 128 bits


async def hash_password(password: str) -> str:
    """`pbkdf2_sha256$…`, made in a thread: half a second of CPU."""
    salt = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(SALT))
    return await in_a_thread(_hashed, password, salt)


def _hashed(password: str, salt: str) -> str:
    key = hashlib.pbkdf2_hmac("sha256", password.encode(), salt.encode(), ITERATIONS)
    return f"pbkdf2_sha256${ITERATIONS}${salt}${base64.b64encode(key).decode()}"
