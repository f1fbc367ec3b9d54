"""The typed API as one FastAPI application, composed from top to bottom."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from api_gateway.api import openapi, problems
from api_gateway.api.authentication import Keys
from api_gateway.api.bodies import BodyLimit
from api_gateway.api.contract import Contract
from api_gateway.api.costs import Costs
from api_gateway.api.cursors import Cursors
from api_gateway.api.limited import Limited
from api_gateway.api.operations import Operation, OperationRoute, operation_of
from api_gateway.api.read_route import ReadRoute
from api_gateway.api.resource_route import ResourceRoute
from api_gateway.api.select import Statements
from api_gateway.api.write_route import WriteRoute
from api_gateway.limits import Limits
from api_gateway.project import Project
from shared_models.database import Database
from shared_models.resources import Resources

MAX_BODY_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Databases:
    """The database as `banyan_api` sees it, once for reading and once for writing: the same one is fine."""

    read: Database
    write: Database


@dataclass(frozen=True, slots=True)
class Served:
    """What of a contract the live schema allows: its resources as they can be read, and which operations cannot run."""

    resources: Resources
    without: frozenset[str] = frozenset()


def build_api(
    project: Project,
    contract: Contract,
    keys: Callable[[], Keys],
    databases: Databases,
    *,
    secret: str,
    served: Served | None = None,
    gateways: Callable[[], int] = lambda: 1,
) -> FastAPI:
    """Resources and operations under `{prefix}/{version}/`, `{prefix}/docs`, `{prefix}/openapi.json`.

    keys     gives the register as it is now
    secret   signs cursors; the same for every gateway
    served   what the live schema allows; default: the whole contract, which the OpenAPI document always tells
    gateways how many processes share the load, and so each consumer's limit
    """
    served = served or Served(contract.resources)
    api = project.configuration.api
    prefix = f"{api.prefix}/{api.version}/"
    operations = tuple(operation_of(handler) for handler in contract.operations)
    limited = project.configuration.limits
    statements = Statements(served.resources)

    app = FastAPI(
        title=api.title,
        version=api.version,
        docs_url=f"{api.prefix}/docs",
        redoc_url=None,
        openapi_url=f"{api.prefix}/openapi.json",
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False, "operation_spans": False},
    )
    problems.install(app)
    reading = ReadRoute(served.resources, statements, Cursors(secret), Costs(limited.plan_cost))
    writing = WriteRoute(served.resources, statements)
    methods = [*reading.methods, *writing.methods]
    app.router.routes.append(ResourceRoute(prefix, served.resources, methods, _methods(operations)))
    for handler, declared in zip(contract.operations, operations, strict=True):
        _add_operation(app, f"{prefix}{declared.path}", handler, declared)
    openapi.install(app, contract.resources, operations, prefix)
    app.add_middleware(BodyLimit, limit=MAX_BODY_BYTES)
    limits = Limits(limited.requests_per_minute, limited.anonymous_per_minute, shared_by=gateways)
    app.add_middleware(Limited, limits=limits, trusted_hops=project.configuration.edge.trusted_hops)
    nobody = project.convention.session(None)  # until it is known who acts
    app.add_middleware(
        RequestState,
        state={
            "keys": keys,
            "convention": project.convention,
            "read_database": databases.read.acting(nobody),
            "write_database": databases.write.acting(nobody),
            "resources": served.resources,
            "without": served.without,
            "statements": statements,
            "api_prefix": prefix,
        },
    )
    return app


class RequestState:
    """Puts into `scope["state"]` what routes and dependencies need. A principal that is known already stays."""

    def __init__(self, app: ASGIApp, state: Mapping[str, Any]) -> None:
        self._app, self._state = app, state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope["state"] = {**scope.get("state", {}), **self._state}
        await self._app(scope, receive, send)


def _methods(operations: tuple[Operation, ...]) -> dict[str, tuple[str, ...]]:
    methods: dict[str, tuple[str, ...]] = {}
    for declared in operations:
        methods[declared.path] = (*methods.get(declared.path, ()), declared.method)
    return methods


def _add_operation(app: FastAPI, path: str, handler: Callable[..., Any], declared: Operation) -> None:
    app.router.add_api_route(
        path,
        handler,
        methods=[declared.method],
        status_code=declared.status,
        name=declared.name,
        route_class_override=OperationRoute,
    )
