"""Jobs at their addresses: the paths that a project has as soon as it has a task."""

from __future__ import annotations

from api_gateway.api.openapi.responses import headers, refusals
from api_gateway.api.openapi.schemas import Json, reference
from api_gateway.jobs.listing import STATES

_MOMENT: Json = {"type": ["string", "null"], "format": "date-time"}
_COUNT: Json = {"type": "integer", "minimum": 0}
_OF_ALL = ("401", "404", "500", "503", "504")
_REF: Json = {
    "name": "ref",
    "in": "path",
    "required": True,
    "description": "The job's name, from `Location`.",
    "schema": {"type": "string", "format": "uuid"},
}

_MEMBERS: Json = {
    "id": {"type": "string", "format": "uuid"},
    "task": {"type": "string", "description": "What is done."},
    "status": {"type": "string", "enum": sorted(STATES)},
    "stopping": {"type": "boolean", "description": "It was told to stop, and has not yet."},
    "created_at": _MOMENT,
    "started_at": _MOMENT,
    "finished_at": _MOMENT,
    "runs": {**_COUNT, "description": "How often it was begun."},
    "done": {**_COUNT, "description": "How far it is: lines of a file, with its first."},
    "total": {"type": ["integer", "null"], "minimum": 0},
    "faults": {**_COUNT, "description": "Rows that could not be taken; the report tells which, and why."},
    "result": {"type": ["object", "null"], "description": "What the task tells; its own."},
    "error": {
        "description": "Why it failed.",
        "oneOf": [
            {"type": "null"},
            {
                "type": "object",
                "required": ["code", "title", "detail"],
                "properties": {
                    "code": {"type": "string"},
                    "title": {"type": "string"},
                    "detail": {"type": ["string", "null"]},
                },
            },
        ],
    },
}


def job_schemas() -> dict[str, Json]:
    return {"Job": {"type": "object", "required": list(_MEMBERS), "properties": _MEMBERS}}


def job_answer(description: str, *also: str) -> Json:
    """An answer with a job's document."""
    return {
        "description": description,
        "headers": headers("ETag", "Retry-After", *also),
        "content": {"application/json": {"schema": reference("Job")}},
    }


def job_paths(path: str) -> dict[str, Json]:
    at = f"{path}/{{ref}}"
    show: Json = {
        "operationId": "getJob",
        "summary": "How far a job is",
        "description": "`Retry-After`: when to ask again; without it the job is over.",
        "parameters": [_REF],
        "responses": {
            "200": job_answer("The job."),
            "304": {"description": "It is as `If-None-Match` says."},
            **refusals(*_OF_ALL),
        },
    }
    cancel: Json = {
        "operationId": "cancelJob",
        "summary": "Cancel a job",
        "description": "What a job has committed stays; it ends between two steps.",
        "parameters": [_REF],
        "responses": {
            "200": job_answer("It is cancelled."),
            "202": job_answer("It runs, and was told to stop."),
            **refusals(*_OF_ALL, "409"),
        },
    }
    return {
        at: {"get": _tagged(show), "delete": _tagged(cancel)},
        f"{at}/events": {"get": _tagged(_events(path))},
        f"{at}/faults": {"get": _tagged(_faults())},
    }


def _events(path: str) -> Json:
    return {
        "operationId": "watchJob",
        "summary": "Watch a job",
        "description": (
            "Server-Sent Events: `progress` and, at last, `end`, each with the job's document; `problem` with a problem"
            " document when the key is no longer accepted. After an interruption `Last-Event-ID` goes on where it was."
            f" Over a WebSocket the same at `{path}/{{ref}}/live`, as JSON: `event`, `id`, `job`. Browsers offer the"
            " protocols `banyan.v1` and `bearer.…` with the token."
        ),
        "parameters": [
            _REF,
            {
                "name": "Last-Event-ID",
                "in": "header",
                "description": "The last event that was seen.",
                "schema": {"type": "string"},
            },
        ],
        "responses": {
            "200": {"description": "Events.", "content": {"text/event-stream": {"schema": {"type": "string"}}}},
            "204": {"description": "The job is over, and that was seen: do not come back."},
            **refusals(*_OF_ALL),
        },
    }


def _faults() -> Json:
    return {
        "operationId": "getJobFaults",
        "summary": "What was wrong with single rows",
        "description": "CSV: `row` (the line of the file, from 1), `field`, `code`, `detail`, `raw`.",
        "parameters": [_REF],
        "responses": {
            "200": {"description": "The report.", "content": {"text/csv": {"schema": {"type": "string"}}}},
            **refusals(*_OF_ALL),
        },
    }


def _tagged(operation: Json) -> Json:
    return {**operation, "tags": ["jobs"]}
