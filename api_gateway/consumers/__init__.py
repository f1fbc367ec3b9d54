"""Who calls: consumers, what they are known by, and how a request names one of them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from api_gateway.consumers.identify import Identification, identify, names_consumer_in_body
from api_gateway.consumers.register import Consumer, Credential, CredentialKind, Kind, Principal, Register, secret_hash

if TYPE_CHECKING:
    from api_gateway.consumers.keep import (
        add_consumer,
        add_credential,
        change_consumer,
        consumer_summaries,
        create_key,
        limit_consumer,
        load_register,
        register_query,
        register_version,
        revoke,
        rotate_key,
        use_statement,
    )

__all__ = [
    "Consumer",
    "Credential",
    "CredentialKind",
    "Identification",
    "Kind",
    "Principal",
    "Register",
    "add_consumer",
    "add_credential",
    "change_consumer",
    "consumer_summaries",
    "create_key",
    "identify",
    "limit_consumer",
    "load_register",
    "names_consumer_in_body",
    "register_query",
    "register_version",
    "revoke",
    "rotate_key",
    "secret_hash",
    "use_statement",
]


def __getattr__(name: str) -> Any:
    """What keeps the register in the database comes when it is asked for: the pure decision and the edge's break-glass
    use the rest of this package, and must not wait for a database library."""
    if name in __all__:
        return getattr(import_module("api_gateway.consumers.keep"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
