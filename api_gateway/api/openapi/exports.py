"""GET of a whole list as a file."""

from __future__ import annotations

from api_gateway.api.openapi.filters import filters
from api_gateway.api.openapi.names import list_id
from api_gateway.api.openapi.parameters import export_parameters, prefer, shape_parameters
from api_gateway.api.openapi.reads import OF_ANSWERS
from api_gateway.api.openapi.responses import OF_READING, headers, refusals
from api_gateway.api.openapi.schemas import Json
from api_gateway.api.openapi.shared import Shared
from shared_models.resources import BoundResource, Resources


def export_operation(resource: BoundResource, resources: Resources, shared: Shared) -> Json:
    text = {"schema": {"type": "string"}}
    answer = {
        "description": "Every row: with a header line (RFC 4180), or a JSON document a line.",
        "headers": headers("Content-Disposition", *OF_ANSWERS),
        "content": {"text/csv": text, "application/x-ndjson": text},
    }
    return {
        "operationId": list_id(resource).replace("list_", "export_", 1),
        "summary": f"Export {resource.path}",
        "tags": [resource.path],
        "description": "The whole list as a file, in the form that `Accept` chooses: CSV unless it says otherwise.",
        "parameters": [
            *filters(resource, resources, shared),
            *export_parameters(resource, shared),
            *shape_parameters(resource, resources, shared),
            prefer(shared),
        ],
        "responses": {"200": answer, **refusals(*OF_READING)},
    }
