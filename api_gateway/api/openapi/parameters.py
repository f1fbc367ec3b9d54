"""What a reading request may carry: filters, order, pages, and which part of a document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

from api_gateway.api.grammar import WORDS
from api_gateway.api.openapi.patterns import can_be_filtered
from api_gateway.api.openapi.schemas import Json, reference
from api_gateway.api.query import DEFAULT_LIMIT, MAX_EXPORTED, MAX_IN, MAX_LIMIT, MAX_PATTERN, MAX_SORTS
from api_gateway.api.request import reserved
from shared_models.containing import Containing
from shared_models.resources import BoundResource, Field, Link, Resources
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
_CURSOR = {"type": "string", "pattern": "^[A-Za-z0-9_-]+$"}
_GROUPS = {
    "or": "One of these holds.",
    "and": "All of these hold.",
    "not": "Not all of these hold. What is null is unknown, so `not` does not find it.",
}
TEXT_PATTERN = r"^[^\u0000]*$"
_LIKE_PATTERN = r"^(?:[^\\\u0000]|\\[^\u0000])*$"


def filters(resource: BoundResource, resources: Resources, besides: Iterable[str] = ()) -> Iterator[Json]:
    """On its own fields and on those of its parents, and groups. `besides`: words that are no fields here."""
    taken = {*reserved(resource), *besides}
    for field in resource.fields.values():
        for operator in sorted(field.operators, key=_ORDER.index):
            plain = operator == "eq" and field.name not in taken
            name = field.name if plain else f"{field.name}[{operator}]"
            yield _filter(name, f"{field.name} {_MEANINGS[operator]}", field, operator)
    for name, link in resource.links.items():
        if link.kind == "parent" and resource.include_depth > 0:
            yield from _of_parent(name, resources.of(link.target))
    if can_be_filtered(resource, resources):
        for word in WORDS:
            yield _parameter(word, _GROUPS[word], reference(f"{resource.name}Filter"))


def _of_parent(name: str, parent: BoundResource) -> Iterator[Json]:
    """One for each field: all operators of all parents would be the greater part of the document."""
    told = f"of the {name}. Takes an operator in brackets, as the fields of {parent.name} do"
    for field in parent.fields.values():
        if "eq" in field.operators:
            yield _filter(f"{name}.{field.name}", f"{field.name} {told}.", field, "eq")


def _filter(name: str, description: str, field: Field, operator: str) -> Json:
    schema = _operand(field.value, field.containing, operator)
    if schema.get("contentMediaType") == "application/json":
        return {"name": name, "in": "query", "description": description, "content": {"application/json": {}}}
    listed = {"style": "form", "explode": False} if schema.get("type") == "array" else {}
    return _parameter(name, description, schema) | listed


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


def page_parameters(resource: BoundResource) -> Iterator[Json]:
    limit = {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}
    yield _parameter("limit", "Rows of a page.", limit)
    told = "`next_cursor` of the page before; with the same filters and order."
    yield _parameter("cursor", told, _CURSOR)
    yield from _sort(resource, "")
    if resource.totals:
        told = "Say how many rows there are: `estimated` counts up to 10,000 of them."
        yield _parameter("total", told, {"type": "string", "enum": list(resource.totals)})
    yield from search_parameter(resource)


def export_parameters(resource: BoundResource) -> Iterator[Json]:
    limit = {"type": "integer", "format": "int64", "minimum": 1, "maximum": MAX_EXPORTED}
    yield _parameter("limit", "Rows at most; all, if not given.", limit)
    yield _parameter("cursor", "`next_cursor` of a page of this list: only what comes behind it.", _CURSOR)
    yield from _sort(resource, "")
    yield from search_parameter(resource)


def search_parameter(resource: BoundResource) -> Iterator[Json]:
    if resource.search is not None:
        told = 'Rows in which these words are found; "in quotation marks" as they stand, -without, or.'
        yield _parameter(
            "q", told, {"type": "string", "minLength": 1, "maxLength": MAX_PATTERN, "pattern": TEXT_PATTERN}
        )


def _sort(resource: BoundResource, prefix: str) -> Iterator[Json]:
    sortable = [field for field in resource.fields.values() if field.sortable]
    choices = [
        f"{sign}{field.name}{nulls}"
        for field in sortable
        for sign, unusual in (("", ".nullsfirst"), ("-", ".nullslast"))
        for nulls in ("", *([unusual] if field.stored_null else []))
    ]
    if choices:
        yield names_parameter(
            f"{prefix}sort", choices, "By these fields, descending with a minus before the name.", MAX_SORTS
        )


def shape_parameters(resource: BoundResource, resources: Resources) -> Iterator[Json]:
    paths = list(_link_paths(resource, resources, resource.include_depth))
    yield _fields(resource, [(path, resources.of(link.target)) for path, link in paths])
    if paths:
        told = "Parents and children to bring along."
        yield names_parameter("include", [path for path, _ in paths], told)
    for path, link in paths:
        if link.kind == "children":
            yield from _of_children(path, link, resources)


def _fields(resource: BoundResource, included: list[tuple[str, BoundResource]]) -> Json:
    told = "Only these fields, and the key; with the name of a parent or children before them: only these of those."
    parameter = names_parameter("fields", list(resource.fields), told)
    if included:
        inner = "|".join(rf"{path.replace('.', '[.]')}[.](?:{'|'.join(target.fields)})" for path, target in included)
        items = parameter["schema"]["items"]
        parameter["schema"]["items"] = {"anyOf": [items, {"type": "string", "pattern": f"^(?:{inner})$"}]}
    return parameter


def _of_children(path: str, link: Link, resources: Resources) -> Iterator[Json]:
    target = resources.of(link.target)
    if can_be_filtered(target, resources):
        yield _parameter(f"{path}.where", f"Which of {path} to bring along.", reference(f"{target.name}Filter"))
    yield from _sort(target, f"{path}.")
    most = {"type": "integer", "minimum": 1, "maximum": link.limit, "default": link.limit}
    yield _parameter(f"{path}.limit", f"How many of {path} at most.", most)


def _link_paths(resource: BoundResource, resources: Resources, depth: int) -> Iterator[tuple[str, Link]]:
    if depth == 0:
        return
    for name, link in resource.links.items():
        yield name, link
        for inner, deeper in _link_paths(resources.of(link.target), resources, depth - 1):
            yield f"{name}.{inner}", deeper


def _parameter(name: str, description: str, schema: Json) -> Json:
    return {"name": name, "in": "query", "description": description, "schema": schema}


def names_parameter(name: str, choices: list[str], description: str, most: int | None = None) -> Json:
    schema: Json = {"type": "array", "items": {"type": "string", "enum": choices}, "minItems": 1}
    if most is not None:
        schema["maxItems"] = most
    return _parameter(name, description, schema) | {"style": "form", "explode": False}
