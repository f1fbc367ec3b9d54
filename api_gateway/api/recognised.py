"""Finds out, before anything else is done, who acts where that takes more than the register: tokens and cookies.

What it finds, or why it refuses, stands in the request's state, and counts for whoever asks for the principal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Receive, Scope, Send

from api_gateway.api import problems
from api_gateway.api.authentication import authenticate
from api_gateway.errors import Problem
from api_gateway.limits import client_address
from shared_models.faults import DatabaseFault

if TYPE_CHECKING:
    from api_gateway.accounts.recognition import Recognised, Recognition


class Recognising:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp, recognition: Recognition, trusted_hops: int) -> None:
        self._app, self._recognition, self._trusted_hops = app, recognition, trusted_hops

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            await self._look(scope)
        await self._app(scope, receive, send)

    async def _look(self, scope: Scope) -> None:
        state = scope["state"]
        address = address_of(scope, self._trusted_hops)
        method = scope.get("method", "GET")  # opening a WebSocket is one
        try:
            found = await self._recognition.recognise(method, scope["headers"], address)
        except Problem as problem:
            state["refusal"] = problem
        except DatabaseFault as fault:
            state["refusal"] = problems.of_fault(fault)
        else:
            if found is not None:
                state["principal"], state["recognised"] = found.principal, found
                state["recognise"] = lambda: self._recognition.recognise(method, scope["headers"], address)


def recognised_of(scope: Scope) -> Recognised | None:
    """By what token or cookie the request was recognised; None for an API key. Raises Problem where it was refused."""
    state = scope["state"]
    if state.get("refusal") is not None:
        raise state["refusal"]
    found: Recognised | None = state.get("recognised")
    return found


async def is_still_known(scope: Scope) -> Problem | None:
    """None while whoever began this may go on; else why not: a token that is over, a key that was revoked.

    Where it cannot be told, as while the database is away, they may.
    """
    again = scope["state"].get("recognise")
    try:
        if again is None:
            authenticate(scope["headers"], scope["state"]["keys"]())
        else:
            await again()
    except Problem as problem:
        return problem if problem.status in (401, 403) else None
    except DatabaseFault:
        return None
    return None


def address_of(scope: Scope, trusted_hops: int) -> str:
    forwarded = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
    peer = scope.get("client") or ("", 0)
    return client_address(b",".join(forwarded), str(peer[0]), trusted_hops)
