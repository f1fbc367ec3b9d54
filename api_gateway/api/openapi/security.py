"""By what a caller can be known, and the paths of signing in, as the OpenAPI document tells them."""

from __future__ import annotations

from collections.abc import Iterator

from api_gateway.api.openapi.responses import headers, refusals
from api_gateway.api.openapi.schemas import Json, reference
from api_gateway.api.signing_in import FORM, GRANTS, JSON, can_sign_in
from api_gateway.project import Configuration

_KEYS: Json = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "An API key, or an access token."},
    "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}
_TEXT: Json = {"type": "string", "minLength": 1}
_TOKEN_REQUEST: Json = {
    "type": "object",
    "description": "OAuth 2.0's parameters (RFC 6749); `source`: whose accounts, where there are several.",
    "required": ["grant_type"],
    "properties": {
        "grant_type": {"type": "string", "enum": GRANTS},
        "username": _TEXT,
        "password": {**_TEXT, "format": "password"},
        "refresh_token": _TEXT,
        "scope": {"type": "string", "description": "Fewer than the account has, separated by blanks."},
        "source": _TEXT,
    },
}
_SIGN_OUT_REQUEST: Json = {
    "type": "object",
    "description": "Without `token` the request's own credential is meant.",
    "properties": {
        "token": {**_TEXT, "description": "A refresh or access token (RFC 7009)."},
        "everywhere": {"type": "string", "enum": ["true", "false"], "description": "Every sign-in of the account."},
    },
}
_TOKENS: Json = {
    "type": "object",
    "required": ["access_token", "token_type", "expires_in", "refresh_token", "scope"],
    "properties": {
        "access_token": {"type": "string"},
        "token_type": {"type": "string", "const": "Bearer"},
        "expires_in": {"type": "integer", "description": "Seconds."},
        "refresh_token": {"type": "string", "description": "To be used once: the answer has the next."},
        "scope": {"type": "string"},
    },
}
_CALLER: Json = {
    "type": "object",
    "required": ["kind", "code", "scopes", "values"],
    "properties": {
        "kind": {"type": "string", "enum": ["consumer", "account", "staff"]},
        "code": {"type": "string"},
        "scopes": {"type": "array", "items": {"type": "string"}},
        "values": {"type": "object", "additionalProperties": {"type": "string"}},
    },
}


def schemes(configuration: Configuration) -> Json:
    """Every way in which a request can say who acts."""
    if not configuration.accounts and not configuration.issuers:
        plain = {**_KEYS["bearer"], "description": "The API key as a bearer token."}
        return {**_KEYS, "bearer": plain}
    found = dict(_KEYS)
    if can_sign_in(configuration):
        token = f"{configuration.api.prefix}/auth/token"
        scopes = sorted({scope for one in configuration.accounts.values() for scope in one.scopes})
        flow = {"tokenUrl": token, "refreshUrl": token, "scopes": dict.fromkeys(scopes, "")}
        found["account"] = {"type": "oauth2", "flows": {"password": flow}}
    for name, cookie in _cookies(configuration):
        told = "The legacy app's own session. From a browser, and never across sites."
        found[name] = {"type": "apiKey", "in": "cookie", "name": cookie, "description": told}
    for name, issuer in configuration.issuers.items():
        url = issuer.issuer.rstrip("/") + "/.well-known/openid-configuration"
        found[f"issuer-{name}"] = {"type": "openIdConnect", "openIdConnectUrl": url}
    return found


def _cookies(configuration: Configuration) -> Iterator[tuple[str, str]]:
    for name, source in configuration.accounts.items():
        if source.django_session is not None:
            yield f"session-{name}", source.django_session.cookie
        elif source.ask is not None:
            yield f"session-{name}", source.ask.cookies[0]


def complete_signing_in(paths: Json, schemas: Json, configuration: Configuration) -> None:
    """What FastAPI cannot know of these paths."""
    prefix = f"{configuration.api.prefix}/auth"
    told: dict[str, tuple[str, str, str]] = {
        f"{prefix}/token": ("post", "SignIn", "Tokens"),
        f"{prefix}/sign-out": ("post", "SignOut", ""),
        f"{prefix}/me": ("get", "", "Caller"),
    }
    known = {"SignIn": _TOKEN_REQUEST, "SignOut": _SIGN_OUT_REQUEST, "Tokens": _TOKENS, "Caller": _CALLER}
    for path, (method, asked, answered) in told.items():
        if path not in paths:
            continue
        written = paths[path][method]
        schemas.update({name: known[name] for name in (asked, answered) if name})
        schema = reference(answered) if answered else {"type": "object"}
        statuses = ["400", "401", "403", "429", "500", "503"]
        if asked:
            body = {"schema": reference(asked)}
            written["requestBody"] = {"required": asked == "SignIn", "content": {FORM: body, JSON: body}}
            statuses += ["409", "413", "415"]
        success = {"description": "Done.", "content": {JSON: {"schema": schema}}, "headers": headers()}
        written["responses"] = {"200": success, **refusals(*statuses)}
        written["operationId"], written["tags"] = written["summary"].lower().replace(" ", "_"), ["auth"]
        if asked:  # what is asked for may be in the body alone
            known_by: list[Json] = [{"bearer": []}] if asked == "SignOut" else []
            written["security"] = [{}, *known_by, *({name: []} for name, _ in _cookies(configuration))]
