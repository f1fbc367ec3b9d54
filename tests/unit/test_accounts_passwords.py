"""Password hashes as legacy apps have written them."""

from __future__ import annotations

import asyncio
import hashlib
from base64 import b64encode

import pytest
from django.conf import settings
from django.contrib.auth import hashers

from api_gateway.accounts import passwords
from api_gateway.accounts.passwords import NOBODYS, Verifier, is_readable, matches
from api_gateway.errors import Problem

if not settings.configured:
    settings.configure()

PASSWORD = "sécret phrase"
PHP = "$2y$10$.vGA1O9wmRjrwAVXD98HNOgsNpDczlqm3Jq7KnEd1rVAGv3Fykk1a"
ARGON2 = "$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$iekCn0Y3spW+sCcFanM2xBT63UP2sghkUoHLIUpWRS8"


class Scrypt(hashers.ScryptPasswordHasher):
    work_factor = 2**6


class Argon2(hashers.Argon2PasswordHasher):
    time_cost, memory_cost, parallelism = 1, 64, 1


class Bcrypt(hashers.BCryptSHA256PasswordHasher):
    rounds = 4


class PlainBcrypt(hashers.BCryptPasswordHasher):
    rounds = 4


class Seldom(hashers.PBKDF2PasswordHasher):
    iterations = 7


class Sha1(hashers.PBKDF2SHA1PasswordHasher):
    iterations = 3


@pytest.mark.parametrize(
    "hasher", [Seldom, Sha1, Argon2, Bcrypt, PlainBcrypt, Scrypt, hashers.MD5PasswordHasher], ids=lambda h: h.__name__
)
def test_what_django_writes_is_read(hasher: type[hashers.BasePasswordHasher]) -> None:
    stored = hasher().encode(PASSWORD, hasher().salt())
    assert is_readable(stored)
    assert matches(PASSWORD, stored)
    assert not matches(PASSWORD + " ", stored)
    assert not matches("", stored)


@pytest.mark.parametrize(
    ("password", "stored"),
    [
        pytest.param("test12345", "$P$9IQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0", id="phpass"),
        pytest.param("test12345", "$H$9IQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0", id="phpBB's phpass"),
        pytest.param("rasmuslerdorf", "$2y$10$.vGA1O9wmRjrwAVXD98HNOgsNpDczlqm3Jq7KnEd1rVAGv3Fykk1a", id="PHP bcrypt"),
        pytest.param(
            "password",
            "$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$iekCn0Y3spW+sCcFanM2xBT63UP2sghkUoHLIUpWRS8",
            id="argon2",
        ),
        pytest.param(
            "Hello world!",
            "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1",
            id="SHA-512 crypt",
        ),
    ],
)
def test_what_others_write_is_read(password: str, stored: str) -> None:
    assert matches(password, stored)
    assert not matches(password + "x", stored)


def test_what_wordpress_writes_today_is_read() -> None:
    import hmac

    import bcrypt

    secret = b64encode(hmac.digest(b"wp-sha384", PASSWORD.encode(), "sha384"))
    stored = "$wp" + bcrypt.hashpw(secret, bcrypt.gensalt(4)).decode()
    assert matches(f" {PASSWORD}\n", stored)
    assert not matches("another", stored)


def test_bcrypt_reads_as_much_of_a_password_as_it_always_did() -> None:
    stored = PlainBcrypt().encode("x" * 72, PlainBcrypt().salt())
    assert matches("x" * 100, stored)


@pytest.mark.parametrize(
    "stored",
    [
        "", "!unusable", "!", "plain text", "pbkdf2_sha256$x$y$z", "pbkdf2_sha256$1$s", "$2y$10$short", "$P$", "md5$a",
        "scrypt$16384$s", "scrypt$x$s$8$1$aa", "scrypt$1073741824$salt$8$1$aaaa", "argon2$", "$wp$", "$wp$2y$10$x",
        "$argon2id$v=19$m=4194304000,t=1,p=1$c29tZXNhbHQ$aaaa", "sha1$$",
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_no_password(stored: str) -> None:
    assert not matches(PASSWORD, stored)
    assert not matches("", stored)


def test_nobodys_hash_costs_what_a_current_one_does_and_has_no_password() -> None:
    assert is_readable(NOBODYS)
    assert NOBODYS.startswith(f"pbkdf2_sha256${hashers.PBKDF2PasswordHasher.iterations}$")
    assert len(hashlib.sha256().digest()) == 32


def test_what_is_too_long_or_has_a_nul_is_not_hashed() -> None:
    stored = Seldom().encode("x" * 2000, "salt")
    assert not matches("x" * 2000, stored)
    assert not matches("a\0b", Seldom().encode("a\0b", "salt"))


async def test_a_few_are_verified_at_once_and_the_rest_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    go, inside = threading.Event(), []

    def slow(password: str, stored: str) -> bool:
        inside.append(password)
        assert go.wait(30)
        return True

    monkeypatch.setattr(passwords, "matches", slow)
    verifier = Verifier(at_once=2, waiting=1)
    tasks = [asyncio.ensure_future(verifier.matches(str(n), "")) for n in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(Problem) as refused:
        await verifier.matches("one too many", "")
    assert (refused.value.status, refused.value.code) == (503, "sign_in_busy")
    assert len(inside) <= 2
    go.set()
    assert await asyncio.gather(*tasks) == [True] * 3
    assert await verifier.matches("later", "")
    verifier.close()
