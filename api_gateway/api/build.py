"""The typed API as one FastAPI application, composed from top to bottom."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from starlette.routing import compile_path
from starlette.types import ASGIApp, Receive, Scope, Send

from api_gateway.api import cors, openapi, problems, signing_in
from api_gateway.api.aggregate_route import AggregateRoute
from api_gateway.api.authentication import Keys
from api_gateway.api.bodies import BodyLimit
from api_gateway.api.contract import Contract, Served
from api_gateway.api.costs import Costs
from api_gateway.api.cursors import Cursors
from api_gateway.api.export_route import ExportRoute
from api_gateway.api.failing import Failing
from api_gateway.api.front import Front, ShortWays
from api_gateway.api.jobs.serving import serve_jobs, uploads_of
from api_gateway.api.jobs.socket_tokens import SocketTokens
from api_gateway.api.limited import Limited
from api_gateway.api.operations import Operation, OperationRoute, operation_of
from api_gateway.api.pages import ProblemTypes, documentation_routes, problem_routes
from api_gateway.api.pinned import Pinned
from api_gateway.api.read_route import ReadRoute
from api_gateway.api.reader import Reader
from api_gateway.api.recognised import Recognising
from api_gateway.api.request import Understanding
from api_gateway.api.resource_route import ResourceRoute, Straight
from api_gateway.api.retiring import Retiring, headers_of, lifecycles, retiring_places
from api_gateway.api.select import Statements
from api_gateway.api.write_route import WriteRoute
from api_gateway.limits import Limits
from api_gateway.project import Project
from shared_models.database import Database

if TYPE_CHECKING:
    from api_gateway.accounts.build import Accounts

MAX_BODY_BYTES = 1024 * 1024
_OWN_STEPS = ("auth", "docs", "openapi.json", "problems")  # below the prefix, of no version


@dataclass(frozen=True, slots=True)
class Databases:
    """The database as `banyan_api` sees it, once for reading and once for writing: the same one is fine."""

    read: Database
    write: Database


def build_api(
    project: Project,
    contract: Contract,
    keys: Callable[[], Keys],
    databases: Databases,
    *,
    secret: str,
    served: Mapping[str, Served] | None = None,
    gateways: Callable[[], int] = lambda: 1,
    accounts: Accounts | None = None,
) -> FastAPI:
    """Resources and operations under `{prefix}/{version}/`, side by side; `{prefix}/docs`, `{prefix}/openapi.json`.

    keys     gives the register as it is now
    secret   signs cursors; the same for every gateway
    served   by version, what the live schema allows; default: the whole contract, which the document always tells
    gateways how many processes share the load, and so each consumer's limit
    accounts recognises and signs in legacy users; None: only API keys are known
    """
    api = project.configuration.api
    app = FastAPI(
        title=api.title,
        version=contract.version,
        docs_url=None,
        redoc_url=None,
        openapi_url=f"{api.prefix}/openapi.json",
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False, "operation_spans": False},
    )
    problems.install(app)
    retiring = lifecycles(contract, api.prefix)
    states: dict[str, Mapping[str, Any]] = {}
    straight: list[ResourceRoute] = []
    cursors = Cursors(secret)
    for version in contract.versions:
        allowed = served[version.version] if served is not None else Served(version.resources)
        prefix = f"{api.prefix}/{version.version}/"
        operations = tuple(operation_of(handler) for handler in version.operations)
        statements = Statements(allowed.resources)
        reader = Reader(statements, Costs(project.configuration.limits.plan_cost))
        understanding = Understanding(allowed.resources, cursors)
        exports = ExportRoute(allowed.resources, understanding, reader)
        reading = ReadRoute(understanding, reader, cursors, exports.formats)
        writing = WriteRoute(allowed.resources, statements)
        summing = AggregateRoute(allowed.resources, reader)
        methods = [*reading.methods, *writing.methods, *summing.methods, *exports.methods]
        handlers = dict(zip(operations, version.operations, strict=True))
        below_rows = [op for op in operations if "{" in op.path]  # `orders/{number}/cancellation` is no key of a row
        for declared in below_rows:
            _add_operation(app, f"{prefix}{declared.path}", handlers[declared], declared)
        straight.append(ResourceRoute(prefix, allowed.resources, methods, _methods(operations)))
        app.router.routes.append(straight[-1])
        for declared in (op for op in operations if op not in below_rows):
            _add_operation(app, f"{prefix}{declared.path}", handlers[declared], declared)
        of_version = retiring[version.version]
        states[prefix] = {
            "resources": allowed.resources,
            "without": allowed.without,
            "statements": statements,
            "api_prefix": prefix,
            "jobs_path": f"{prefix}{api.jobs}",
            "retiring_operations": {op.name: headers_of(of_version.of_operation(op)) for op in operations},
        }
    signing_in.install(app, project.configuration, accounts.desk if accounts is not None else None)
    serve_jobs(app, project, contract, databases.read, databases.write)
    openapi.install(app, contract, api.prefix, project.configuration)
    types = ProblemTypes.of(operation_of(handler) for handler in contract.every_operation)
    app.router.routes += documentation_routes(api.prefix, api.title, [one.version for one in contract.versions])
    app.router.routes += problem_routes(api.prefix, types)
    app.add_middleware(Straight, routes=straight)
    app.add_middleware(Failing)
    app.add_middleware(BodyLimit, limit=MAX_BODY_BYTES, uploads=uploads_of(contract, api.prefix))
    limited = project.configuration.limits
    limits = Limits(limited.requests_per_minute, limited.anonymous_per_minute, shared_by=gateways)
    app.add_middleware(Limited, limits=limits, trusted_hops=project.configuration.edge.trusted_hops)
    places = retiring_places(contract, api.prefix)
    if places:
        app.add_middleware(Retiring, places=places)
    if accounts is not None:
        hops = project.configuration.edge.trusted_hops
        app.add_middleware(Recognising, recognition=accounts.recognition, trusted_hops=hops)
    nobody = project.convention.session(None)  # until it is known who acts
    state = {
        "keys": keys,
        "problem_types": api.problem_types,
        "convention": project.convention,
        "read_database": databases.read.acting(nobody),
        "write_database": databases.write.acting(nobody),
    }
    app.add_middleware(RequestState, state=state, versions=states)
    app.add_middleware(Pinned, prefix=api.prefix, versions=list(retiring), own=_OWN_STEPS, keys=keys)
    app.add_middleware(SocketTokens)
    cors.install(app, project.configuration.cors, api)
    routes = [(route.prefix, route, {**state, **states[route.prefix]}) for route in straight]
    ways = ShortWays(routes, keys, limits, MAX_BODY_BYTES, open=bool(project.configuration.cors.origins))
    app.state.front = Front(app, None if places else ways)
    return app


def front_of(app: FastAPI) -> ASGIApp:
    """The typed API as it is served: with its log, and with its short ways."""
    front: Front = app.state.front
    return front


class RequestState:
    """Puts into `scope["state"]` what routes and dependencies need. A principal that is known already stays.

    versions  what each version has for itself, by the beginning of its paths; the first is anything else's too
    """

    def __init__(self, app: ASGIApp, state: Mapping[str, Any], versions: Mapping[str, Mapping[str, Any]]) -> None:
        self._app = app
        self._states = {prefix: {**state, **own} for prefix, own in versions.items()}
        self._first = next(iter(self._states.values()))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            scope["state"] = {**scope.get("state", {}), **self._of(scope["path"])}
        await self._app(scope, receive, send)

    def _of(self, path: str) -> Mapping[str, Any]:
        for prefix, state in self._states.items():
            if path.startswith(prefix):
                return state
        return self._first


def _methods(operations: tuple[Operation, ...]) -> Callable[[str], tuple[str, ...]]:
    """Which methods operations answer at a path below the prefix."""
    places = [(compile_path(declared.path)[0], declared.method) for declared in operations]

    def at(below: str) -> tuple[str, ...]:
        return tuple([method for path, method in places if path.match(below)]) if places else ()

    return at


def _add_operation(app: FastAPI, path: str, handler: Callable[..., Any], declared: Operation) -> None:
    app.router.add_api_route(
        path,
        handler,
        methods=[declared.method],
        status_code=declared.status,
        name=declared.name,
        route_class_override=OperationRoute,
    )
