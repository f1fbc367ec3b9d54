"""Who is calling: every way in which a legacy protocol names its partner, and every way to be two at once."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api_gateway.consumers import (
    Consumer,
    Credential,
    CredentialKind,
    Identification,
    Register,
    identify,
    names_consumer_in_body,
    secret_hash,
)
from api_gateway.routes import (
    BasicAuth,
    ClientCertificate,
    FormToken,
    HeaderToken,
    PathToken,
    QueryToken,
    Recognition,
    Route,
)


def known(kind: CredentialKind, secret: str, consumer: str) -> Credential:
    return Credential(consumer, kind, secret_hash(secret))


REGISTER = Register.of(
    1,
    [Consumer("acme", "Acme"), Consumer("bolt", "Bolt")],
    [
        known("api_key", "bnyn_a", "acme"),
        known("api_key", "bnyn_b", "bolt"),
        *(known(kind, "tok-a", "acme") for kind in ("query", "form", "header", "path")),
        *(known(kind, "tok-b", "bolt") for kind in ("query", "form", "header", "path")),
        known("query", "sp ace/ü+", "acme"),
        known("basic", "acme:pass:word", "acme"),
        known("basic", "bolt:secret", "bolt"),
        known("certificate", "468ed33be74e", "acme"),
        known("certificate", "CN=bolt,O=Bolt; Sons", "bolt"),
    ],
)
ACME, BOLT = Identification("acme"), Identification("bolt")
NOBODY, AMBIGUOUS, UNKNOWN = Identification(), Identification(ambiguous=True), Identification(unknown=True)
FORM = (b"Content-Type", b"application/x-www-form-urlencoded; charset=utf-8")


def who(recognition: Recognition | None, template: str = "/partner/{token}/x", **request: Any) -> Identification:
    return identify(REGISTER, Route("r", "GET", template, recognition), **{"headers": [], **request})


def basic(text: str) -> tuple[bytes, bytes]:
    return b"authorization", b"Basic " + base64.b64encode(text.encode())


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (b"token=tok-a", ACME),
        (b"page=2&token=tok-b", BOLT),
        (b"%74oken=tok%2Da", ACME),
        (b"token=sp+ace%2F%C3%BC%2B", ACME),
        (b"token=tok-a&token=tok-a", ACME),
        (b"token=tok-a&token=tok-b", AMBIGUOUS),
        (b"token=tok-a&token=unknown", AMBIGUOUS),
        (b"token=tok-a&%74oken=tok-b", AMBIGUOUS),
        (b"token=unknown", UNKNOWN),
        (b"token=", NOBODY),
        (b"token", NOBODY),
        (b"token=+tok-a", UNKNOWN),
        (b"token=TOK-A", UNKNOWN),
        (b"Token=tok-a", AMBIGUOUS),
        (b"token=tok-a&TOKEN=tok-b", AMBIGUOUS),
        (b"+token=tok-a", AMBIGUOUS),
        (b"token[]=tok-a", AMBIGUOUS),
        (b"page=2;token=tok-a", AMBIGUOUS),
        (b"xtoken=tok-a", NOBODY),
        (b"", NOBODY),
        (b"token=" + b"x" * 100_000, UNKNOWN),
        (b"token=%ff%00", UNKNOWN),
    ],
)
def test_a_token_in_the_query_names_the_consumer(query: bytes, expected: Identification) -> None:
    assert who(QueryToken("token"), query=query) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"token=tok-a&x=1", ACME),
        (b"x=1&token=tok-a&token=tok-b", AMBIGUOUS),
        (b"token=tok%2db", BOLT),
        (b"", NOBODY),
        (b"\xff\xfe=&&&==", NOBODY),
    ],
)
def test_a_token_in_a_form_field_names_the_consumer(body: bytes, expected: Identification) -> None:
    assert who(FormToken("token"), headers=[FORM], body=body) == expected


def test_a_form_that_does_not_say_what_it_is_is_read_as_urlencoded() -> None:
    assert who(FormToken("token"), headers=[], body=b"cust=1&token=tok-b") == Identification("bolt")


def test_a_form_token_is_not_looked_for_in_the_query() -> None:
    assert who(FormToken("token"), headers=[FORM], query=b"token=tok-a", body=b"") == NOBODY


@pytest.mark.parametrize(
    "headers",
    [
        [(b"content-type", b"text/plain")],
        [(b"content-type", b"application/json")],
        [FORM, (b"content-type", b"text/plain")],
        [FORM, (b"content-encoding", b"gzip")],
    ],
)
def test_a_body_in_which_legacy_may_read_a_form_all_the_same_means_legacy(headers: list[tuple[bytes, bytes]]) -> None:
    assert who(FormToken("token"), headers=headers, body=b"token=tok-a") == AMBIGUOUS


def test_a_body_that_was_not_read_names_nobody() -> None:
    assert who(FormToken("token"), headers=[FORM], body=None) == NOBODY
    assert names_consumer_in_body(Route("r", "POST", "/x", FormToken("token")))
    assert not names_consumer_in_body(Route("r", "POST", "/x", QueryToken("token")))


def multipart(*parts: tuple[str, bytes]) -> dict[str, Any]:
    lines = [b"--B\r\nContent-Disposition: form-data; %s\r\n\r\n%s\r\n" % (head.encode(), data) for head, data in parts]
    return {
        "headers": [(b"content-type", b"multipart/form-data; boundary=B")],
        "body": b"".join([*lines, b"--B--\r\n"]),
    }


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([('name="token"', b"tok-a")], ACME),
        ([('name="note"', b"tok-b"), ('name="token"', b"tok-a")], ACME),
        ([('name="token"', b"tok-a"), ('name="token"', b"tok-b")], AMBIGUOUS),
        ([('name="token"; filename="t.txt"', b"tok-a")], NOBODY),
        ([('name="token"', b"x" * 1_000_000)], UNKNOWN),
        ([], NOBODY),
    ],
)
def test_a_token_in_a_multipart_field_names_the_consumer(
    parts: list[tuple[str, bytes]], expected: Identification
) -> None:
    assert who(FormToken("token"), **multipart(*parts)) == expected


@pytest.mark.parametrize(
    "body", [b"no boundary here", b"--B\r\nbroken header\r\n\r\ntok-a\r\n--B--", b"--B\r\n\xff\xff: x\r\n\r\n"]
)
def test_a_multipart_body_that_cannot_be_read_means_legacy(body: bytes) -> None:
    head = (b"content-type", b"multipart/form-data; boundary=B")
    assert who(FormToken("token"), headers=[head], body=body) == AMBIGUOUS


def test_a_multipart_body_without_a_boundary_means_legacy() -> None:
    assert who(FormToken("token"), headers=[(b"content-type", b"multipart/form-data")], body=b"x") == AMBIGUOUS


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([(b"X-Partner-Token", b"tok-a")], ACME),
        ([(b"x-partner-token", b"  tok-b\t")], BOLT),
        ([(b"x-partner-token", b"tok-a"), (b"X-Partner-Token", b"tok-a")], ACME),
        ([(b"x-partner-token", b"tok-a"), (b"x-partner-token", b"tok-b")], AMBIGUOUS),
        ([(b"x-partner-token", b"TOK-A")], UNKNOWN),
        ([(b"x_partner_token", b"tok-a")], AMBIGUOUS),
        ([(b"x-partner-token", b"tok-a"), (b"X_Partner-Token", b"tok-b")], AMBIGUOUS),
        ([], NOBODY),
    ],
)
def test_a_token_in_a_header_names_the_consumer(headers: list[tuple[bytes, bytes]], expected: Identification) -> None:
    assert who(HeaderToken("X-Partner-Token"), headers=headers) == expected


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([basic("acme:pass:word")], ACME),
        ([(b"Authorization", b"bAsIc   " + base64.b64encode(b"bolt:secret"))], BOLT),
        ([basic("acme:secret")], UNKNOWN),
        ([basic("ACME:pass:word")], UNKNOWN),
        ([basic("acme:pass:word"), basic("bolt:secret")], AMBIGUOUS),
        ([(b"authorization", b"Basic !!!")], AMBIGUOUS),
        ([(b"authorization", b"Basic")], NOBODY),
    ],
)
def test_user_and_password_together_name_the_consumer(
    headers: list[tuple[bytes, bytes]], expected: Identification
) -> None:
    assert who(BasicAuth(), headers=headers) == expected


@pytest.mark.parametrize(
    ("template", "path", "expected"),
    [
        ("/partner/{token}/x", b"/partner/tok-a/x", ACME),
        ("/partner/{token}/x", b"/partner/tok%2Db/x", BOLT),
        ("/p/{no}.{token}.txt", b"/p/12.tok-a.txt", ACME),
        ("/partner/{token}/x", b"/partner/none/x", UNKNOWN),
        ("/partner/{token}/x", b"/partner//tok-a/x", AMBIGUOUS),
        ("/partner/{token}/x", b"/partner/tok-a%2Fx/x", AMBIGUOUS),
    ],
)
def test_a_segment_of_the_path_names_the_consumer(template: str, path: bytes, expected: Identification) -> None:
    assert who(PathToken("token"), template, path=path) == expected


@pytest.mark.parametrize("head", [(b"authorization", b"Bearer bnyn_a"), (b"X-API-Key", b"bnyn_a")])
def test_an_api_key_names_the_consumer_on_every_route(head: tuple[bytes, bytes]) -> None:
    assert who(None, headers=[head]) == ACME
    assert who(QueryToken("token"), headers=[head]) == ACME


def test_a_key_and_a_token_of_the_same_consumer_agree() -> None:
    assert who(QueryToken("token"), headers=[(b"x-api-key", b"bnyn_a")], query=b"token=tok-a") == ACME


def test_a_key_of_one_and_a_token_of_another_consumer_are_ambiguous() -> None:
    assert who(QueryToken("token"), headers=[(b"x-api-key", b"bnyn_b")], query=b"token=tok-a") == AMBIGUOUS


def test_two_different_keys_are_ambiguous() -> None:
    headers = [(b"authorization", b"Bearer bnyn_a"), (b"x-api-key", b"bnyn_b")]
    assert who(None, headers=headers) == AMBIGUOUS


def test_a_secret_counts_only_where_it_belongs() -> None:
    assert who(QueryToken("token"), query=b"token=bnyn_a") == UNKNOWN
    assert who(None, headers=[(b"x-api-key", b"tok-a")]) == NOBODY


def test_a_wrong_api_key_tells_nothing_since_legacy_knows_none() -> None:
    assert who(QueryToken("token"), headers=[(b"x-api-key", b"bnyn_x")]) == NOBODY
    assert who(QueryToken("token"), headers=[(b"x-api-key", b"bnyn_x")], query=b"token=tok-a") == ACME


def test_a_key_of_one_consumer_beside_a_token_of_nobody_here_is_ambiguous() -> None:
    assert who(QueryToken("token"), headers=[(b"x-api-key", b"bnyn_a")], query=b"token=new") == AMBIGUOUS


@pytest.mark.parametrize(
    ("recognition", "value", "expected"),
    [
        (ClientCertificate(), b"Hash=468ed33be74e", ACME),
        (ClientCertificate(), b'By=spiffe://x;Hash=468ed33be74e;Subject="CN=a,b;c"', ACME),
        (ClientCertificate(), b"Hash=somebody, Hash=468ed33be74e", ACME),
        (ClientCertificate(), b"Hash=468ed33be74e,Hash=somebody", UNKNOWN),
        (ClientCertificate(), b'Subject="x,Hash=468ed33be74e"', NOBODY),
        (ClientCertificate(part="subject"), b'Hash=1;Subject="CN=bolt,O=Bolt; Sons"', BOLT),
        (ClientCertificate(part=None), b"CN=bolt,O=Bolt; Sons", BOLT),
        (ClientCertificate(), b"", NOBODY),
    ],
)
def test_a_client_certificate_names_the_consumer_as_the_proxy_in_front_tells(
    recognition: ClientCertificate, value: bytes, expected: Identification
) -> None:
    assert who(recognition, headers=[(b"X-Forwarded-Client-Cert", value)]) == expected


def test_two_headers_about_different_certificates_are_ambiguous() -> None:
    headers = [(b"x-forwarded-client-cert", b"Hash=468ed33be74e"), (b"x-forwarded-client-cert", b"Hash=other")]
    assert who(ClientCertificate(), headers=headers) == AMBIGUOUS


@given(
    st.sampled_from(
        [
            ClientCertificate("t"),
            QueryToken("t"),
            FormToken("t"),
            HeaderToken("t"),
            BasicAuth(),
            PathToken("token"),
            None,
        ]
    ),
    st.binary(max_size=60),
    st.binary(max_size=60),
    st.binary(max_size=60),
    st.sampled_from([b"application/x-www-form-urlencoded", b"multipart/form-data; boundary=B", b"", b"\xff; boundary"]),
    st.binary(max_size=30),
)
def test_whatever_the_bytes_are_somebody_unknown_is_never_somebody(
    recognition: Recognition | None, path: bytes, query: bytes, body: bytes, media_type: bytes, credentials: bytes
) -> None:
    headers = [(b"content-type", media_type), (b"authorization", b"Basic " + credentials), (b"t", credentials)]
    found = identify(
        REGISTER, Route("r", "GET", "/{token}", recognition), headers=headers, path=path, query=query, body=body
    )
    assert found.consumer is None
