"""Finds out, before anything else is done, who acts where that takes more than the register: tokens and cookies.

What it finds, or why it refuses, stands in the request's state, and counts for whoever asks for the principal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Receive, Scope, Send

from api_gateway.api import problems
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
        if scope["type"] == "http":
            await self._look(scope)
        await self._app(scope, receive, send)

    async def _look(self, scope: Scope) -> None:
        state = scope["state"]
        address = address_of(scope, self._trusted_hops)
        try:
            found = await self._recognition.recognise(scope["method"], scope["headers"], address)
        except Problem as problem:
            state["refusal"] = problem
        except DatabaseFault as fault:
            state["refusal"] = problems.of_fault(fault)
        else:
            if found is not None:
                state["principal"], state["recognised"] = found.principal, found


def recognised_of(scope: Scope) -> Recognised | None:
    """By what token or cookie the request was recognised; None for an API key. Raises Problem where it was refused."""
    state = scope["state"]
    if state.get("refusal") is not None:
        raise state["refusal"]
    found: Recognised | None = state.get("recognised")
    return found


def address_of(scope: Scope, trusted_hops: int) -> str:
    forwarded = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
    peer = scope.get("client") or ("", 0)
    return client_address(b",".join(forwarded), str(peer[0]), trusted_hops)
