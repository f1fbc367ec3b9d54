"""What the document says of what will go: `deprecated`, a sentence, and the headers of its answers."""

from __future__ import annotations

from api_gateway.api.openapi.responses import headers
from api_gateway.api.openapi.schemas import Json
from shared_models.contract import Deprecated

HEADERS = ("Deprecation", "Sunset", "Link")


def retired(operation: Json, deprecated: Deprecated | None) -> Json:
    """The operation, as it is told while it should not be used any more."""
    if deprecated is None:
        return operation
    described = f"{operation.get('description', '')}\n\n{deprecated.sentence()}".strip()
    responses = {
        status: response if "$ref" in response else {**response, "headers": {**_told(), **response.get("headers", {})}}
        for status, response in operation["responses"].items()
    }
    return {**operation, "deprecated": True, "description": described, "responses": responses}


def with_refusals_told(components: Json) -> Json:
    """Refusals are shared by all operations: they carry these headers where what was asked for is deprecated."""
    return {name: {**response, "headers": {**_told(), **response["headers"]}} for name, response in components.items()}


def _told() -> Json:
    return headers(*HEADERS)
