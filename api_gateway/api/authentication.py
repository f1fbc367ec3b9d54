"""Who calls the typed API: an API key, as `Authorization: Bearer …` (RFC 6750) or `X-API-Key: …`.

Tokens and cookies have been looked at before, by `recognised`; what it found, or why it refuses, counts here.
"""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping
from typing import Annotated, Any, Protocol

from fastapi import Depends, Request
from starlette.types import Scope

from api_gateway.api.problems import forbidden, unauthenticated
from api_gateway.consumers import Consumer, Principal
from shared_models.session import Convention

Headers = Iterable[tuple[bytes, bytes]]


class Keys(Protocol):
    """What authentication needs of a Register."""

    def by_key(self, secret: str | bytes) -> Consumer | None: ...


def key_of(headers: Headers) -> bytes | None:
    """The key a request carries, None when it carries none. Raises Problem 401 for two keys, or another scheme."""
    found: set[bytes] = set()
    for name, value in headers:
        if name == b"authorization":
            scheme, _, token = value.strip().partition(b" ")
            if scheme.lower() != b"bearer" or not token.strip():
                raise unauthenticated("Authorization must be: Bearer, a blank, the key.")
            found.add(token.strip())
        elif name == b"x-api-key":
            found.add(value.strip())
    if len(found) > 1:
        raise unauthenticated("The request carries two different keys.")
    return found.pop() if found else None


def authenticate(headers: Headers, keys: Keys) -> Principal:
    """The principal of the key. Raises Problem 401."""
    key = key_of(headers)
    if key is None:
        raise unauthenticated("Send the key as Authorization: Bearer … or X-API-Key.")
    consumer = keys.by_key(key)
    if consumer is None:
        raise unauthenticated("The key is unknown or revoked.")
    return consumer.principal


def require_scope(principal: Principal, scope: str | None) -> None:
    """Raises Problem 403."""
    if scope is not None and scope not in principal.scopes:
        raise forbidden(scope)


def principal_of(scope: Scope) -> Principal:
    """The principal of this request, found once. Raises Problem 401."""
    state = scope["state"]
    principal = state.get("principal")
    if principal is None:
        if state.get("refusal") is not None:
            raise state["refusal"]
        principal = state["principal"] = authenticate(scope["headers"], state["keys"]())
    if state.get("acting") is not principal:
        _act(state, principal)
    found: Principal = principal
    return found


def _act(state: MutableMapping[str, Any], principal: Principal) -> None:
    """From here on the request's databases are used on behalf of the principal, as the host's convention wants it."""
    state["acting"] = principal
    convention: Convention = state["convention"]
    if not convention:
        return
    session = convention.session(principal)
    for name in ("read_database", "write_database"):
        if state.get(name) is not None:
            state[name] = state[name].acting(session)


def current_principal(request: Request) -> Principal:
    return principal_of(request.scope)


Caller = Annotated[Principal, Depends(current_principal)]
"""A parameter of a handler: on whose behalf it acts."""
