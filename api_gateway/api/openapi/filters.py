"""What a list may be filtered by: its own fields, those of its parents, and groups of such conditions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache, partial
from typing import Any

from api_gateway.api.grammar import WORDS
from api_gateway.api.openapi.parents import parents_parameter
from api_gateway.api.openapi.patterns import can_be_filtered
from api_gateway.api.openapi.schemas import Json, reference
from api_gateway.api.openapi.shared import Shared, digest
from api_gateway.api.query import MAX_IN, MAX_PATTERN
from api_gateway.api.request import reserved
from shared_models.containing import Containing
from shared_models.resources import BoundResource, Field, Resources
from shared_models.values import Value

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
    "contains": "holding this",
    "null": "true: is null; false: is not null",
}
_ORDER = list(_MEANINGS)
_GROUPS = {
    "or": "One of these holds.",
    "and": "All of these hold.",
    "not": "Not all of these hold. What is null is unknown, so `not` does not find it.",
}
TEXT_PATTERN = r"^[^\u0000]*$"
_LIKE_PATTERN = r"^(?:[^\\\u0000]|\\[^\u0000])*$"


# What the component of a filter is called by, where it is one of the plain types.
_TYPES: Mapping[str, Json] = {
    "text": {"type": "string", "pattern": TEXT_PATTERN},
    "boolean": {"type": "boolean"},
    "int32": {"type": "integer", "format": "int32", "minimum": -(2**31), "maximum": 2**31 - 1},
    "int64": {"type": "string", "pattern": "^-?[0-9]+$"},
    "decimal": {"type": "string", "pattern": r"^(-?[0-9]+(\.[0-9]+)?|NaN|-?Infinity)$"},
    **{word: {"type": "string", "format": word} for word in ("date", "date-time", "uuid")},
}
_OF_ANY_TYPE = ("like", "ilike", "null")


def filters(resource: BoundResource, resources: Resources, shared: Shared, besides: tuple[str, ...] = ()) -> list[Json]:
    """On its own fields and on those of its parents, and groups. `besides`: words that are no fields here."""
    key = ("filters", resource.name, besides)
    return shared.remembered(key, lambda: _filters(resource, resources, shared, besides))


def _filters(resource: BoundResource, resources: Resources, shared: Shared, besides: tuple[str, ...]) -> Iterator[Json]:
    taken = {*reserved(resource), *besides}
    for field in resource.fields.values():
        yield from _of_field(field, shared, is_plain=field.name not in taken)
    for name, link in resource.links.items():
        if link.kind == "parent" and resource.include_depth > 0:
            yield from _of_parent(name, resources.of(link.target), shared)
    if parents := parents_parameter(resource, resources, _operand_of, {*taken, *resource.fields}, shared):
        yield shared.refer(f"{resource.name}.parents", parents)
    if can_be_filtered(resource, resources):
        for word in WORDS:
            told = _parameter(word, _GROUPS[word], reference(f"{resource.name}Filter"))
            yield shared.refer(f"{resource.name}.{word}", told)


def _of_field(field: Field, shared: Shared, *, is_plain: bool) -> list[Json]:
    """`is_plain`: its name is a parameter's that means equal."""

    def make() -> Iterator[Json]:
        for operator in sorted(field.operators, key=_ORDER.index):
            plain = operator == "eq" and is_plain
            name = field.name if plain else f"{field.name}[{operator}]"
            parts = [field.name, *([] if plain else [operator])]
            parts += [] if operator in _OF_ANY_TYPE else [_type(field.value, field.containing, operator)]
            told = f"{field.name} {_MEANINGS[operator]}"
            yield shared.refer(".".join(parts), _filter(name, told, field, operator))

    return shared.remembered((field.name, field.value, field.containing, field.operators, is_plain), make)


def _of_parent(name: str, parent: BoundResource, shared: Shared) -> Iterator[Json]:
    """One for each field; their other operators are in `parents`."""
    told = f"of the {name} equal to"

    def make(field: Field) -> Iterator[Json]:
        as_parameter = _filter(f"{name}.{field.name}", f"{field.name} {told}", field, "eq")
        yield shared.refer(f"parent.{name}.{field.name}.{_type(field.value, None, 'eq')}", as_parameter)

    for field in parent.fields.values():
        if "eq" in field.operators:
            yield from shared.remembered((name, field.name, field.value), partial(make, field))


@lru_cache(maxsize=8192)
def _type(value: Value, containing: Containing | None, operator: str) -> str:
    """Such as `int32`; where it is none of the plain types, a digest tells it from others."""
    schema = containing.schema if operator == "contains" and containing is not None else value.schema
    textual = _textual(schema)
    known = next((word for word, plain in _TYPES.items() if plain == textual), None)
    return known or f"{'enum' if 'enum' in textual else textual.get('type', 'value')}-{digest(textual)}"


def _parameter(name: str, description: str, schema: Json) -> Json:
    return {"name": name, "in": "query", "description": description, "schema": schema}


def _filter(name: str, description: str, field: Field, operator: str) -> Json:
    schema = _operand(field.value, field.containing, operator)
    if schema.get("contentMediaType") == "application/json":
        return {"name": name, "in": "query", "description": description, "content": {"application/json": {}}}
    listed = {"style": "form", "explode": False} if schema.get("type") == "array" else {}
    return _parameter(name, description, schema) | listed


def _operand_of(field: Field, operator: str) -> Json:
    return _operand(field.value, field.containing, operator)


@lru_cache(maxsize=8192)  # thousands of columns are of a few dozen types; nobody changes the schema afterwards
def _operand(value: Value, containing: Containing | None, operator: str) -> Json:
    if operator == "null":
        return {"type": "boolean"}
    if operator in ("like", "ilike"):
        return {"type": "string", "maxLength": MAX_PATTERN, "pattern": _LIKE_PATTERN}
    if operator == "contains" and containing is not None:
        schema, is_list = _textual(containing.schema), containing.takes_list
    else:
        schema, is_list = _textual(value.schema), operator == "in"
    if is_list:
        return {"type": "array", "items": _without_commas(schema), "minItems": 1, "maxItems": MAX_IN}
    return schema


def parameter_schema(field: Field) -> Json:
    """What may be asked for: the value itself, as text without NUL where it is free text."""
    return _textual(field.value.schema)


def _textual(of_value: Any) -> Json:
    schema = dict(of_value)
    if schema.get("type") == "string" and not {"enum", "format", "pattern", "contentMediaType"} & schema.keys():
        schema.pop("maxLength", None)
        schema["pattern"] = TEXT_PATTERN
    return schema


def _without_commas(schema: Json) -> Json:
    """A value with a comma, or that begins with a quotation mark, is quoted."""
    if schema.get("pattern") != TEXT_PATTERN:
        return schema
    return {**schema, "pattern": r'^(?:[^\u0000,"][^\u0000,]*|"(?:[^\u0000"\\]|\\[^\u0000])*")?$'}
