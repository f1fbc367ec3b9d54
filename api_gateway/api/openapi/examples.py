"""An example of each resource's document, made of what its schema says: for readers, and valid by that schema."""

from __future__ import annotations

from typing import Any

from api_gateway.api.openapi.schemas import Json
from shared_models.resources import BoundResource, Field

_BY_FORMAT = {
    "date": "2026-02-28",
    "date-time": "2026-02-28T09:30:00+00:00",
    "uuid": "0b9bd4a6-7d2c-4f0e-9c5d-2f6c1a7b8e90",
}


def with_example(schema: Json, resource: BoundResource) -> Json:
    """The component of a resource, with one row as it may be answered; without, where no value can be made up."""
    shown = {name: _value(field) for name, field in resource.fields.items()}
    made = {name: value for name, value in shown.items() if value is not ...}
    return {**schema, "examples": [made]} if made.keys() == shown.keys() else schema


def _value(field: Field) -> Any:
    schema = dict(field.value.schema)
    if "anyOf" in schema:
        schema = dict(schema["anyOf"][0])
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "boolean":
            return True
        case "integer":
            return min(max(1, schema.get("minimum", 1)), schema.get("maximum", 1))
        case "number":
            return 1.5
        case "array":
            return []
        case "object":
            return {}
        case "string":
            return _text(schema, field)
    return None if not schema or field.nullable else ...


def _text(schema: Json, field: Field) -> Any:
    if schema.get("format") in _BY_FORMAT:
        return _BY_FORMAT[schema["format"]]
    if schema.get("contentEncoding") == "base64":
        return "YmFueWFu"
    if "pattern" in schema:  # exact numbers
        return "1" if field.column.type.name != "numeric" or not field.column.type.scale else "12.50"
    return field.name[: schema.get("maxLength", 40)]
