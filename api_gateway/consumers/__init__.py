"""Who calls: consumers, what they are known by, and how a request names one of them."""

from api_gateway.consumers.identify import Identification, identify, names_consumer_in_body
from api_gateway.consumers.keep import (
    add_consumer,
    add_credential,
    consumer_summaries,
    create_key,
    load_register,
    record_use,
    register_query,
    register_version,
    revoke,
)
from api_gateway.consumers.register import Consumer, Credential, CredentialKind, Principal, Register, secret_hash

__all__ = [
    "Consumer",
    "Credential",
    "CredentialKind",
    "Identification",
    "Principal",
    "Register",
    "add_consumer",
    "add_credential",
    "consumer_summaries",
    "create_key",
    "identify",
    "load_register",
    "names_consumer_in_body",
    "record_use",
    "register_query",
    "register_version",
    "revoke",
    "secret_hash",
]
