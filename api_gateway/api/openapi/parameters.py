"""What a reading request may carry besides filters: order, pages, and which part of a document."""

from __future__ import annotations

from collections.abc import Iterator

from api_gateway.api.openapi.filters import TEXT_PATTERN
from api_gateway.api.openapi.patterns import can_be_filtered
from api_gateway.api.openapi.schemas import Json, reference
from api_gateway.api.openapi.shared import Shared
from api_gateway.api.query import DEFAULT_LIMIT, MAX_EXPORTED, MAX_LIMIT, MAX_PATTERN, MAX_SORTS
from shared_models.resources import BoundResource, Link, Resources

_CURSOR = {"type": "string", "pattern": "^[A-Za-z0-9_-]+$"}
_PREFER: Json = {
    "name": "Prefer",
    "in": "header",
    "description": "`handling=strict`: refuse what is not understood, as is always done (RFC 7240).",
    "schema": {"type": "string"},
}


def prefer(shared: Shared) -> Json:
    return shared.refer("prefer", _PREFER)


def page_parameters(resource: BoundResource, shared: Shared) -> Iterator[Json]:
    limit = {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}
    yield shared.refer("limit", _parameter("limit", "Rows of a page.", limit))
    told = "`next_cursor` of the page before; with the same filters and order."
    yield shared.refer("cursor", _parameter("cursor", told, _CURSOR))
    yield from _sort(resource, resource, "", shared)
    if resource.totals:
        told = "Say how many rows there are: `estimated` counts up to 10,000 of them."
        yield _parameter("total", told, {"type": "string", "enum": list(resource.totals)})
    yield from search_parameter(resource, shared)


def export_parameters(resource: BoundResource, shared: Shared) -> Iterator[Json]:
    limit = {"type": "integer", "format": "int64", "minimum": 1, "maximum": MAX_EXPORTED}
    yield shared.refer("limit.export", _parameter("limit", "Rows at most; all, if not given.", limit))
    told = "`next_cursor` of a page of this list: only what comes behind it."
    yield shared.refer("cursor.export", _parameter("cursor", told, _CURSOR))
    yield from _sort(resource, resource, "", shared)
    yield from search_parameter(resource, shared)


def search_parameter(resource: BoundResource, shared: Shared) -> Iterator[Json]:
    if resource.search is not None:
        told = 'Rows in which these words are found; "in quotation marks" as they stand, -without, or.'
        words: Json = {"type": "string", "minLength": 1, "maxLength": MAX_PATTERN, "pattern": TEXT_PATTERN}
        yield shared.refer("q", _parameter("q", told, words))


def _sort(resource: BoundResource, sorted_by: BoundResource, prefix: str, shared: Shared) -> list[Json]:
    def make() -> Iterator[Json]:
        choices = [
            f"{sign}{field.name}{nulls}"
            for field in sorted_by.fields.values()
            for sign, unusual in (("", ".nullsfirst"), ("-", ".nullslast"))
            for nulls in ("", *([unusual] if field.stored_null else []))
            if field.sortable
        ]
        if choices:
            told = "By these fields, descending with a minus before the name."
            parameter = names_parameter(f"{prefix}sort", choices, told, MAX_SORTS)
            yield shared.refer(f"{resource.name}.{prefix}sort", parameter)

    return shared.remembered(("sort", resource.name, prefix), make)


def shape_parameters(resource: BoundResource, resources: Resources, shared: Shared) -> list[Json]:
    """Which part of a document, and what with it: the same for a list, an export and one row."""
    return shared.remembered(("shape", resource.name), lambda: _shape(resource, resources, shared))


def _shape(resource: BoundResource, resources: Resources, shared: Shared) -> Iterator[Json]:
    paths = list(_link_paths(resource, resources, resource.include_depth))
    named = [(path, resources.of(link.target)) for path, link in paths]
    yield shared.refer(f"{resource.name}.fields", _fields(resource, named))
    if paths:
        told = "Parents and children to bring along."
        yield shared.refer(f"{resource.name}.include", names_parameter("include", [path for path, _ in paths], told))
    for path, link in paths:
        if link.kind == "children":
            yield from _of_children(resource, path, link, resources, shared)


def _fields(resource: BoundResource, included: list[tuple[str, BoundResource]]) -> Json:
    told = "Only these fields, and the key; with the name of a parent or children before them: only these of those."
    parameter = names_parameter("fields", list(resource.fields), told)
    if included:
        inner = "|".join(rf"{path.replace('.', '[.]')}[.](?:{'|'.join(target.fields)})" for path, target in included)
        items = parameter["schema"]["items"]
        parameter["schema"]["items"] = {"anyOf": [items, {"type": "string", "pattern": f"^(?:{inner})$"}]}
    return parameter


def _of_children(
    resource: BoundResource, path: str, link: Link, resources: Resources, shared: Shared
) -> Iterator[Json]:
    target = resources.of(link.target)
    if can_be_filtered(target, resources):
        where = _parameter(f"{path}.where", f"Which of {path} to bring along.", reference(f"{target.name}Filter"))
        yield shared.refer(f"{resource.name}.{path}.where", where)
    yield from _sort(resource, target, f"{path}.", shared)
    most = {"type": "integer", "minimum": 1, "maximum": link.limit, "default": link.limit}
    told = f"How many of {path} at most."
    yield shared.refer(f"{resource.name}.{path}.limit", _parameter(f"{path}.limit", told, most))


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
