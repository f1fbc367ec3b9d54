"""Which paths a resource has: the one place where kinds of requests are joined."""

from __future__ import annotations

from api_gateway.api.openapi.aggregates import aggregate_operation
from api_gateway.api.openapi.exports import export_operation
from api_gateway.api.openapi.reads import get_operation, list_operation
from api_gateway.api.openapi.schemas import Json
from api_gateway.api.openapi.shared import Shared
from api_gateway.api.openapi.writes import (
    create_operation,
    delete_operation,
    natural_path,
    update_operation,
    upsert_operation,
)
from shared_models.resources import BoundResource, Resources


def resource_paths(resources: Resources, prefix: str, shared: Shared) -> Json:
    """`prefix`: `/api/v1/`. What they share goes into `shared`."""
    paths: Json = {}
    for resource in resources.by_path.values():
        places = [("", _of_all(resource, resources, shared)), (_key(resource), _of_one(resource, resources, shared))]
        if "upsert" in resource.verbs and resource.writing.natural_key:
            places.append((natural_path(resource), {"put": upsert_operation(resource, natural=True)}))
        if "list" in resource.verbs:
            places.append((":export", {"get": export_operation(resource, resources, shared)}))
        if resource.aggregates is not None:
            summing = aggregate_operation(resource, resource.aggregates, resources, shared)
            places.append((":aggregate", {"get": summing}))
        for below, methods in places:
            if methods:
                paths[f"{prefix}{resource.path}{below}"] = methods
    return paths


def _of_all(resource: BoundResource, resources: Resources, shared: Shared) -> Json:
    """What can be asked of the collection, by method."""
    methods: Json = {}
    if "list" in resource.verbs:
        methods["get"] = list_operation(resource, resources, shared)
    if "create" in resource.verbs:
        methods["post"] = create_operation(resource)
    return methods


def _of_one(resource: BoundResource, resources: Resources, shared: Shared) -> Json:
    """What can be asked of one row, by method."""
    methods: Json = {}
    if "get" in resource.verbs and resource.key:
        methods["get"] = get_operation(resource, resources, shared)
    for verb, method, operation in _WRITES:
        if verb in resource.verbs:
            methods[method] = operation(resource)
    if "put" in methods and not all(field.write for field in resource.key):
        del methods["put"]  # only by its natural key
    return methods


_WRITES = (
    ("update", "patch", update_operation),
    ("upsert", "put", upsert_operation),
    ("delete", "delete", delete_operation),
)


def _key(resource: BoundResource) -> str:
    return "/" + ",".join(f"{{{field.name}}}" for field in resource.key)
