"""GET of a list and of one row: every parameter, header and refusal."""

from __future__ import annotations

from api_gateway.api.openapi.filters import filters, parameter_schema
from api_gateway.api.openapi.names import get_id, list_id
from api_gateway.api.openapi.parameters import page_parameters, prefer, shape_parameters
from api_gateway.api.openapi.responses import OF_READING, always, headers, refusals
from api_gateway.api.openapi.schemas import Json, reference, shown
from api_gateway.api.openapi.shared import Shared
from shared_models.resources import BoundResource, Resources

OF_ANSWERS = ("Server-Timing", "Preference-Applied")


def list_operation(resource: BoundResource, resources: Resources, shared: Shared) -> Json:
    body = {"application/json": {"schema": reference(f"{resource.name}Page")}}
    answer: Json = {"description": "A page of rows.", "headers": headers("Link", *OF_ANSWERS), "content": body}
    return {
        "operationId": list_id(resource),
        "summary": f"List {resource.path}",
        "tags": [resource.path],
        "description": _list_description(resource),
        "parameters": [
            *filters(resource, resources, shared),
            *page_parameters(resource, shared),
            *shape_parameters(resource, resources, shared),
            prefer(shared),
        ],
        "responses": {"200": answer, **refusals(*OF_READING)},
    }


def _list_description(resource: BoundResource) -> str:
    order = ", ".join(("-" if s.descending else "") + s.field for s in resource.sort or resource.order)
    text = f"Ordered by {order} unless `sort` says otherwise."
    if not resource.key:
        text += " Rows have no key: a page may repeat or miss rows while the table changes."
    return text


def get_operation(resource: BoundResource, resources: Resources, shared: Shared) -> Json:
    parameters: list[Json] = [
        {"name": field.name, "in": "path", "required": True, "schema": parameter_schema(field)}
        for field in resource.key
    ]
    known = {"name": "If-None-Match", "in": "header", "schema": {"type": "string"}}
    return {
        "operationId": get_id(resource),
        "summary": f"Get one of {resource.path}",
        "tags": [resource.path],
        "parameters": [*parameters, *shape_parameters(resource, resources, shared), known, prefer(shared)],
        "responses": {
            "200": {
                "description": "The row.",
                "headers": {**headers(*OF_ANSWERS), **always("ETag")},
                "content": {"application/json": {"schema": shown(resource)}},
            },
            "304": {"description": "It has not changed.", "headers": {**headers(*OF_ANSWERS), **always("ETag")}},
            **refusals(*OF_READING),
        },
    }
