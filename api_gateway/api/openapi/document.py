"""The one OpenAPI 3.1 document: FastAPI writes the operations, we add the resources and what all of them share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic_core import to_json

from api_gateway.api.openapi.operations import complete
from api_gateway.api.openapi.parameters import TEXT_PATTERN
from api_gateway.api.openapi.paths import resource_paths
from api_gateway.api.openapi.patterns import filter_schemas
from api_gateway.api.openapi.responses import component_headers, component_responses, with_what_all_have
from api_gateway.api.openapi.schemas import Json, component_schemas
from api_gateway.api.openapi.writes import write_schemas
from api_gateway.api.operations import Operation
from shared_models.resources import Resources

SECURITY: list[Json] = [{"bearer": []}, {"key": []}]
SCHEMES: Json = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "The API key as a bearer token."},
    "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}


def document(app: FastAPI, resources: Resources, operations: Iterable[Operation], prefix: str) -> Json:
    """`prefix`: `/api/v1/`."""
    written: Json = get_openapi(
        title=app.title,
        version=app.version,
        openapi_version="3.1.0",
        description=app.description or None,
        routes=app.routes,
    )
    declared = {(f"{prefix}{op.path}", op.method.lower()): op for op in operations}
    paths = written.get("paths", {})
    for (path, method), op in declared.items():
        complete(paths[path][method], op, resources)
    for path, item in resource_paths(resources, prefix).items():
        paths[path] = {**item, **paths.get(path, {})}
    for path, item in paths.items():
        paths[path] = {method: with_what_all_have(op) for method, op in item.items()}
    components = written.setdefault("components", {})
    schemas = {n: _storable(s) for n, s in components.get("schemas", {}).items() if n not in _FASTAPIS_OWN}
    bodies = {n: s for resource in resources for n, s in write_schemas(resource, resources).items()}
    shown = {**component_schemas(resources), **filter_schemas(resources), **bodies}
    components["schemas"] = dict(sorted({**schemas, **shown}.items()))
    components["responses"], components["headers"] = component_responses(), component_headers()
    components["securitySchemes"] = SCHEMES
    whole = {**written, "servers": [{"url": "/"}], "paths": dict(sorted(paths.items())), "security": SECURITY}
    _drop_unused(whole, ("responses", "headers"))
    return whole


def _drop_unused(whole: Json, kinds: tuple[str, ...]) -> None:
    """Components that no path of this API refers to, of the kinds that are the same for every API."""
    for kind in kinds:
        text = to_json(whole).decode()
        parts = whole["components"][kind]
        whole["components"][kind] = {n: part for n, part in parts.items() if f'"#/components/{kind}/{n}"' in text}


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


def frozen(written: Json) -> str:
    """The committed form: stable, readable in a review, ends with a newline."""
    return to_json(written, indent=1).decode() + "\n"  # as json.dumps would, ten times as fast


def install(app: FastAPI, resources: Resources, operations: Iterable[Operation], prefix: str) -> None:
    """Make `app.openapi()` give the whole document, built once."""
    listed = tuple(operations)

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = document(app, resources, listed, prefix)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI says to replace it so
