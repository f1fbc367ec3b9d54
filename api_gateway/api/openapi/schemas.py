"""JSON Schemas of resources and problem documents, as components of the OpenAPI document (JSON Schema 2020-12)."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import cleandoc
from typing import Any

from shared_models.resources import BoundResource, Field, Link, Resources

Json = dict[str, Any]

PROBLEM: Json = {
    "type": "object",
    "description": "Why the request was refused (RFC 9457). `code` is stable.",
    "required": ["type", "title", "status", "code"],
    "properties": {
        "type": {
            "type": "string",
            "format": "uri-reference",
            "description": "The address of a page that tells what it means.",
        },
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "code": {"type": "string", "examples": ["not_found"]},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "errors": {"type": "array", "items": {"$ref": "#/components/schemas/FieldError"}},
    },
    "examples": [
        {
            "type": "/api/problems/invalid_request",
            "title": "The request cannot be understood.",
            "status": 400,
            "code": "invalid_request",
            "errors": [
                {"code": "invalid_value", "detail": "Expected: a whole number from 1 to 200.", "parameter": "limit"}
            ],
        }
    ],
}
FIELD_ERROR: Json = {
    "type": "object",
    "description": "One fault of the request: where it is, and what is wrong there.",
    "required": ["code", "detail"],
    "properties": {
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "pointer": {"type": "string", "description": "JSON Pointer into the body (RFC 6901)."},
        "parameter": {"type": "string", "description": "Name of the query parameter."},
        "header": {"type": "string", "description": "Name of the header."},
    },
}


def reference(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def nullable(schema: Mapping[str, Any]) -> Json:
    """The schema, or null."""
    if not schema:
        return {}
    if isinstance(schema.get("type"), str) and "enum" not in schema:
        return {**schema, "type": [schema["type"], "null"]}
    return {"anyOf": [dict(schema), {"type": "null"}]}


def component_schemas(resources: Resources) -> Json:
    """Every resource as it is in an answer. `Sparse…`: what `fields` left of it."""
    schemas: Json = {"Problem": PROBLEM, "FieldError": FIELD_ERROR}
    for resource in resources:
        properties = _properties(resource, resources)
        schemas[resource.name] = _object(resource, properties, list(resource.fields))
        keys = [field.name for field in resource.key]
        schemas[f"Sparse{resource.name}"] = {
            **_object(resource, properties, keys),
            "description": f"A {resource.name} with the fields that were asked for; the key is always among them.",
        }
        if resource.path is not None:
            schemas[f"{resource.name}Page"] = _page(resource)
    return schemas


def shown(resource: BoundResource) -> Json:
    """What one row may be in an answer."""
    return {"anyOf": [reference(resource.name), reference(f"Sparse{resource.name}")]}


def _page(resource: BoundResource) -> Json:
    cursor = {"type": ["string", "null"], "description": "Where the next page begins; null: this was the last one."}
    properties: Json = {"data": {"type": "array", "items": shown(resource)}, "next_cursor": cursor}
    if resource.totals:
        properties["total"] = {"type": "integer", "minimum": 0, "description": "Rows in all; only with `total`."}
        told = "false: there are more than `total` says."
        properties["total_exact"] = {"type": "boolean", "description": told}
    return {
        "type": "object",
        "required": ["data", "next_cursor"],
        "properties": properties,
        "additionalProperties": False,
    }


def _object(resource: BoundResource, properties: Json, required: list[str]) -> Json:
    schema: Json = {"type": "object", "properties": properties, "additionalProperties": False}
    if required:
        schema["required"] = required
    if resource.description:
        schema["description"] = cleandoc(resource.description)
    return schema


def _properties(resource: BoundResource, resources: Resources) -> Json:
    fields = {name: _described(_field(field), field.description) for name, field in resource.fields.items()}
    return fields | {name: _link(link, resources) for name, link in resource.links.items()}


def _field(field: Field) -> Json:
    return nullable(field.value.schema) if field.nullable else dict(field.value.schema)


def _link(link: Link, resources: Resources) -> Json:
    target = shown(resources.of(link.target))
    if link.kind == "parent":
        return _described({"anyOf": [*target["anyOf"], {"type": "null"}]}, link.description or "Only with `include`.")
    many = {"type": "array", "items": target, "maxItems": link.limit}
    return _described(many, link.description or "Only with `include`.")


def _described(schema: Json, description: str | None) -> Json:
    return {**schema, "description": description} if description else schema
