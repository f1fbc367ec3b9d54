"""Every answer that refuses, as a problem document (RFC 9457): the closed list of them, and what exceptions become.

Nothing here repeats PostgreSQL's text or a name that the contract hides.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from api_gateway.errors import FieldError, Problem
from shared_models import faults

MEDIA_TYPE = "application/problem+json"


def bad_request(errors: Sequence[FieldError]) -> Problem:
    return Problem(400, "invalid_request", "The request cannot be understood.", errors=errors)


def invalid_body(errors: Sequence[FieldError]) -> Problem:
    return Problem(422, "invalid_body", "The body does not fit.", errors=errors)


def unauthenticated(detail: str) -> Problem:
    headers = {"www-authenticate": 'Bearer realm="api"'}
    return Problem(401, "unauthenticated", "A valid API key is needed.", detail, headers=headers)


def forbidden(scope: str) -> Problem:
    headers = {"www-authenticate": f'Bearer realm="api", error="insufficient_scope", scope="{scope}"'}
    return Problem(403, "forbidden", "The key does not have the scope.", f"Needed: {scope}", headers=headers)


def not_found() -> Problem:
    return Problem(404, "not_found", "There is nothing here.")


def no_such_page() -> Problem:
    told = "Take it from a page of the same list, unchanged."
    errors = [FieldError("not_a_cursor", told, parameter="cursor")]
    return Problem(404, "no_such_page", "There is no such page of this list.", errors=errors)


def method_not_allowed(allowed: Iterable[str]) -> Problem:
    headers = {"allow": ", ".join(allowed)}
    return Problem(405, "method_not_allowed", "The method is not allowed here.", headers=headers)


def not_acceptable(offered: Iterable[str]) -> Problem:
    return Problem(406, "not_acceptable", "It cannot be given like that.", f"There is: {', '.join(offered)}.")


def unsupported_media_type(*supported: str, header: str = "accept-post") -> Problem:
    """`header`: where the media types are told: `accept-post`, `accept-patch`."""
    title = f"The body must be {' or '.join(supported)}."
    return Problem(415, "unsupported_media_type", title, headers={header: ", ".join(supported)})


def precondition_failed() -> Problem:
    return Problem(412, "precondition_failed", "The row is not as the caller knows it.")


def precondition_required() -> Problem:
    return Problem(428, "precondition_required", "Say with If-Match which version of the row is meant.")


def unsupported_encoding() -> Problem:
    headers = {"accept-encoding": "identity"}
    return Problem(415, "unsupported_encoding", "The body must not be compressed.", headers=headers)


def too_expensive(parameters: Sequence[str], detail: str) -> Problem:
    errors = [FieldError("too_expensive", detail, parameter=name) for name in dict.fromkeys(parameters)]
    return Problem(400, "too_expensive", "This would cost the database too much.", errors=errors)


def too_many_groups(most: int) -> Problem:
    error = FieldError("too_many_groups", "Group by less, or filter more.", parameter="by")
    return Problem(400, "too_many_groups", f"There are more than {most} groups.", errors=[error])


def rate_limited(seconds: int) -> Problem:
    headers = {"retry-after": str(seconds)}
    return Problem(429, "rate_limited", "Too many requests.", f"Ask again in {seconds} s.", headers=headers)


def query_too_long(limit: int) -> Problem:
    return Problem(414, "query_too_long", "The query string is too long.", f"At most {limit} bytes.")


def unavailable(code: str, title: str, seconds: int = 1) -> Problem:
    return Problem(503, code, title, headers={"retry-after": str(seconds)})


def out_of_service() -> Problem:
    title = "The resource is out of service: the database's schema has changed."
    return Problem(503, "resource_unavailable", title, headers={"retry-after": "10"})


def unreadable_row() -> Problem:
    return Problem(500, "unreadable_row", "The database cannot read a row of its own.")


def internal() -> Problem:
    return Problem(500, "internal_error", "Something is broken on our side.")


def of_fault(fault: faults.DatabaseFault) -> Problem:
    """What a consumer is told when the database refuses."""
    match fault:
        case faults.ConstraintViolated(kind="unique" | "exclusion"):
            return Problem(409, "conflict", "It exists already.")
        case faults.ConstraintViolated(kind="foreign_key"):
            return Problem(409, "conflict", "It refers to something that is not there, or something refers to it.")
        case faults.ConstraintViolated():
            return Problem(422, "refused_by_database", "A rule of the database does not allow this.")
        case faults.BadValue():
            return Problem(422, "invalid_value", "A value is out of range or of the wrong form.")
        case faults.DatabaseAway():
            return unavailable("database_away", "The database is away.", 2)
        case faults.DatabaseBusy():
            return unavailable("database_busy", "Too many requests at once.")
        case faults.LockTimeout():
            return unavailable("locked", "Somebody else is changing this.")
        case faults.SerializationFailure():
            return unavailable("try_again", "Another transaction came first.")
        case faults.StatementTimeout():
            return Problem(504, "timeout", "The database took too long.", "Ask for less, or filter more.")
        case faults.SchemaChanged() | faults.NotGranted():
            return out_of_service()
        case faults.NoSession():
            return Problem(403, "caller_not_set_up", "What the database must know about this caller is not registered.")
        case faults.CommitUnknown():
            return Problem(500, "outcome_unknown", "The connection was lost at the last moment: it may have happened.")
        case _:
            return internal()


def of_status(status: int, headers: Mapping[str, str] | None = None) -> Problem:
    """A plain HTTP error of the framework under our codes."""
    lowered = {name.lower(): value for name, value in (headers or {}).items()}
    if status == 404:
        return not_found()
    if status == 405:
        return method_not_allowed(part.strip() for part in lowered.get("allow", "GET").split(","))
    if status == 400:
        return bad_request([])
    if status == 413:
        # what is left of it is not waited for: with the connection open it would have to be read to its end
        return Problem(413, "body_too_large", "The body is too large.", headers={"connection": "close"})
    phrase = HTTPStatus(status).phrase
    return Problem(status, phrase.lower().replace(" ", "_").replace("-", "_"), f"{phrase}.", headers=lowered)


def of_validation(error: RequestValidationError) -> Problem:
    """Every fault of a validated request at once. 422 for the body, 400 for what is around it."""
    errors = [_field_error(part) for part in error.errors()]
    in_body = all(found.pointer is not None for found in errors)
    return invalid_body(errors) if in_body else bad_request(errors)


def faults_of_a_body(parts: Iterable[Mapping[str, Any]]) -> list[FieldError]:
    """What pydantic has against a document, or a part of one: pointers begin there."""
    return [_field_error({**part, "loc": ("body", *part["loc"])}) for part in parts]


def _field_error(part: Mapping[str, Any]) -> FieldError:
    where, *rest = part["loc"]
    detail = str(part["msg"])
    code = str(part["type"])
    if where == "body":
        return FieldError(code, detail, pointer="".join(f"/{_escaped(step)}" for step in rest))
    name = str(rest[-1]) if rest else ""
    return FieldError(code, detail, header=name) if where == "header" else FieldError(code, detail, parameter=name)


def _escaped(step: object) -> str:
    return str(step).replace("~", "~0").replace("/", "~1")


def rendered(problem: Problem, scope: Scope) -> Response:
    """The answer to the request of this scope, whose state knows where the pages of problem types are."""
    body = json.dumps(
        problem.as_json(scope["state"]["problem_types"]), ensure_ascii=True, separators=(",", ":")
    ).encode()
    headers = {"cache-control": "no-store", **problem.headers}
    return Response(body, problem.status, headers, MEDIA_TYPE)


def note(problem: Problem, scope: Scope) -> None:
    """Leave the code where the log of the request finds it."""
    scope.setdefault("state", {})["problem"] = problem.code


Handler = Callable[[Request, Exception], Awaitable[Response]]


def _handler(of: Callable[[Any], Problem]) -> Handler:
    async def handle(request: Request, error: Exception) -> Response:
        problem = of(error)
        note(problem, request.scope)
        return rendered(problem, request.scope)

    return handle


def install(app: FastAPI) -> None:
    """Make every error of the app a problem document, what nobody expected included."""
    app.add_exception_handler(Problem, _handler(lambda problem: problem))
    app.add_exception_handler(faults.DatabaseFault, _handler(of_fault))
    app.add_exception_handler(RequestValidationError, _handler(of_validation))
    app.add_exception_handler(HTTPException, _handler(lambda error: of_status(error.status_code, error.headers)))
    app.add_exception_handler(Exception, _handler(lambda _: internal()))
