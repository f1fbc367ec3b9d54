"""Which paths a resource has: the one place where kinds of requests are joined."""

from __future__ import annotations

from api_gateway.api.openapi.reads import get_operation, list_operation
from api_gateway.api.openapi.schemas import Json
from shared_models.resources import BoundResource, Resources


def resource_paths(resources: Resources, prefix: str) -> Json:
    """`prefix`: `/api/v1/`."""
    paths: Json = {}
    for resource in resources.by_path.values():
        for below, methods in (("", _of_all(resource, resources)), (_key(resource), _of_one(resource, resources))):
            if methods:
                paths[f"{prefix}{resource.path}{below}"] = methods
    return paths


def _of_all(resource: BoundResource, resources: Resources) -> Json:
    """What can be asked of the collection, by method."""
    methods: Json = {}
    if "list" in resource.verbs:
        methods["get"] = list_operation(resource, resources)
    return methods


def _of_one(resource: BoundResource, resources: Resources) -> Json:
    """What can be asked of one row, by method."""
    methods: Json = {}
    if "get" in resource.verbs and resource.key:
        methods["get"] = get_operation(resource, resources)
    return methods


def _key(resource: BoundResource) -> str:
    return "/" + ",".join(f"{{{field.name}}}" for field in resource.key)
