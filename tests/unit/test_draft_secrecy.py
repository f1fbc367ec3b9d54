"""What is never drafted: columns that look like secrets. What is not taken for one."""

from __future__ import annotations

import pytest

from api_gateway.draft.secrecy import is_secret_value, secrecy
from shared_models.snapshot import Column, ColumnType, ForeignKey, Table

_TEXT, _INT = ColumnType("text", "text"), ColumnType("bigint", "int8")


def _reason(column: str, kind: ColumnType = _TEXT, table: str = "acct") -> str | None:
    found = Column(column, kind)
    return secrecy(Table("public", table, columns=(found,)), found)


@pytest.mark.parametrize(
    "column",
    [
        "password",
        "passwd",
        "PasswordHash",
        "pw_hash",
        "basic_pw",
        "user_pass",
        "ldap_bind_password",
        "api_tok",
        "api_token",
        "accessToken",
        "sessionid",
        "session_key",
        "client_secret",
        "salt",
        "file_hash",
        "api_key",
        "private_key",
        "privatekey",
        "tls_psk",
        "snmpv3_authpassphrase",
        "credentials",
        "pin",
    ],
)
def test_a_secrets_name_is_recognised_in_any_style(column: str) -> None:
    assert _reason(column)


@pytest.mark.parametrize(
    "column",
    [
        "key_",
        "keyword",
        "secretary",
        "basalt",
        "tokenizer",
        "compass",
        "passenger",
        "primary_key",
        "key",
        "spin",
        "note",
    ],
)
def test_words_that_only_contain_one_are_not_secrets(column: str) -> None:
    assert _reason(column) is None


def test_a_numeric_identity_is_a_name_and_no_secret() -> None:
    column = Column("tokenid", _INT)
    assert secrecy(Table("public", "token", columns=(column,), primary_key=("tokenid",)), column) is None
    reference = ForeignKey("fk", ("tokenid",), "public", "token", ("tokenid",))
    assert secrecy(Table("public", "use", columns=(column,), foreign_keys=(reference,)), column) is None
    assert secrecy(Table("public", "use", columns=(column,)), column)


def test_key_material_in_bytes_is_recognised_by_its_type() -> None:
    assert _reason("key", ColumnType("bytea", "bytea"))


def test_opaque_columns_of_a_table_of_secrets_are_left_out_and_its_plain_ones_are_not() -> None:
    assert _reason("value", table="auth_token")
    assert _reason("session_data", table="django_session")
    assert _reason("vars", table="session")
    assert _reason("description", table="auth_token") is None


@pytest.mark.parametrize(
    "value",
    [
        "$2b$12$abcdefghijklmnopqrstuv",
        "pbkdf2_sha256$870000$x",
        "$argon2id$v=19$m=65536",
        "-----BEGIN RSA PRIVATE KEY-----",
        "eyJhbGciOi.eyJzdWIi",
        "{SSHA}x",
    ],
)
def test_a_secret_is_recognised_by_its_value_under_an_innocent_name(value: str) -> None:
    assert is_secret_value(value)


@pytest.mark.parametrize("value", ["", "Y", "NS-10023", "$12.50", "eye", "2b$"])
def test_ordinary_values_are_not_secrets(value: str) -> None:
    assert not is_secret_value(value)
