"""What a reading request may carry: filters, order, pages, and which part of a document."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from api_gateway.api.openapi.schemas import Json
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


def filters(resource: BoundResource) -> Iterator[Json]:
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
    schema = parameter_schema(field)
    if operator == "in":
        return {"type": "array", "items": _without_commas(schema), "minItems": 1, "maxItems": MAX_IN}
    return schema


def parameter_schema(field: Field) -> Json:
    """What may be asked for: the value itself, as text without NUL where it is free text."""
    schema = dict(field.value.schema)
    if schema.get("type") == "string" and not {"enum", "format", "pattern"} & schema.keys():
        schema.pop("maxLength", None)
        schema["pattern"] = TEXT_PATTERN
    return schema


def _without_commas(schema: Json) -> Json:
    return {**schema, "pattern": r"^[^\u0000,]*$"} if schema.get("pattern") == TEXT_PATTERN else schema


def page_parameters(resource: BoundResource) -> Iterator[Json]:
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


def shape_parameters(resource: BoundResource, resources: Resources) -> Iterator[Json]:
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
