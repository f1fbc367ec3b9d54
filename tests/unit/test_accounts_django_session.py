"""Sessions as Django itself writes them, read without it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import pickle
from typing import Any

import pytest
from django.conf import settings
from django.core import signing
from django.utils.crypto import salted_hmac

from api_gateway.accounts.django_session import SignedIn, fits_password, signed_in

if not settings.configured:
    settings.configure()

SECRET, OTHER = "of the app", "of another app"
SALT = "django.contrib.sessions.SessionStore"
SESSION = {"_auth_user_id": "17", "_auth_user_backend": "b", "_auth_user_hash": "ab" * 32, "cart": ["é", 1]}


def written(session: Any, secret: str = SECRET, **more: Any) -> str:
    return signing.dumps(session, key=secret, salt=SALT, **more)


@pytest.mark.parametrize("compress", [True, False])
def test_who_is_signed_in_is_read(compress: bool) -> None:
    session = {**SESSION, "padding": "x" * 500}
    assert signed_in(written(session, compress=compress), [SECRET]) == SignedIn("17", "ab" * 32)


def test_an_older_secret_is_fallen_back_on_and_a_strangers_is_not() -> None:
    assert signed_in(written(SESSION, OTHER), [SECRET, OTHER]) is not None
    assert signed_in(written(SESSION, OTHER), [SECRET]) is None


def test_what_django_wrote_before_3_1_is_read() -> None:
    raw = json.dumps(SESSION).encode()
    key = hashlib.sha1(b"django.contrib.sessionsSessionStore" + SECRET.encode()).digest()
    signature = hmac.new(key, raw, "sha1").hexdigest().encode()
    assert signed_in(base64.b64encode(signature + b":" + raw).decode(), [SECRET]) == SignedIn("17", "ab" * 32)
    assert signed_in(base64.b64encode(signature + b":" + raw + b" ").decode(), [SECRET]) is None


NOBODY = [
    "", ":", "::", "a:b:c", "é:b:c", "A" * 100, written({}), written([1]), written({"_auth_user_id": "17"}),
    written(SESSION)[:-2], written(SESSION).replace(":", ".", 1), written(SESSION, SECRET + "x"),
    signing.dumps(SESSION, key=SECRET, salt="django.core.signing"),
]  # fmt: skip


@pytest.mark.parametrize("data", NOBODY, ids=map(str, range(len(NOBODY))))
def test_everything_else_is_nobody(data: str) -> None:
    assert signed_in(data, [SECRET]) is None


def test_a_pickled_session_is_not_opened() -> None:
    class Bomb:
        def __reduce__(self) -> tuple[Any, ...]:
            return pytest.fail, ("it was opened",)

    class Pickled:
        def dumps(self, obj: Any) -> bytes:
            return pickle.dumps(obj)

    assert signed_in(written(Bomb(), serializer=Pickled), [SECRET]) is None


def test_a_session_that_bursts_when_it_is_inflated_is_nobody() -> None:
    assert signed_in(written({**SESSION, "x": "a" * 5_000_000}, compress=True), [SECRET]) is None


@pytest.mark.parametrize("algorithm", ["sha256", "sha1"])
def test_the_tie_to_the_password_is_djangos(algorithm: str) -> None:
    salt = "django.contrib.auth.models.AbstractBaseUser.get_session_auth_hash"
    tie = salted_hmac(salt, "pbkdf2$…", secret=SECRET, algorithm=algorithm).hexdigest()
    assert fits_password(tie, "pbkdf2$…", [SECRET])
    assert fits_password(tie, "pbkdf2$…", [OTHER, SECRET])
    assert not fits_password(tie, "another", [SECRET])
    assert not fits_password(tie, "pbkdf2$…", [OTHER])
    assert not fits_password("", "pbkdf2$…", [SECRET])
