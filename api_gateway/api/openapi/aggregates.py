"""GET of a list summed up: which functions of which fields, by what, and the groups that it gives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from api_gateway.api.aggregate_request import AGGREGATE_WORDS
from api_gateway.api.aggregate_select import MOST_GROUPS
from api_gateway.api.openapi.filters import filters
from api_gateway.api.openapi.names import list_id
from api_gateway.api.openapi.parameters import names_parameter, prefer, search_parameter
from api_gateway.api.openapi.reads import OF_ANSWERS
from api_gateway.api.openapi.responses import OF_READING, headers, refusals
from api_gateway.api.openapi.schemas import Json, nullable, reference
from api_gateway.api.openapi.shared import Shared
from api_gateway.api.query import MAX_GROUPED
from shared_models.contract import Function
from shared_models.resources import Aggregate, BoundAggregates, BoundResource, Resources

_MEANINGS: Mapping[Function, str] = {
    "sum": "The sums of these fields.",
    "avg": "The averages of these fields.",
    "min": "The least values of these fields.",
    "max": "The greatest values of these fields.",
}


def aggregate_operation(resource: BoundResource, known: BoundAggregates, resources: Resources, shared: Shared) -> Json:
    answer = {
        "description": "The groups.",
        "headers": headers(*OF_ANSWERS),
        "content": {"application/json": {"schema": reference(f"{resource.name}Groups")}},
    }
    return {
        "operationId": list_id(resource).replace("list_", "aggregate_", 1),
        "summary": f"Sum up {resource.path}",
        "tags": [resource.path],
        "description": f"How many rows there are, in all or by group; at most {MOST_GROUPS} groups.",
        "parameters": [
            *_words(known),
            *filters(resource, resources, shared, AGGREGATE_WORDS),
            *search_parameter(resource, shared),
            prefer(shared),
        ],
        "responses": {"200": answer, **refusals(*OF_READING)},
    }


def _words(known: BoundAggregates) -> Iterator[Json]:
    if known.by:
        yield names_parameter("by", list(known.by), "One group for each value of these.", MAX_GROUPED)
    told = "Rows are always counted; this may say so."
    yield {"name": "count", "in": "query", "description": told, "schema": {"type": "boolean", "const": True}}
    for function, computed in known.functions.items():
        yield names_parameter(function, list(computed), _MEANINGS[function], MAX_GROUPED)


def aggregate_schemas(resource: BoundResource) -> Json:
    """`…Groups`, `…Group`, and what a group is made of."""
    known = resource.aggregates
    if known is None:
        return {}
    name = resource.name
    count = {"type": "integer", "format": "int64", "minimum": 0, "description": "Rows of this group."}
    schemas: Json = {f"{name}GroupBy": _object(known.by)}
    properties: Json = {"by": reference(f"{name}GroupBy"), "count": count}
    for function, computed in known.functions.items():
        part = f"{name}Group{function.capitalize()}"
        schemas[part] = _object(computed)
        properties[function] = reference(part)
    told = f"Rows of {resource.path} that are alike, summed up."
    schemas[f"{name}Group"] = {
        "type": "object",
        "description": told,
        "required": ["by", "count"],
        "properties": properties,
        "additionalProperties": False,
    }
    data = {"type": "array", "items": reference(f"{name}Group"), "maxItems": MOST_GROUPS}
    schemas[f"{name}Groups"] = {
        "type": "object",
        "required": ["data"],
        "properties": {"data": data},
        "additionalProperties": False,
        "examples": [{"data": [{"by": {}, "count": 17}]}],
    }
    return schemas


def _object(parts: Mapping[str, Aggregate]) -> Json:
    properties = {name: nullable(part.schema) for name, part in parts.items()}
    told = "What was asked for; null where there is no value."
    return {"type": "object", "description": told, "properties": properties, "additionalProperties": False}
