"""POST, PATCH, PUT and DELETE of a resource, each where the contract has the verb: bodies, preconditions, refusals."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from api_gateway.api.openapi.filters import parameter_schema
from api_gateway.api.openapi.names import get_id, snake
from api_gateway.api.openapi.operations import IDEMPOTENCY_KEY
from api_gateway.api.openapi.responses import headers, refusals
from api_gateway.api.openapi.schemas import Json, nullable, reference
from shared_models.resources import BoundResource, Field, Resources
from shared_models.rows import KINDS, implied
from shared_models.schema_names import body_of_child

_JSON = "application/json"
_MERGE_PATCH = "application/merge-patch+json"
_REFUSED = ("400", "401", "403", "406", "409", "414", "500", "503", "504")
_OF_BODIES = ("413", "415", "422")
_DRY_RUN: Json = {
    "name": "dry_run",
    "in": "query",
    "description": "Check and do everything, answer with 200, and roll back.",
    "schema": {"type": "boolean"},
}
_PREFER: Json = {
    "name": "Prefer",
    "in": "header",
    "description": "`return=minimal`: no document in the answer; what is not understood is passed over (RFC 7240).",
    "schema": {"type": "string", "examples": ["return=minimal", "return=representation"]},
}


def create_operation(resource: BoundResource) -> Json:
    new = reference(f"New{resource.name}")
    many = {"type": "array", "items": new, "minItems": 1, "maxItems": resource.writing.max_rows}
    one = {"application/json": {"schema": {"anyOf": [reference(resource.name), reference(f"{resource.name}Batch")]}}}
    return {
        "operationId": f"create_{snake(resource.name)}",
        "summary": f"Create one of {resource.path}, or several",
        "tags": [resource.path],
        "description": f"An array creates all of its rows or none.\n\nScope: `{resource.writing.scope}`",
        "parameters": [IDEMPOTENCY_KEY, _PREFER, _DRY_RUN],
        "requestBody": {"required": True, "content": {_JSON: {"schema": {"anyOf": [new, many]}}}},
        "responses": {
            "200": {"description": "What would be created: a dry run.", "headers": headers("Dry-Run"), "content": one},
            "201": {**_created(resource), "content": one},
            "204": _MINIMAL,
            **refusals(*_REFUSED, *_OF_BODIES),
        },
    }


def update_operation(resource: BoundResource) -> Json:
    body = {"schema": reference(f"{resource.name}Patch")}
    return {
        "operationId": f"update_{snake(resource.name)}",
        "summary": f"Change one of {resource.path}",
        "tags": [resource.path],
        "description": f"A merge patch (RFC 7396).\n\nScope: `{resource.writing.scope}`",
        "parameters": [*_keys(resource), *_conditions(resource, ["If-Match"]), IDEMPOTENCY_KEY, _PREFER, _DRY_RUN],
        "requestBody": {"required": True, "content": {_MERGE_PATCH: body, _JSON: body}},
        "responses": {"200": _row(resource), "204": _MINIMAL, **refusals(*_of_one(resource), *_OF_BODIES)},
    }


def upsert_operation(resource: BoundResource, *, natural: bool = False) -> Json:
    named = resource.writing.natural_key if natural else resource.key
    by = f"_by_{'_'.join(field.name for field in named)}" if natural else ""
    return {
        "operationId": f"put_{snake(resource.name)}{by}",
        "summary": f"Replace or create one of {resource.path}",
        "tags": [resource.path],
        "description": f"What is absent goes back to its default.\n\nScope: `{resource.writing.scope}`",
        "parameters": [
            *_keys(resource, named),
            *_conditions(resource, ["If-Match", "If-None-Match"]),
            IDEMPOTENCY_KEY,
            _PREFER,
            _DRY_RUN,
        ],
        "requestBody": {"required": True, "content": {_JSON: {"schema": reference(f"{resource.name}Put")}}},
        "responses": {
            "200": _row(resource),
            "201": {**_created(resource), "content": {_JSON: {"schema": reference(resource.name)}}},
            "204": _MINIMAL,
            **refusals(*_of_one(resource), *_OF_BODIES),
        },
    }


def delete_operation(resource: BoundResource) -> Json:
    gone = {_JSON: {"schema": reference(resource.name)}}
    return {
        "operationId": f"delete_{snake(resource.name)}",
        "summary": f"Delete one of {resource.path}",
        "tags": [resource.path],
        "description": f"Scope: `{resource.writing.scope}`",
        "parameters": [*_keys(resource), *_conditions(resource, ["If-Match"]), IDEMPOTENCY_KEY, _DRY_RUN],
        "responses": {
            "200": {"description": "What would be deleted: a dry run.", "headers": headers("Dry-Run"), "content": gone},
            "204": {"description": "It is gone.", "headers": headers("Idempotency-Replayed")},
            **refusals(*_of_one(resource)),
        },
    }


def natural_path(resource: BoundResource) -> str:
    """Below the resource's path: `/by-reference/{reference}`."""
    names = [field.name for field in resource.writing.natural_key]
    return f"/by-{','.join(names)}/" + ",".join(f"{{{name}}}" for name in names)


def write_schemas(resource: BoundResource, resources: Resources) -> Json:
    """The bodies: `New…`, `…Patch`, `…Put`, and the answer `…Batch`."""
    found: Json = {}
    if {"create", "upsert"}.intersection(resource.verbs):
        children = {}
        for link in resource.written_links:
            target = resources.of(link.target)
            body = body_of_child(link, resource, resources.bound)
            children[link.name] = {"type": "array", "items": reference(body), "maxItems": link.limit}
            taken = frozenset(other for _, other in link.pairs)
            numbered = () if link.numbered is None else (link.numbered,)
            found[body] = _new(target, taken, {}, optional=numbered)
        if "create" in resource.verbs:
            found[f"New{resource.name}"] = _new(resource, frozenset(), children)
            batch = {"data": {"type": "array", "items": reference(resource.name)}}
            found[f"{resource.name}Batch"] = _closed(batch, ["data"], "The new rows, in the order of the request.")
        if "upsert" in resource.verbs:
            named = [f.name for f in (*resource.key, *resource.writing.natural_key)]
            found[f"{resource.name}Put"] = _new(resource, frozenset(), children, optional=named)
    if "update" in resource.verbs:
        changing = {f.name: input_schema(f) for f in resource.fields.values() if f.write is True}
        found[f"{resource.name}Patch"] = _closed(changing, [], "What is absent stays as it is.")
    return found


def input_schema(field: Field) -> Json:
    """What a body may hold, which is narrower than what an answer may show."""
    schema: Json = {**field.value.schema, **parameter_schema(field), **field.limits}
    column = field.column.type
    if "maxLength" in field.value.schema:
        schema["maxLength"] = min(field.value.schema["maxLength"], schema.get("maxLength", 1 << 31))
    if column.name == "numeric" and not column.is_array and schema.get("type") == "string" and column.precision:
        scale = max(column.scale or 0, 0)
        behind = rf"(\.[0-9]{{1,{scale}}})?" if scale else ""
        schema["pattern"] = rf"^-?[0-9]{{1,{max(column.precision - (column.scale or 0), 1)}}}{behind}$"
    if field.description:
        schema["description"] = field.description
    return nullable(schema) if field.takes_null else schema


def _new(resource: BoundResource, taken: frozenset[str], children: Json, optional: Iterable[str] = ()) -> Json:
    covered = taken | {name for kind in KINDS for name in implied(resource.rows, kind)}
    fields = [f for f in resource.fields.values() if f.write and taken.isdisjoint(f.column_names)]
    required = [f.name for f in fields if f.name not in optional and _is_needed(f, covered)]
    properties = {field.name: input_schema(field) for field in fields}
    return _closed({**properties, **children}, required, f"A new row of {resource.path or resource.name}.")


def _is_needed(field: Field, covered: Iterable[str]) -> bool:
    return not (field.has_default or field.takes_null or not field.column_names.isdisjoint(covered))


def _closed(properties: Json, required: list[str], description: str) -> Json:
    schema: Json = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**schema, "description": description, **({"required": required} if required else {})}


def _keys(resource: BoundResource, named: Iterable[Field] | None = None) -> list[Json]:
    fields = resource.key if named is None else named
    return [{"name": f.name, "in": "path", "required": True, "schema": parameter_schema(f)} for f in fields]


def _conditions(resource: BoundResource, names: list[str]) -> list[Json]:
    told = {
        "If-Match": "The tag of the row as the caller knows it (RFC 9110).",
        "If-None-Match": "`*`: only if there is no such row.",
    }
    schema: Json = {"type": "string", "pattern": r'^(\*|(W/)?"[!#-~]*"(, ?(W/)?"[!#-~]*")*)$'}
    needed = resource.writing.if_match and len(names) == 1
    return [{"name": n, "in": "header", "required": needed, "description": told[n], "schema": schema} for n in names]


def _of_one(resource: BoundResource) -> tuple[str, ...]:
    return (*_REFUSED, "404", "412", *(["428"] if resource.writing.if_match else []))


def _row(resource: BoundResource) -> Json:
    content = {_JSON: {"schema": reference(resource.name)}}
    return {
        "description": "The row as it is now.",
        "headers": headers("ETag", "Dry-Run", "Idempotency-Replayed"),
        "content": content,
    }


_MINIMAL: Json = {
    "description": "Done, as briefly as was preferred.",
    "headers": headers("ETag", "Location", "Preference-Applied"),
}


def _created(resource: BoundResource) -> Json:
    told = headers("ETag", "Location", "Preference-Applied", "Idempotency-Replayed")
    created: dict[str, Any] = {"description": "The row as it is now.", "headers": told}
    if "get" in resource.verbs:
        key = {field.name: f"$response.body#/{field.name}" for field in resource.key}
        created["links"] = {"get": {"operationId": get_id(resource), "parameters": key}}
    return created
