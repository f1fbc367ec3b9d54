"""Tokens of an outside issuer: a real one, on a port of its own, that publishes keys and changes them."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from api_gateway.accounts import issuers
from api_gateway.postgres import Server
from tests.support.accounts import Front, Reply, changed, fronted

AUDIENCE = "orders-api"
RSA = {name: rsa.generate_private_key(public_exponent=65537, key_size=2048) for name in ("one", "two")}


class Issuer:
    """Serves its discovery document and its keys; counts how often it is asked for them."""

    def __init__(self) -> None:
        self.keys: list[dict[str, Any]] = []
        self.asked = 0
        self.works = True
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                document: Any = {"issuer": issuer.url, "jwks_uri": f"{issuer.url}/keys"}
                if self.path == "/keys":
                    issuer.asked += 1
                    document = {"keys": issuer.keys}
                body = json.dumps(document).encode()
                self.send_response(200 if issuer.works else 500)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """It says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def publish(self, *names: str, **more: Any) -> None:
        self.keys = [{**_jwk(RSA[name].public_key()), "kid": name, "use": "sig", **more} for name in names]

    def token(self, key: Any = None, kid: str | None = "one", algorithm: str = "RS256", **claims: Any) -> str:
        now = int(time.time())
        told = {"iss": self.url, "aud": AUDIENCE, "sub": "mira", "exp": now + 60, "iat": now, **claims}
        told = {name: value for name, value in told.items() if value is not None}
        secret = None if algorithm == "none" else key or RSA["one"]
        return jwt.encode(told, secret, algorithm, headers={"kid": kid} if kid else None)


def _jwk(key: Any) -> dict[str, Any]:
    algorithm: Any = RSAAlgorithm
    if isinstance(key, ec.EllipticCurvePublicKey):
        algorithm = ECAlgorithm
    elif isinstance(key, ed25519.Ed25519PublicKey):
        algorithm = OKPAlgorithm
    return dict(algorithm.to_jwk(key, as_dict=True))


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    one = Issuer()
    one.publish("one")
    yield one
    one.close()


@pytest.fixture(scope="module")
def shared_url(clone: Callable[[str], str], api_template: str) -> str:
    return clone(api_template)


@pytest.fixture
async def front(server: Server, shared_url: str, tmp_path: Path, issuer: Issuer) -> AsyncIterator[Front]:
    settings = {
        "issuer": issuer.url,
        "audience": AUDIENCE,
        "kind": "staff",
        "values": {"department": "org.department"},
        "scopes": ["items:read"],
        "scope_claim": "roles",
        "scope_map": {"desk": ["orders:read", "customers:read"]},
    }
    async with fronted(server, shared_url, tmp_path, changed(issuers={"corp": settings})) as one:
        yield one


async def test_whom_the_issuer_vouches_for_acts_with_what_its_claims_are_worth(front: Front, issuer: Issuer) -> None:
    token = issuer.token(roles=["desk", "unknown"], org={"department": "sales"})
    me = (await front.with_token(token)).json
    assert (me["kind"], me["code"]) == ("staff", "corp:mira")
    assert me["scopes"] == ["customers:read", "items:read", "orders:read"]
    assert me["values"] == {"id": "mira", "department": "sales"}
    assert (await front.with_token(token, "v1/orders")).status == 200
    assert (await front.with_token(issuer.token(roles="desk other"), "v1/orders")).status == 200
    assert (await front.with_token(issuer.token(), "v1/orders")).code == "forbidden"


async def test_elliptic_keys_sign_too(front: Front, issuer: Issuer) -> None:
    curve, edwards = ec.generate_private_key(ec.SECP256R1()), ed25519.Ed25519PrivateKey.generate()
    issuer.keys = [{**_jwk(curve.public_key()), "kid": "ec"}, {**_jwk(edwards.public_key()), "kid": "ed"}]
    assert (await front.with_token(issuer.token(curve, "ec", "ES256"))).status == 200
    assert (await front.with_token(issuer.token(edwards, "ed", "EdDSA"))).status == 200
    assert (await front.with_token(issuer.token(edwards, "ec", "EdDSA"))).status == 401


async def test_keys_are_rotated_without_a_word_to_us(
    front: Front, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await front.with_token(issuer.token())).status == 200
    issuer.publish("one", "two")
    monkeypatch.setattr(issuers, "AGAIN", 0.0)
    assert (await front.with_token(issuer.token(RSA["two"], "two"))).status == 200
    issuer.publish("two")
    assert (await front.with_token(issuer.token())).status == 200  # believed for some minutes yet
    monkeypatch.setattr(issuers, "REFRESH", 0.0)
    assert (await front.with_token(issuer.token())).status == 401


async def test_unknown_keys_do_not_make_us_ask_the_issuer_again_and_again(front: Front, issuer: Issuer) -> None:
    for n in range(20):
        assert (await front.with_token(issuer.token(kid=f"made up {n}"))).status == 401
    assert issuer.asked == 1


async def test_an_issuer_that_is_away_does_no_harm_while_its_keys_are_known(
    front: Front, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await front.with_token(issuer.token())).status == 200
    issuer.works = False
    monkeypatch.setattr(issuers, "REFRESH", 0.0)
    assert (await front.with_token(issuer.token())).status == 200
    monkeypatch.setattr(issuers, "KEEP", 0.0)
    silent = await front.with_token(issuer.token())
    assert (silent.status, silent.code) == (503, "issuer_silent")


async def test_an_issuer_that_was_never_reached_lets_nobody_in(front: Front, issuer: Issuer) -> None:
    issuer.works = False
    assert (await front.with_token(issuer.token())).code == "issuer_silent"


async def test_a_token_that_is_not_for_here_or_not_the_issuers_is_refused(front: Front, issuer: Issuer) -> None:
    now = int(time.time())
    public = RSA["one"].public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    as_shared_secret = jwt.api_jws.PyJWS()
    as_shared_secret._algorithms["HS256"].prepare_key = lambda key: key  # type: ignore[attr-defined, method-assign]  # it guards against just this
    told = {"iss": issuer.url, "aud": AUDIENCE, "sub": "mira", "exp": now + 60}
    confused = as_shared_secret.encode(json.dumps(told).encode(), pem, "HS256", headers={"kid": "one"})
    refused = {
        "another audience": issuer.token(aud="billing-api"),
        "no audience": issuer.token(aud=None),
        "another issuer": issuer.token(iss="https://other.example"),
        "over": issuer.token(exp=now - 120),
        "without an end": issuer.token(exp=None),
        "not yet": issuer.token(nbf=now + 120),
        "no subject": issuer.token(sub=None),
        "another's key": issuer.token(RSA["two"], "one"),
        "an algorithm that is not listed": issuer.token(algorithm="RS512"),
        "nothing signed it": issuer.token(algorithm="none"),
        "the public key as a shared secret": confused,
        "changed": issuer.token()[:-6] + "AAAAAA",
    }
    for what, token in refused.items():
        answer: Reply = await front.with_token(token)
        assert (answer.status, answer.code) == (401, "unauthenticated"), what
    skewed = issuer.token(exp=now - 10)
    assert (await front.with_token(skewed)).status == 200
    several = issuer.token(aud=["billing-api", AUDIENCE])
    assert (await front.with_token(several)).status == 200


@pytest.mark.parametrize(
    "key",
    [
        {"use": "enc"},
        {"alg": "RS512"},
        {"key_ops": ["encrypt"]},
        {"kty": "oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA"},
        {"kid": "another"},
    ],
    ids=str,
)
async def test_a_key_that_is_not_for_this_is_not_used(front: Front, issuer: Issuer, key: dict[str, Any]) -> None:
    issuer.publish("one", **key)
    assert (await front.with_token(issuer.token())).status == 401
