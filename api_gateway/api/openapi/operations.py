"""What FastAPI cannot know of a hand-written operation."""

from __future__ import annotations

from api_gateway.api.openapi.jobs import job_answer
from api_gateway.api.openapi.names import get_id
from api_gateway.api.openapi.responses import header, refusals
from api_gateway.api.openapi.schemas import Json, reference
from api_gateway.api.operations import Operation
from shared_models.resources import Resources

IDEMPOTENCY_KEY: Json = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Sent again with the same key, the request is answered again and done once. Kept for a day.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
}


def complete(written: Json, op: Operation, resources: Resources) -> None:
    """What FastAPI cannot know of an operation."""
    statuses = ["400", "401", "403", "406", "414", "500", "503", "504"]
    if "{" in op.path:
        statuses.append("404")
    success: Json = written["responses"].pop("200", None) or written["responses"].pop(str(op.status), {})
    written["responses"].clear()
    if not op.is_safe:
        statuses += ["409", "413", "415", "422"]
        written.setdefault("parameters", []).append(IDEMPOTENCY_KEY)
        success.setdefault("headers", {}).update({**header("Idempotency-Replayed"), **header("Dry-Run")})
    if op.upload is not None:
        statuses.append("408")
        written["requestBody"] = {
            "required": True,
            "content": {op.upload.media: {"schema": {"type": "string", "pattern": op.upload.pattern}}},
        }
        told = f"At most {op.upload.limit} bytes, as text in UTF-8. The same content is not worked off twice at a time."
        written["description"] = f"{written.get('description', '')}\n\n{told}".strip()
    if op.job:
        success = job_answer("It will be done: `Location` tells how far it is.", "Location", "Idempotency-Replayed")
    if op.answer is not None and op.status != 204:
        resource = resources.same(op.answer) or resources.of(op.answer)
        success["content"] = {"application/json": {"schema": reference(resource.name)}}
        if op.status == 201 and resource.key:
            success.setdefault("headers", {}).update(header("Location"))
            key = {field.name: f"$response.body#/{field.name}" for field in resource.key}
            success["links"] = {"get": {"operationId": get_id(resource), "parameters": key}}
    success.setdefault("description", "Done.")
    written["responses"] = {str(op.status): success, **refusals(*statuses)}
    written["operationId"] = op.name
    written["tags"] = [op.path.partition("/")[0]]
    written["description"] = f"{written.get('description', '')}\n\nScope: `{op.scope}`".strip()
