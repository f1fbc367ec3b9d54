"""What a recording keeps of an exchange, and what it never keeps: tokens, cookies, whatever is called like a secret."""

from __future__ import annotations

import base64
import json
import time
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from api_gateway.edge.exchange import Copy, Exchange
from api_gateway.errors import UsageError
from api_gateway.recordings.bodies import LONGEST
from api_gateway.recordings.har import archive
from api_gateway.recordings.masking import recording_of
from api_gateway.recordings.recording import Recording
from api_gateway.routes import (
    BasicAuth,
    FormToken,
    HeaderToken,
    PathToken,
    QueryToken,
    Recorded,
    Route,
    check_routes,
)
from shared_models.grants import touches

TOKEN = "s3cr3t+Token=="
FORM = ((b"content-type", b"application/x-www-form-urlencoded"),)


def exchange(target: str = "/r", answer: bytes = b"ok", **changed: Any) -> Exchange:
    now = time.monotonic()
    plain = Exchange(
        "r", "", Copy.whole, False, "GET", target, (), b"", 200,
        ((b"content-type", b"text/plain"),), answer, True, False, "192.0.2.1", now, now,
    )  # fmt: skip
    return replace(plain, **changed)


def kept(route: Route, made: Exchange, consumer: str | None = "acme") -> Recording:
    """As it comes back from the database."""
    row = json.loads(json.dumps(recording_of(route, made, consumer).as_row()))
    return Recording.from_row({**row, "id": 1, "at": None})


def text(recording: Recording) -> str:
    return json.dumps(recording.as_row(), ensure_ascii=False)


class TestKept:
    def test_a_request_is_kept_by_its_parts_without_what_the_route_itself_says(self) -> None:
        route = Route("r", "GET", "/shop/{no}.php", QueryToken("token"), query={"action": "show"})
        made = exchange(f"/shop/17%20%C3%A9.php?action=show&b=2&token={TOKEN}&a=&b=%E2%82%AC")
        recording = kept(route, made)
        assert recording.path == (("no", "17 é"),)
        assert recording.query == (("b", "2"), ("a", ""), ("b", "€"))
        assert (recording.consumer, recording.status, recording.response.body) == ("acme", 200, "ok")
        assert recording.shape == "GET a=empty b=repeated token=text"
        assert recording.target(route) == "/shop/17%20%C3%A9.php?action=show&b=2&a=&b=%E2%82%AC"
        assert recording.is_whole

    def test_a_form_is_kept_by_its_fields(self) -> None:
        route = Route("r", "POST", "/r", FormToken("token"), form={"action": "new"})
        body = b"action=new&token=abcdefgh&name=J%FCrgen&qty=2"
        recording = kept(route, exchange(method="POST", request_headers=FORM, request_body=body))
        assert recording.request.form == (("name", "Jürgen"), ("qty", "2"))
        assert recording.request.body is None
        assert "abcdefgh" not in text(recording)

    def test_of_a_form_with_files_the_fields_are_kept_and_the_files_are_told(self) -> None:
        body = (
            b'--x\r\nContent-Disposition: form-data; name="cust"\r\n\r\n17\r\n'
            b'--x\r\nContent-Disposition: form-data; name="list"; filename="a.csv"\r\n\r\nitem;price\r\n--x--\r\n'
        )
        head = ((b"content-type", b"multipart/form-data; boundary=x"),)
        recording = kept(Route("r", "POST", "/r"), exchange(method="POST", request_headers=head, request_body=body))
        assert recording.request.form == (("cust", "17"),)
        assert recording.request.left_out == ("file in list: 10 bytes",)
        assert not recording.is_whole

    def test_another_body_is_kept_as_text_under_its_charset(self) -> None:
        head = ((b"content-type", b"text/csv; charset=latin-1"),)
        body = "item;price\nM\u00fctze;1.50\n".encode("latin-1")
        recording = kept(Route("r", "POST", "/r"), exchange(method="POST", request_headers=head, request_body=body))
        assert recording.request.body == "item;price\nMütze;1.50\n"

    @pytest.mark.parametrize(
        ("media", "content", "why"),
        [
            ("image/png", b"\x89PNG", "binary"),
            ("text/plain", b"a\0b", "binary"),
            ("text/plain", b"x" * (LONGEST + 1), f"longer than {LONGEST} bytes"),
            ("application/json", b'{"token": "abc', "unreadable"),
            ("text/xml", b"<token>abc", "unreadable"),
            ("application/json", b"[" * 60_000, "unreadable"),
        ],
    )
    def test_a_body_that_cannot_be_read_for_secrets_is_not_kept(self, media: str, content: bytes, why: str) -> None:
        made = exchange(answer=content, response_headers=((b"content-type", media.encode()),))
        recording = kept(Route("r", "GET", "/r"), made)
        assert (recording.response.body, recording.response.left_out) == (None, (why,))

    def test_json_without_secrets_keeps_its_spelling(self) -> None:
        content = b'{"total": 1.50, "big": 12345678901234567890.10}'
        made = exchange(answer=content, response_headers=((b"content-type", b"application/json"),))
        assert kept(Route("r", "GET", "/r"), made).response.body == content.decode()


class TestNeverKept:
    @pytest.mark.parametrize(
        ("route", "changed"),
        [
            (Route("r", "GET", "/r", QueryToken("k")), {"target": "/r?k=s3cr3t%2BToken%3D%3D"}),
            (Route("r", "POST", "/r", FormToken("k")), {
                "method": "POST", "request_headers": FORM, "request_body": b"k=s3cr3t%2BToken%3D%3D",
            }),
            (Route("r", "GET", "/r", HeaderToken("User-Agent")), {
                "request_headers": ((b"user-agent", TOKEN.encode()),),
            }),
            (Route("r", "GET", "/r", BasicAuth()), {
                "request_headers": ((b"authorization", b"Basic " + base64.b64encode(f"u:{TOKEN}".encode())),),
            }),
            (Route("r", "GET", "/r/{k}/list", PathToken("k")), {"target": "/r/s3cr3t+Token==/list"}),
            (Route("r", "GET", "/r"), {"request_headers": ((b"x-api-key", TOKEN.encode()),)}),
            (Route("r", "GET", "/r"), {"request_headers": ((b"cookie", f"a=1; sid={TOKEN}".encode()),)}),
        ],
    )  # fmt: skip
    def test_what_names_the_caller_is_nowhere_in_it_even_when_legacy_repeats_it(
        self, route: Route, changed: dict[str, Any]
    ) -> None:
        said = f"you are {TOKEN}, s3cr3t%2BToken%3D%3D, {json.dumps({'x': TOKEN})}"
        recording = kept(route, exchange(**{"answer": said.encode(), **changed}))
        assert "s3cr3t" not in text(recording)
        assert str(recording.response.body).startswith("you are •••, •••, ")

    def test_cookies_and_unknown_headers_are_not_kept_on_either_side(self) -> None:
        sent = ((b"x-shop-auth", b"abcdefgh1"), (b"accept", b"text/xml"), (b"referer", b"/?token=abcdefgh2"))
        said = ((b"set-cookie", b"sid=abcdefgh3"), (b"location", b"/next?token=abcdefgh4"), (b"etag", b'"1"'))
        recording = kept(Route("r", "GET", "/r"), exchange(request_headers=sent, response_headers=said))
        assert "abcdefgh" not in text(recording)
        assert recording.request.headers == (("accept", "text/xml"),)
        assert recording.response.headers == (("location", "/next?token=•••"), ("etag", '"1"'))

    @pytest.mark.parametrize(
        ("media", "content"),
        [
            ("application/json", b'{"a": [{"Password": "geheim"}], "token": 4711, "n": null}'),
            ("application/problem+json", b'{"session_id": {"x": "4711"}, "api_key": "geheim"}'),
            ("text/xml", b"<r><token>geheim</token><a apikey='4711'/></r>"),
            ("text/xml", b'<r xmlns="urn:x"><token>geheim</token></r>'),
            ("text/xml", b"<r><session><id no='4711'>geheim</id></session></r>"),
            ("text/csv", b"no;passwd\n1;geheim\n2;4711\n"),
            ("text/html", b"<form><input type=hidden name=csrftoken value=geheim></form><a href='?token=4711'>x</a>"),
            ("text/html", b"<meta name=csrf-token content=geheim><script>var apiKey = '4711';</script>"),
            ("text/plain", b"OK|token=geheim|password: 4711"),
        ],
    )
    def test_values_under_secret_names_are_masked_in_every_kind_of_body(self, media: str, content: bytes) -> None:
        head = ((b"content-type", media.encode()),)
        asked = exchange(
            method="POST", request_headers=head, request_body=content, answer=content, response_headers=head
        )
        recording = kept(Route("r", "POST", "/r"), asked)
        assert "geheim" not in text(recording)
        assert "4711" not in text(recording)
        assert "•••" in str(recording.request.body)
        assert "•••" in str(recording.response.body)
        assert recording.masked
        assert not recording.is_whole

    def test_fields_of_forms_and_queries_are_masked_alike(self) -> None:
        made = exchange(
            "/r?pin=1234&api_key=geheim",
            method="POST",
            request_headers=FORM,
            request_body=b"passwd=geheim&pin=1234&n=1",
        )
        recording = kept(Route("r", "POST", "/r", masked=frozenset({"pin"})), made)
        assert recording.query == (("pin", "•••"), ("api_key", "•••"))
        assert recording.request.form == (("passwd", "•••"), ("pin", "•••"), ("n", "1"))
        assert recording.masked == ("api_key", "passwd", "pin")

    def test_columns_that_a_mimic_declares_secret_are_masked(self) -> None:
        @touches(insert={"user_acct": ["login", "pin_no"]}, secret={"user_acct": ["pin_no"]})
        def mimic() -> None: ...

        route = Route("r", "POST", "/r", mimic=mimic)
        made = exchange(method="POST", request_headers=FORM, request_body=b"login=a&pin_no=77")
        assert kept(route, made).request.form == (("login", "a"), ("pin_no", "•••"))

    @pytest.mark.parametrize(
        "value",
        [
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl",
            "Bearer abcdefgh12345678",
            "https://user:abcdefgh12345678@host/",
            "-----BEGIN PRIVATE KEY-----\nabcdefgh12345678\n-----END PRIVATE KEY-----",
        ],
    )
    def test_what_looks_like_a_secret_is_masked_under_any_name(self, value: str) -> None:
        head = ((b"content-type", b"application/json"),)
        made = exchange(answer=json.dumps({"note": value}).encode(), response_headers=head)
        recording = kept(Route("r", "GET", "/r"), made)
        assert "abcdefgh12345678" not in text(recording)
        assert "c2lnbmF0dXJl" not in text(recording)

    @example(b"<", "xml")  # the name of an element, by which outcomes are told apart
    @given(st.binary(max_size=300), st.sampled_from(["json", "xml", "html", "csv", "plain", "x-www-form-urlencoded"]))
    def test_whatever_legacy_or_a_caller_sends_the_token_is_not_kept(self, noise: bytes, kind: str) -> None:
        token = "T0ken-Of-This-Caller"
        head = ((b"content-type", f"text/{kind}".encode()), (b"authorization", f"Bearer {token}".encode()))
        content = noise + token.encode() + noise
        made = exchange(f"/r?token={token}", content, method="POST", request_headers=head, request_body=content)
        recording = kept(Route("r", "POST", "/r", QueryToken("token")), replace(made, response_headers=head))
        assert token not in text(recording)


class TestExport:
    def test_an_archive_holds_request_and_answer_as_har_1_2(self) -> None:
        route = Route("r", "POST", "/r/{no}", FormToken("token"), form={"do": "x"}, query={"v": "2"})
        made = exchange(
            "/r/7?v=2&q=a%20b", method="POST", request_headers=FORM, request_body=b"do=x&token=abcdefgh&n=1"
        )
        document = archive([kept(route, made)], route, "http://legacy.test/")
        entry = document["log"]["entries"][0]
        assert document["log"]["version"] == "1.2"
        assert entry["request"]["url"] == "http://legacy.test/r/7?v=2&q=a%20b"
        assert entry["request"]["queryString"] == [{"name": "v", "value": "2"}, {"name": "q", "value": "a b"}]
        assert entry["request"]["postData"]["text"] == "do=x&n=1"
        assert (entry["response"]["status"], entry["response"]["content"]["text"]) == (200, "ok")
        assert entry["_banyan"]["consumer"] == "acme"


@pytest.mark.parametrize("given_", [{"share": 0.0}, {"share": 1.1}, {"days": 0}, {"most": 20_000}, {"megabytes": 0}])
def test_bounds_that_cannot_be_are_refused(given_: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="recorded"):
        check_routes([Route("r", "GET", "/r", recorded=Recorded(**given_))])
