"""Every refusal and every header of an answer, once, as components that all paths refer to."""

from __future__ import annotations

from api_gateway.api.openapi.schemas import Json, reference
from api_gateway.api.problems import MEDIA_TYPE

_REASONS = {
    "400": ("BadRequest", "The request cannot be understood; `errors` lists every fault."),
    "401": ("Unauthorized", "There is no valid key."),
    "403": ("Forbidden", "The key lacks the scope."),
    "404": ("NotFound", "There is no such row or page, or the key's owner does not see it."),
    "405": ("MethodNotAllowed", "The method is not allowed here."),
    "406": ("NotAcceptable", "Another media type is wanted than there is."),
    "408": ("RequestTimeout", "The rest of the body did not come."),
    "409": (
        "Conflict",
        "It fits, but what is stored does not allow it; or a twin with the same Idempotency-Key is being worked on.",
    ),
    "412": ("PreconditionFailed", "The row is not as `If-Match` says; or there is one, and `If-None-Match` says none."),
    "413": ("ContentTooLarge", "The body is too large."),
    "414": ("UriTooLong", "The query string is too long."),
    "415": ("UnsupportedMediaType", "The body has another media type or encoding than can be read."),
    "422": ("UnprocessableContent", "The body does not fit, or a rule does not allow it; `errors` lists every fault."),
    "428": ("PreconditionRequired", "The write must say with `If-Match` which state it changes."),
    "429": ("TooManyRequests", "The caller has made as many requests as it may; try again after Retry-After seconds."),
    "500": ("InternalServerError", "Something is broken on our side."),
    "503": ("ServiceUnavailable", "The database is away or busy; try again after Retry-After seconds."),
    "504": ("GatewayTimeout", "The database took too long."),
}
OF_READING = ("400", "401", "403", "404", "406", "414", "500", "503", "504")
_HEADERS_OF = {
    "401": ("WWW-Authenticate",),
    "403": ("WWW-Authenticate",),
    "405": ("Allow",),
    "409": ("Retry-After",),
    "415": ("Accept-Post", "Accept-Patch", "Accept-Encoding"),
    "429": ("Retry-After",),
    "503": ("Retry-After",),
}
_ALWAYS = {"401": ("WWW-Authenticate",), "405": ("Allow",), "429": ("Retry-After",), "503": ("Retry-After",)}
_OF_ALL = ("RateLimit", "RateLimit-Policy", "X-Request-Id")

_HEADERS: dict[str, tuple[str, Json]] = {
    "Accept-Encoding": ("How a body may be encoded: `identity`, as it is.", {"type": "string"}),
    "Accept-Patch": ("The media types a PATCH may have (RFC 5789).", {"type": "string"}),
    "Accept-Post": ("The media types a body may have.", {"type": "string"}),
    "Allow": ("The methods that are allowed here.", {"type": "string"}),
    "Content-Disposition": ("The name of the file, where it is one (RFC 6266).", {"type": "string"}),
    "Deprecation": (
        "Since when this should not be used any more (RFC 9745).",
        {"type": "string", "pattern": "^@-?[0-9]+$"},
    ),
    "Dry-Run": ("`true`: nothing of it was kept.", {"type": "string", "const": "true"}),
    "ETag": (
        "Changes with the row (RFC 9110); the part behind a dot with what is included.",
        {"type": "string", "pattern": '^"[^"]+"$'},
    ),
    "Idempotency-Replayed": ("`true`: this answer was given before.", {"type": "string", "const": "true"}),
    "Link": (
        "Where to go on (RFC 8288): `next`, the page behind this one; of what is deprecated `successor-version`.",
        {"type": "string"},
    ),
    "Location": ("Where it is.", {"type": "string"}),
    "Preference-Applied": ("What of `Prefer` was followed (RFC 7240).", {"type": "string"}),
    "RateLimit": (
        "`r`: requests left; `t`: seconds until all are back (draft-ietf-httpapi-ratelimit-headers-10).",
        {"type": "string", "pattern": '^"(consumer|address)";r=[0-9]+;t=[0-9]+$'},
    ),
    "RateLimit-Policy": (
        "`q` requests in `w` seconds.",
        {"type": "string", "pattern": '^"(consumer|address)";q=[0-9]+;w=[0-9]+$'},
    ),
    "Retry-After": ("Seconds to wait.", {"type": "integer", "minimum": 0}),
    "Server-Timing": ("Milliseconds in the database, and in all.", {"type": "string"}),
    "Sunset": (
        "When this is expected to answer no longer (RFC 8594).",
        {"type": "string", "pattern": "^[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} GMT$"},
    ),
    "WWW-Authenticate": ("The scheme, and what the key lacks (RFC 6750).", {"type": "string"}),
    "X-Request-Id": ("The request's name in the log.", {"type": "string"}),
}


def header(name: str) -> Json:
    """`{name: reference}`. A header that an answer may carry, required nowhere."""
    return {name: {"$ref": f"#/components/headers/{name}"}}


def always(name: str) -> Json:
    """`{name: header}`. One that every such answer carries."""
    told, schema = _HEADERS[name]
    return {name: {"description": told, "required": True, "schema": schema}}


def headers(*names: str) -> Json:
    return {name: part for each in names for name, part in header(each).items()}


def refusals(*statuses: str) -> Json:
    return {status: {"$ref": f"#/components/responses/{_REASONS[status][0]}"} for status in sorted(statuses)}


def component_responses() -> Json:
    return {name: _problem(status, reason) for status, (name, reason) in _REASONS.items()}


def component_headers() -> Json:
    return {name: {"description": told, "schema": schema} for name, (told, schema) in _HEADERS.items()}


def _problem(status: str, reason: str) -> Json:
    response: Json = {"description": reason, "content": {MEDIA_TYPE: {"schema": reference("Problem")}}}
    response["headers"] = headers(*_HEADERS_OF.get(status, ()), *_OF_ALL)
    for name in _ALWAYS.get(status, ()):
        response["headers"] |= always(name)
    return response


def with_what_all_have(operation: Json) -> Json:
    """The operation, with the headers and the refusals that every one has."""
    responses = {**operation["responses"], **refusals("429")}
    for status, response in responses.items():
        if "$ref" not in response:
            responses[status] = {**response, "headers": {**response.get("headers", {}), **headers(*_OF_ALL)}}
    return {**operation, "responses": dict(sorted(responses.items()))}
