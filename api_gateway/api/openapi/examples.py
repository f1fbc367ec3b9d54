"""Examples of what is answered and of what is sent, made of what the schemas say: for readers, and valid by them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from api_gateway.api.openapi.schemas import Json
from shared_models.resources import BoundResource

_BY_FORMAT = {
    "date": "2026-02-28",
    "date-time": "2026-02-28T09:30:00+00:00",
    "uuid": "0b9bd4a6-7d2c-4f0e-9c5d-2f6c1a7b8e90",
}
_TEXTS = ("12.50", "1.5", "1", "A", "US", "a@b.example", "2026-02-28", "09:30:00", "0" * 8)


def with_examples(schemas: Json, resource: BoundResource) -> Json:
    """The components of a resource, each with what it may hold; without, where no value can be made up.

    `schemas`: by name, those of all resources.
    """
    found: Json = {}
    if row := _row(schemas[resource.name], resource.fields):
        found[resource.name] = row
        found[f"{resource.name}Page"] = {"data": [row], "next_cursor": None}
        found[f"{resource.name}Batch"] = {"data": [row]}
    for name in (f"New{resource.name}", f"{resource.name}Put"):
        if name in schemas and (new := _body(schemas[name], schemas)):
            found[name] = new
    patch = schemas.get(f"{resource.name}Patch", {}).get("properties", {})
    if changed := {name: value for name, part in patch.items() if (value := _value(part, name)) is not ...}:
        found[f"{resource.name}Patch"] = dict(list(changed.items())[:1])
    return {name: {**schemas[name], "examples": [one]} for name, one in found.items() if name in schemas}


def _row(schema: Json, fields: Iterable[str]) -> Json | None:
    """One row with all of its fields, and nothing that has to be included."""
    shown = {name: _value(schema["properties"][name], name) for name in fields}
    return None if ... in shown.values() else shown


def _body(schema: Json, schemas: Mapping[str, Json]) -> Json | None:
    """A new row with every field that can be made up, and one of each kind of children."""
    properties: Json = schema.get("properties", {})
    made = {name: _value(part, name) for name, part in properties.items()}
    for name, part in properties.items():
        if "$ref" in (items := part.get("items", {})):
            child = _body(schemas[items["$ref"].rpartition("/")[2]], schemas)
            made[name] = ... if child is None else [child]
    found = {name: value for name, value in made.items() if value is not ...}
    return found if found and found.keys() >= set(schema.get("required", [])) else None


def _value(schema: Mapping[str, Any], name: str) -> Any:
    """Of what stands under this name; ...: none comes to mind."""
    if "anyOf" in schema:
        return _value(schema["anyOf"][0], name)
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    match kind[0] if isinstance(kind, list) else kind:
        case "boolean":
            return True
        case "integer":
            least = max(schema.get("minimum", 1), schema.get("exclusiveMinimum", 0) + 1, 1)
            value = least + -least % schema.get("multipleOf", 1)
            most = schema.get("maximum", value)
            return min(value, most)
        case "number":
            return max(1.5, schema.get("minimum", 1.5))
        case "array":
            return []
        case "object":
            return {}
        case "string":
            return _text(schema, name)
        case None:
            return None if not (schema.keys() - {"description"}) else ...
        case _:
            return ...


def _text(schema: Mapping[str, Any], name: str) -> Any:
    if schema.get("format") in _BY_FORMAT:
        return _BY_FORMAT[schema["format"]]
    if schema.get("contentEncoding") == "base64":
        return "YmFueWFu"
    least, most = schema.get("minLength", 0), schema.get("maxLength", 40)
    pattern = schema.get("pattern", "")
    exact = "[0-9]" in pattern  # numbers, which no name can be
    texts = (*_TEXTS,) if exact else (name[:most].ljust(least, "x"), *_TEXTS)
    fitting = (text for text in texts if least <= len(text) <= most and re.search(pattern, text))
    return next(fitting, ...)
