"""Bodies that different readers would read differently are refused, in the same way by every kind of request."""

from __future__ import annotations

import gzip

import pytest

from tests.support.api import Api

JSON = {"content-type": "application/json"}


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "identity, gzip"])
def test_a_compressed_body_is_refused_and_told_how_to_come(reading: Api, coding: str) -> None:
    bomb = gzip.compress(b"[" + b"0," * 5_000_000 + b"0]")
    answer = reading.ask("POST", "orders", content=bomb, headers={**JSON, "content-encoding": coding})
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_encoding")
    assert answer.headers["accept-encoding"] == "identity"


def test_a_body_as_it_is_may_say_so(reading: Api) -> None:
    answer = reading.ask("POST", "orders", content=b"{}", headers={**JSON, "content-encoding": "identity"})
    assert answer.status_code == 422


@pytest.mark.parametrize(
    "body",
    [b'{"reference": "a", "reference": "b"}', b'{"lines": [{"item": "a", "item": "b"}]}', b'{"customer": NaN}',
     b'{"customer": -Infinity}', b"[" * 100_000, b'{"customer": ' + b"9" * 5_000 + b"}"],
    ids=["a name twice", "a name twice within", "NaN", "-Infinity", "deep", "thousands of digits"],
)  # fmt: skip
def test_what_is_no_json_that_all_read_alike_is_refused(reading: Api, body: bytes) -> None:
    answer = reading.ask("POST", "orders", content=body, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert [(e["code"], e["pointer"]) for e in answer.json()["errors"]] == [("json_invalid", "")]
