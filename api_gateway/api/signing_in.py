"""Signing in and out at the API, in OAuth 2.0's shape (RFC 6749, sections 4.3 and 6; RFC 7009).

POST {prefix}/auth/token     a password, a refresh token, or a session of the legacy app becomes tokens
POST {prefix}/auth/sign-out  ends the sign-in, and with it the session of the legacy app that it was born of
GET  {prefix}/auth/me        who acts, by whatever credential
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, Response
from starlette.types import Scope

from api_gateway.accounts.refusals import not_understood, unknown_yet, unsupported_grant
from api_gateway.api.authentication import principal_of
from api_gateway.api.bodies import read_body
from api_gateway.api.problems import unsupported_media_type
from api_gateway.api.recognised import address_of, recognised_of
from api_gateway.errors import FieldError
from api_gateway.project import Configuration

if TYPE_CHECKING:
    from api_gateway.accounts.desk import Desk, Granted

FORM, JSON = "application/x-www-form-urlencoded", "application/json"
LEGACY_SESSION = "urn:banyan:grant:legacy-session"
GRANTS = ["password", "refresh_token", LEGACY_SESSION]
_MOST_FIELDS = 30
_NO_STORE = {"cache-control": "no-store", "pragma": "no-cache"}


def can_sign_in(configuration: Configuration) -> bool:
    """Whether a project has anybody who signs in at the API: then these paths are there."""
    sources = configuration.accounts.values()
    return any(one.sign_in or one.django_session is not None or one.ask is not None for one in sources)


def install(app: FastAPI, configuration: Configuration, desk: Desk | None) -> None:
    """`desk`: None where the API is only described."""
    prefix = f"{configuration.api.prefix}/auth"
    if can_sign_in(configuration):
        signing = Signing(desk, configuration.edge.trusted_hops)
        app.router.add_api_route(f"{prefix}/token", signing.token, methods=["POST"], name="sign_in")
        app.router.add_api_route(f"{prefix}/sign-out", signing.sign_out, methods=["POST"], name="sign_out")
    if configuration.accounts or configuration.issuers:
        app.router.add_api_route(f"{prefix}/me", who_acts, methods=["GET"], name="who_acts")


async def who_acts(request: Request) -> Response:
    """Who acts, and what it may do."""
    principal = principal_of(request.scope)
    document = {
        "kind": principal.kind,
        "code": principal.code,
        "scopes": sorted(principal.scopes),
        "values": dict(principal.values),
    }
    return JSONResponse(document, headers={"cache-control": "private, no-store", "vary": "Authorization, Cookie"})


@dataclass(frozen=True, slots=True)
class Signing:
    desk: Desk | None
    trusted_hops: int

    async def token(self, request: Request) -> Response:
        """Sign in with a password, a refresh token or a session of the legacy app."""
        desk = self._desk()
        fields = await _fields(request)
        scope = fields.get("scope")
        scopes = frozenset(scope.split()) if scope is not None else None
        address = address_of(request.scope, self.trusted_hops)
        match fields.get("grant_type"):
            case "password":
                given = _needed(fields, "username", "password")
                source = _source(fields.get("source"), desk)
                granted = await desk.with_password(source, given["username"], given["password"], scopes, address)
            case "refresh_token":
                granted = await desk.with_refresh_token(_needed(fields, "refresh_token")["refresh_token"], address)
            case str(name) if name == LEGACY_SESSION:
                granted = await desk.with_legacy_session(_recognised(request.scope), scopes)
            case None:
                raise not_understood([_missing("grant_type")])
            case _:
                raise unsupported_grant(GRANTS)
        return JSONResponse(_answer(granted), headers=_NO_STORE)

    async def sign_out(self, request: Request) -> Response:
        """End a sign-in: that of `token`, else that of the request's own credential. `everywhere`: all of them."""
        desk = self._desk()
        fields = await _fields(request)
        token, everywhere = fields.get("token"), _yes(fields.get("everywhere", "false"), "everywhere")
        found = _recognised(request.scope) if token is None else None
        await desk.sign_out(found, token, everywhere=everywhere)
        return JSONResponse({}, headers=_NO_STORE)

    def _desk(self) -> Desk:
        if self.desk is None:
            raise unknown_yet()
        return self.desk


def _recognised(scope: Scope) -> Any:
    return recognised_of(scope)


def _answer(granted: Granted) -> dict[str, Any]:
    return {
        "access_token": granted.access,
        "token_type": "Bearer",
        "expires_in": granted.seconds,
        "refresh_token": granted.refresh,
        "scope": " ".join(sorted(granted.scopes)),
    }


async def _fields(request: Request) -> dict[str, str]:
    """The body's parameters, as a form or as a JSON object of texts. Raises Problem 400, 415.

    What is not known is left alone, and what is empty is not there, as RFC 6749 has it (section 3.2).
    """
    body = await read_body(request.receive)
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not body and not media:
        return {}
    if media == FORM:
        pairs = _form(body)
    elif media == JSON:
        pairs = _json(body)
    else:
        raise unsupported_media_type(FORM, JSON)
    twice = sorted({name for name, _ in pairs if sum(name == other for other, _ in pairs) > 1})
    if twice:
        raise not_understood([FieldError("repeated", "Given twice.", pointer=f"/{name}") for name in twice])
    return {name: value for name, value in pairs if value}


def _form(body: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise not_understood([FieldError("encoding", "The form cannot be read.", pointer="")]) from None


def _json(body: bytes) -> list[tuple[str, str]]:
    try:
        pairs = json.loads(body, object_pairs_hook=lambda pairs: pairs)
    except (ValueError, RecursionError):
        raise not_understood([FieldError("json_invalid", "The JSON cannot be read.", pointer="")]) from None
    if not isinstance(pairs, list) or not all(isinstance(pair, tuple) for pair in pairs):
        raise not_understood([FieldError("invalid_type", "An object is expected.", pointer="")])
    return [(name, _spelled(name, value)) for name, value in pairs if value is not None]


def _spelled(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        raise not_understood([FieldError("invalid_type", "Text is expected.", pointer=f"/{name}")])
    return value


def _yes(text: str, name: str) -> bool:
    if text not in ("true", "false"):
        raise not_understood([FieldError("invalid_value", "Expected: true or false.", pointer=f"/{name}")])
    return text == "true"


def _needed(fields: Mapping[str, str], *names: str) -> Mapping[str, str]:
    missing = [_missing(name) for name in names if name not in fields]
    if missing:
        raise not_understood(missing)
    return fields


def _missing(name: str) -> FieldError:
    return FieldError("missing", "It is required.", pointer=f"/{name}")


def _source(wanted: str | None, desk: Desk) -> str:
    """The accounts that sign in with a password: the first of banyan.toml, unless the request says which."""
    known = desk.by_password
    if not known:
        raise unsupported_grant([name for name in GRANTS if name != "password"])
    if wanted is None:
        return known[0]
    if wanted not in known:
        told = f"Expected: one of {', '.join(known)}."
        raise not_understood([FieldError("invalid_value", told, pointer="/source")])
    return wanted
