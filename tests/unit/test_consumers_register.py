"""The register: found by hash, kept in a file, and never a place where a secret could be read."""

from __future__ import annotations

import json

import pytest

from api_gateway.consumers import Consumer, Credential, Register, secret_hash

ACME = Consumer("acme", "Acme Ltd", frozenset({"orders:read"}), {"source": "AC"})
REGISTER = Register.of(7, [ACME], [Credential("acme", "api_key", secret_hash("bnyn_secret"))])


def test_a_consumer_is_found_by_a_secret_of_the_right_kind() -> None:
    assert REGISTER.by_key("bnyn_secret") == ACME
    assert REGISTER.by_credential("query", "bnyn_secret") is None
    assert REGISTER.by_key("bnyn_secre") is None


def test_text_and_its_utf8_bytes_are_the_same_secret() -> None:
    assert secret_hash("grün") == secret_hash("grün".encode())


def test_a_principal_carries_scopes_and_the_values_its_rows_are_told_apart_by() -> None:
    principal = ACME.principal
    assert (principal.kind, principal.code, principal.scopes) == ("consumer", "acme", {"orders:read"})
    assert principal.value("source") == "AC"
    assert principal.value("nothing") is None


def test_the_kept_form_comes_back_equal_and_holds_no_secret() -> None:
    text = json.dumps(REGISTER.as_json())
    assert Register.from_json(json.loads(text)) == REGISTER
    assert "bnyn_secret" not in text


@pytest.mark.parametrize("document", [{}, {"version": 1}, {"version": 1, "consumers": [{}], "credentials": []}])
def test_what_is_no_register_is_refused(document: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        Register.from_json(document)
