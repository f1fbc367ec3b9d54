"""Operations: hand-written typed endpoints for what is more than one row.

    @operation("orders", scope="orders:write", status=201, answer=Order)
    @touches(insert={"ord_hdr": […]})
    async def place_order(order: NewOrder, tx: Write, caller: Caller, answers: Answers) -> Response: …

Authentication, scope, idempotency, problem documents and their OpenAPI come without a line in the handler.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from fastapi import Request, Response, params
from fastapi.routing import APIRoute

from api_gateway.api import idempotency
from api_gateway.api.authentication import principal_of, require_scope
from api_gateway.api.bodies import check_json
from shared_models.contract import Resource
from shared_models.database import WriteTransaction
from shared_models.faults import ReadOnly

Handler = TypeVar("Handler", bound=Callable[..., Awaitable[Any]])
SAFE = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class Operation:
    """How a handler is served. `path` is below the version: `orders`, `orders/{number}/cancellation`."""

    path: str
    scope: str
    method: str = "POST"
    status: int = 200
    answer: type[Resource] | None = None
    name: str = ""

    @property
    def is_safe(self) -> bool:
        return self.method in SAFE


def operation(
    path: str, *, scope: str, method: str = "POST", status: int = 200, answer: type[Resource] | None = None
) -> Callable[[Handler], Handler]:
    """Declare a handler to be an operation. `answer`: the resource whose document it gives, for OpenAPI."""

    def declare(handler: Handler) -> Handler:
        declared = Operation(path.strip("/"), scope, method.upper(), status, answer, handler.__name__)
        handler.__banyan_operation__ = declared  # type: ignore[attr-defined]
        return handler

    return declare


def operation_of(handler: Callable[..., Any]) -> Operation:
    """Raises TypeError for a function that is none."""
    declared = getattr(handler, "__banyan_operation__", None)
    if not isinstance(declared, Operation):
        raise TypeError(f"{getattr(handler, '__name__', handler)} is no operation: decorate it with @operation(…)")
    return declared


class OperationRoute(APIRoute):
    """FastAPI's own route, with what every operation needs around its handler."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()
        declared = operation_of(self.endpoint)

        async def answer(request: Request) -> Response:
            principal = principal_of(request.scope)
            require_scope(principal, declared.scope)
            if not declared.is_safe:
                if self.body_field is not None and not isinstance(self.body_field.field_info, params.Form):
                    await check_json(request)
                claim = await idempotency.claim_of(request, principal, declared.name)
                if claim is not None:
                    return await _once(request, claim, handler)
            response = await handler(request)
            _doom_refused(response, request.scope["state"].get("write_transaction"))
            return response

        return answer


async def _once(
    request: Request, claim: idempotency.Claim, handler: Callable[[Request], Coroutine[Any, Any, Response]]
) -> Response:
    """The handler, in the transaction that claims the key; committed when this returns."""
    state = request.scope["state"]
    if "write_database" not in state:
        raise ReadOnly
    async with state["write_database"].write() as tx:
        async with tx.as_ourselves():
            stored = await idempotency.take(tx, claim)
        if stored is not None:
            return stored
        state["write_transaction"] = tx
        response = await handler(request)
        _doom_refused(response, tx)
        if not tx.is_doomed:
            async with tx.as_ourselves():
                await idempotency.store(tx, claim, response)
        return response


def _doom_refused(response: Response, tx: WriteTransaction | None) -> None:
    """A handler that returns a refusal instead of raising it has changed nothing either."""
    if tx is not None and response.status_code >= 400:
        tx.doom()
