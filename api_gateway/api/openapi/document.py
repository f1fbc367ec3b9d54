"""The one OpenAPI 3.1 document: FastAPI writes the operations, we add the resources and what all of them share."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from api_gateway.api.contract import Contract
from api_gateway.api.openapi.aggregates import aggregate_schemas
from api_gateway.api.openapi.examples import with_examples
from api_gateway.api.openapi.filters import TEXT_PATTERN
from api_gateway.api.openapi.jobs import job_paths, job_schemas
from api_gateway.api.openapi.operations import complete
from api_gateway.api.openapi.paths import resource_paths
from api_gateway.api.openapi.patterns import filter_schemas
from api_gateway.api.openapi.responses import component_headers, component_responses, with_what_all_have
from api_gateway.api.openapi.retired import retired, with_refusals_told
from api_gateway.api.openapi.schemas import Json, component_schemas
from api_gateway.api.openapi.security import complete_signing_in, schemes
from api_gateway.api.openapi.shared import Shared
from api_gateway.api.openapi.writes import write_schemas
from api_gateway.api.operations import operation_of
from api_gateway.api.retiring import Lifecycles, lifecycles
from api_gateway.project import Configuration


def document(
    app: FastAPI,
    version: Contract,
    lifecycle: Lifecycles,
    prefix: str,
    others: Iterable[str],
    configuration: Configuration,
) -> Json:
    """Of one version. `prefix`: `/api/v1/`; `others`: those of the other versions."""
    resources, elsewhere = version.resources, tuple(others)
    written: Json = get_openapi(
        title=app.title,
        version=version.version,
        openapi_version="3.1.0",
        description=app.description or None,
        routes=[route for route in app.routes if not getattr(route, "path", "").startswith(elsewhere)],
    )
    operations = [operation_of(handler) for handler in version.operations]
    declared = {(f"{prefix}{op.path}", op.method.lower()): op for op in operations}
    paths = written.get("paths", {})
    for (path, method), op in declared.items():
        complete(paths[path][method], op, resources)
        paths[path][method] = retired(paths[path][method], lifecycle.of_operation(op))
    jobs: str | None = getattr(app.state, "jobs", None)
    if jobs is not None:
        paths |= job_paths(f"{prefix}{jobs}")
    shared = Shared()
    for path, item in resource_paths(resources, prefix, shared).items():
        ends = lifecycle.of_resource(resources.by_path[path.removeprefix(prefix).partition("/")[0].partition(":")[0]])
        paths[path] = {**{method: retired(op, ends) for method, op in item.items()}, **paths.get(path, {})}
    components = written.setdefault("components", {})
    signing: Json = {}
    complete_signing_in(paths, signing, configuration)
    for path, item in paths.items():
        paths[path] = {method: with_what_all_have(op) for method, op in item.items()}
    schemas = {n: _storable(s) for n, s in components.get("schemas", {}).items() if n not in _FASTAPIS_OWN}
    bodies = {n: s for resource in resources for n, s in write_schemas(resource, resources).items()}
    of_jobs = job_schemas() if jobs is not None else {}
    groups = {n: s for resource in resources for n, s in aggregate_schemas(resource).items()}
    documents = component_schemas(resources)
    shown = {**of_jobs, **documents, **filter_schemas(resources), **bodies, **groups, **signing}
    for resource in resources:
        shown |= with_examples(shown, resource)
    components["schemas"] = dict(sorted({**schemas, **shown}.items()))
    refusals = component_responses()
    is_retiring = any(op.get("deprecated") for item in paths.values() for op in item.values())
    components["responses"] = with_refusals_told(refusals) if is_retiring else refusals
    components["headers"] = component_headers()
    if shared.components:
        components["parameters"] = dict(sorted(shared.components.items()))
    components["securitySchemes"] = schemes(configuration)
    security: list[Json] = [{name: []} for name in components["securitySchemes"]]
    whole = {**written, "servers": [{"url": "/"}], "paths": dict(sorted(paths.items())), "security": security}
    _drop_unused(components, paths)
    return whole


def _drop_unused(components: Json, paths: Json) -> None:
    """Responses and headers, which are the same for every API, that no path of this one refers to."""
    given = [answer for item in paths.values() for op in item.values() for answer in op["responses"].values()]
    components["responses"] = _named(components["responses"], given)
    given += components["responses"].values()
    carried = [header for answer in given for header in answer.get("headers", {}).values()]
    components["headers"] = _named(components["headers"], carried)


def _named(parts: Json, users: Iterable[Json]) -> Json:
    names = {user["$ref"].rpartition("/")[2] for user in users if "$ref" in user}
    return {name: part for name, part in parts.items() if name in names}


_FASTAPIS_OWN = ("HTTPValidationError", "ValidationError")


def _storable(schema: Any) -> Any:
    """The schema, with free text without NUL: PostgreSQL cannot store it, so we refuse it."""
    if isinstance(schema, list):
        return [_storable(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {name: _storable(part) for name, part in schema.items()}
    is_free = inner.get("type") == "string" and not {"enum", "const", "format", "pattern"} & inner.keys()
    return {**inner, "pattern": TEXT_PATTERN} if is_free else inner


def frozen(written: Json) -> bytes:
    """The committed form: stable, readable in a review, ends with a newline. Of a large API it is many megabytes."""
    return to_json(written, indent=1) + b"\n"  # as json.dumps would, ten times as fast


def install(app: FastAPI, contract: Contract, prefix: str, configuration: Configuration) -> None:
    """Make `app.openapi()` give the document of the project's own version; each version has its own besides.

    `prefix`: `/api`. `/api/openapi.json` is the own version's, `/api/v2/openapi.json` that of v2. Each is built once,
    when it is first asked for.
    """
    places = {version.version: f"{prefix}/{version.version}/" for version in contract.versions}
    lives = lifecycles(contract, prefix)

    @cache
    def of(name: str) -> Json:
        (version,) = (one for one in contract.versions if one.version == name)
        others = [place for other, place in places.items() if other != name]
        return document(app, version, lives[name], places[name], others, configuration)

    @cache
    def written(name: str) -> bytes:
        return to_json(of(name))

    def serve(name: str) -> None:
        async def openapi(_: Request) -> Response:
            return Response(written(name), media_type="application/json")

        app.router.add_route(f"{places[name]}openapi.json", openapi, include_in_schema=False)

    for name in places:
        serve(name)
    app.state.openapi_of = of
    app.openapi = lambda: of(contract.version)  # type: ignore[method-assign]  # FastAPI says to replace it so
