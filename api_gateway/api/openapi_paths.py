"""The paths of resources in the OpenAPI document: every parameter, header and refusal."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from api_gateway.api.openapi_schemas import Json, reference, shown
from api_gateway.api.problems import MEDIA_TYPE
from api_gateway.api.request import DEFAULT_LIMIT, MAX_DEPTH, MAX_IN, MAX_LIMIT, MAX_SORTS, RESERVED
from shared_models.resources import BoundResource, Field, Resources

_MEANINGS = {
    "eq": "equal to",
    "ne": "not equal to; rows where it is null are left out",
    "lt": "less than",
    "lte": "less than or equal to",
    "gt": "greater than",
    "gte": "greater than or equal to",
    "in": "equal to one of these",
    "like": "matching this pattern, with % for any characters and _ for one",
    "ilike": "matching this pattern in any case, with % for any characters and _ for one",
    "null": "true: is null; false: is not null",
}
_ORDER = list(_MEANINGS)
TEXT_PATTERN = r"^[^\u0000]*$"
_LIKE_PATTERN = r"^(?:[^\\\u0000]|\\[^\u0000])*$"
_REASONS = {
    "400": "The request cannot be understood; `errors` lists every fault.",
    "401": "There is no valid key.",
    "403": "The key lacks the scope.",
    "404": "There is no such row or page, or the key's owner does not see it.",
    "405": "The method is not allowed here.",
    "406": "A media type is wanted that there is not.",
    "409": "It fits, but what is stored does not allow it; or a twin with the same Idempotency-Key is being worked on.",
    "413": "The body is too large.",
    "414": "The query string is too long.",
    "415": "The body has another media type.",
    "422": "The body does not fit, or a rule does not allow it; `errors` lists every fault.",
    "500": "Something is broken on our side.",
    "503": "The database is away or busy; try again after Retry-After seconds.",
    "504": "The database took too long.",
}
_OF_READING = ("400", "401", "403", "404", "406", "414", "500", "503", "504")
_HEADERS = {"401": "WWW-Authenticate", "403": "WWW-Authenticate", "405": "Allow", "503": "Retry-After"}


def problem_responses(*statuses: str) -> Json:
    return {status: _problem(status) for status in sorted(statuses)}


def _problem(status: str) -> Json:
    response: Json = {
        "description": _REASONS[status],
        "content": {MEDIA_TYPE: {"schema": reference("Problem")}},
    }
    if status in _HEADERS:
        schema = {"type": "integer"} if status == "503" else {"type": "string"}
        response["headers"] = {_HEADERS[status]: {"schema": schema}}
    return response


def resource_paths(resources: Resources, prefix: str) -> Json:
    paths: Json = {}
    for resource in resources.by_path.values():
        if "list" in resource.verbs:
            paths[f"{prefix}{resource.path}"] = {"get": _list(resource, resources)}
        if "get" in resource.verbs and resource.key:
            key = ",".join(f"{{{field.name}}}" for field in resource.key)
            paths[f"{prefix}{resource.path}/{key}"] = {"get": _get(resource, resources)}
    return paths


def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def get_id(resource: BoundResource) -> str:
    return f"get_{snake(resource.name)}"


def _list(resource: BoundResource, resources: Resources) -> Json:
    headers = {"Link": {"description": 'The next page, as rel="next" (RFC 8288).', "schema": {"type": "string"}}}
    body = {"application/json": {"schema": reference(f"{resource.name}List")}}
    answer: Json = {"description": "A page of rows.", "headers": headers, "content": body}
    return {
        "operationId": f"list_{str(resource.path).replace('-', '_')}",
        "summary": f"List {resource.path}",
        "tags": [resource.path],
        "description": _list_description(resource),
        "parameters": [*_filters(resource), *_page_parameters(resource), *_shape_parameters(resource, resources)],
        "responses": {"200": answer, **problem_responses(*_OF_READING)},
    }


def _list_description(resource: BoundResource) -> str:
    order = ", ".join(("-" if s.descending else "") + s.field for s in resource.sort or resource.order)
    text = f"Ordered by {order} unless `sort` says otherwise."
    if not resource.key:
        text += " Rows have no key: a page may repeat or miss rows while the table changes."
    return text


def _get(resource: BoundResource, resources: Resources) -> Json:
    parameters: list[Json] = [
        {"name": field.name, "in": "path", "required": True, "schema": _parameter_schema(field)}
        for field in resource.key
    ]
    etag = {
        "ETag": {
            "description": "Changes with the row (RFC 9110); the part behind a dot with what is included.",
            "schema": {"type": "string"},
        }
    }
    known = {"name": "If-None-Match", "in": "header", "schema": {"type": "string"}}
    return {
        "operationId": get_id(resource),
        "summary": f"Get one of {resource.path}",
        "tags": [resource.path],
        "parameters": [*parameters, *_shape_parameters(resource, resources), known],
        "responses": {
            "200": {
                "description": "The row.",
                "headers": etag,
                "content": {"application/json": {"schema": shown(resource)}},
            },
            "304": {"description": "It has not changed.", "headers": etag},
            **problem_responses(*_OF_READING),
        },
    }


def _filters(resource: BoundResource) -> Iterator[Json]:
    for field in resource.fields.values():
        for operator in sorted(field.operators, key=_ORDER.index):
            plain = operator == "eq" and field.name not in RESERVED
            parameter: Json = {
                "name": field.name if plain else f"{field.name}[{operator}]",
                "in": "query",
                "description": f"{field.name} {_MEANINGS[operator]}",
                "schema": _operand(field, operator),
            }
            if operator == "in":
                parameter |= {"style": "form", "explode": False}
            yield parameter


def _operand(field: Field, operator: str) -> Json:
    if operator == "null":
        return {"type": "boolean"}
    if operator in ("like", "ilike"):
        return {"type": "string", "maxLength": 200, "pattern": _LIKE_PATTERN}
    schema = _parameter_schema(field)
    if operator == "in":
        return {"type": "array", "items": _without_commas(schema), "minItems": 1, "maxItems": MAX_IN}
    return schema


def _parameter_schema(field: Field) -> Json:
    """What may be asked for: the value itself, as text without NUL where it is free text."""
    schema = dict(field.value.schema)
    if schema.get("type") == "string" and not {"enum", "format", "pattern"} & schema.keys():
        schema.pop("maxLength", None)
        schema["pattern"] = TEXT_PATTERN
    return schema


def _without_commas(schema: Json) -> Json:
    return {**schema, "pattern": r"^[^\u0000,]*$"} if schema.get("pattern") == TEXT_PATTERN else schema


def _page_parameters(resource: BoundResource) -> Iterator[Json]:
    limit = {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}
    yield {"name": "limit", "in": "query", "description": "Rows of a page.", "schema": limit}
    yield {
        "name": "cursor",
        "in": "query",
        "description": "`next_cursor` of the page before; with the same filters and order.",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]+$"},
    }
    sortable = [field.name for field in resource.fields.values() if field.sortable]
    if sortable:
        choices = [sign + name for name in sortable for sign in ("", "-")]
        yield _names("sort", choices, "By these fields, descending with a minus before the name.", MAX_SORTS)


def _shape_parameters(resource: BoundResource, resources: Resources) -> Iterator[Json]:
    yield _names("fields", list(resource.fields), "Only these fields, and the key.")
    links = list(_link_paths(resource, resources, MAX_DEPTH))
    if links:
        yield _names("include", links, "Parents and children to bring along.")


def _link_paths(resource: BoundResource, resources: Resources, depth: int) -> Iterator[str]:
    if depth == 0:
        return
    for name, link in resource.links.items():
        yield name
        for inner in _link_paths(resources.of(link.target), resources, depth - 1):
            yield f"{name}.{inner}"


def _names(name: str, choices: list[str], description: str, most: int | None = None) -> Json:
    schema: dict[str, Any] = {"type": "array", "items": {"type": "string", "enum": choices}, "minItems": 1}
    if most is not None:
        schema["maxItems"] = most
    return {
        "name": name,
        "in": "query",
        "description": description,
        "style": "form",
        "explode": False,
        "schema": schema,
    }
