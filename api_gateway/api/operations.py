"""Operations: hand-written typed endpoints for what is more than one row.

    @operation("orders", scope="orders:write", status=201, answer=Order)
    @touches(insert={"ord_hdr": […]})
    async def place_order(order: NewOrder, tx: Write, caller: Caller, answers: Answers) -> Response: …

Authentication, scope, idempotency, problem documents, the journal and OpenAPI come without a line in the handler.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from fastapi import Request, Response, params
from fastapi.dependencies.models import Dependant
from starlette.types import Scope

from api_gateway.api import idempotency
from api_gateway.api.authentication import principal_of, require_scope
from api_gateway.api.bodies import check_json
from api_gateway.api.inside import InsideRoute
from api_gateway.api.jobs.uploads import Accepts, arriving
from api_gateway.api.performing import performed
from api_gateway.api.problems import MEDIA_TYPE, note, of_status, out_of_service, rendered
from api_gateway.api.transactions import keeping, write_transaction
from api_gateway.consumers import Principal
from shared_models.contract import Deprecated, Resource
from shared_models.database import Database, WriteTransaction
from shared_models.faults import ConstraintViolated, ReadOnly
from shared_models.grants import leaves_out

Handler = TypeVar("Handler", bound=Callable[..., Awaitable[Any]])
SAFE = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class Operation:
    """How a handler is served. `path` is below the version: `orders`, `orders/{number}/cancellation`.

    again: may it be run again after it lost against another transaction? All that it does is in its own transaction,
    which was rolled back.
    """

    path: str
    scope: str
    method: str = "POST"
    status: int = 200
    answer: type[Resource] | None = None
    name: str = ""
    again: bool = True
    deprecated: Deprecated | None = None
    refuses: Mapping[str, str] = field(default_factory=dict, hash=False)
    upload: Accepts | None = None
    job: bool = False

    @property
    def is_safe(self) -> bool:
        return self.method in SAFE


def operation(
    path: str,
    *,
    scope: str,
    method: str = "POST",
    status: int = 200,
    answer: type[Resource] | None = None,
    again: bool = True,
    deprecated: Deprecated | None = None,
    refuses: Mapping[str, str] | None = None,
    upload: Accepts | None = None,
    job: bool = False,
) -> Callable[[Handler], Handler]:
    """Declare a handler to be an operation. `answer`: the resource whose document it gives, for OpenAPI.

    again       False: it must not be run again after a deadlock; its caller is told to try again
    deprecated  since when it should not be called any more
    refuses     the problem codes of its own, each with what it means: a page at `/api/problems/…`
    upload      its body is a file, which its parameter of type Upload stands for
    job         it answers with the job that it has enqueued (`Jobs.accepted`), for OpenAPI
    """

    def declare(handler: Handler) -> Handler:
        name = handler.__name__
        declared = Operation(
            path.strip("/"),
            scope,
            method.upper(),
            status,
            answer,
            name,
            again,
            deprecated,
            refuses or {},
            upload,
            job,
        )
        handler.__banyan_operation__ = declared  # type: ignore[attr-defined]  # a function holds what it was declared to be
        return handler

    return declare


def operation_of(handler: Callable[..., Any]) -> Operation:
    """Raises TypeError for a function that is none."""
    declared = getattr(handler, "__banyan_operation__", None)
    if not isinstance(declared, Operation):
        raise TypeError(f"{getattr(handler, '__name__', handler)} is no operation: decorate it with @operation(…)")
    return declared


class OperationRoute(InsideRoute):
    """FastAPI's own route, with what every operation needs around its handler."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()
        declared = operation_of(self.endpoint)
        writes = _takes(self.dependant, write_transaction)

        async def answer(request: Request) -> Response:
            return _told(await done(request), request.scope)

        async def done(request: Request) -> Response:
            retiring = request.scope["state"]["retiring_operations"].get(declared.name)
            if retiring is not None:
                request.scope["state"]["retiring"] = retiring
            principal = principal_of(request.scope)
            require_scope(principal, declared.scope)
            if declared.name in request.scope["state"]["without"]:
                raise out_of_service()
            if declared.is_safe:
                return await handler(request)
            state = request.scope["state"]
            if declared.upload is not None:
                if state.get("write_database") is None:
                    raise ReadOnly
                async with arriving(request, declared.upload, principal, state["write_database"]) as staged:
                    state["upload"] = staged
                    return await answer_once(request, principal, staged.digest)
            if self.body_field is not None and not isinstance(self.body_field.field_info, params.Form):
                await check_json(request)
            return await answer_once(request, principal, await request.body())

        async def answer_once(request: Request, principal: Principal, body: bytes) -> Response:
            claim = idempotency.claim_of(request.scope, body, principal, declared.name)
            if claim is None and not writes:
                return await handler(request)
            state = request.scope["state"]
            if state.get("write_database") is None:
                raise ReadOnly

            async def work(tx: WriteTransaction) -> Response:
                tx.keeper = keeping(tx, request.scope)
                state["write_transaction"] = tx
                return await handler(request)

            database: Database = state["write_database"]
            is_trial = principal.is_trial
            try:
                response = await performed(database, claim, work, is_trial=is_trial, again=declared.again)
            except ConstraintViolated as fault:
                if not _is_news(self.endpoint, fault):
                    raise
                database.suspect()
                raise out_of_service() from None
            return _as_trial(response) if is_trial else response

        return answer


def _is_news(handler: Callable[..., Any], fault: ConstraintViolated) -> bool:
    """A column that the handler never gave must be given now: the schema has changed, the request is not to blame."""
    if fault.kind != "not_null" or fault.table is None or fault.column is None:
        return False
    return leaves_out(handler, fault.table, fault.column)


def _as_trial(response: Response) -> Response:
    """What a test key is answered: as if it were done, and that it was not. What it names is not there."""
    response.headers["dry-run"] = "true"
    if "location" in response.headers:
        del response.headers["location"]
    return response


def _told(response: Response, scope: Scope) -> Response:
    """A refusal that a handler returned, instead of raising it, is a problem document like any other."""
    is_told = response.headers.get("content-type", "").startswith(MEDIA_TYPE)
    if response.status_code < 400 or is_told:
        return response
    problem = of_status(response.status_code)
    note(problem, scope)
    return rendered(problem, scope)


def _takes(dependant: Dependant, dependency: Callable[..., Any]) -> bool:
    return any(inner.call is dependency or _takes(inner, dependency) for inner in dependant.dependencies)
