"""Every answer of signing in that refuses. `error` stands beside `code`, where OAuth 2.0 looks for it (RFC 6749)."""

from __future__ import annotations

from api_gateway.errors import FieldError, Problem

_NO_STORE = {"cache-control": "no-store"}
_BEARER = 'Bearer realm="api", error="invalid_token"'


def not_signed_in(detail: str, *, is_token: bool = False) -> Problem:
    """401. `is_token`: a token was sent, and is not good."""
    headers = {"www-authenticate": _BEARER if is_token else 'Bearer realm="api"'}
    return Problem(401, "unauthenticated", "A valid credential is needed.", detail, headers=headers)


def cross_site() -> Problem:
    detail = "A cookie alone changes nothing from another site: Origin or Sec-Fetch-Site must say that it is the same."
    return Problem(403, "cross_site", "The request may come from another site.", detail)


def unknown_yet() -> Problem:
    return Problem(503, "database_away", "The database is away.", headers={"retry-after": "2"})


def legacy_silent() -> Problem:
    title = "The legacy app does not say who is signed in."
    return Problem(503, "legacy_silent", title, headers={"retry-after": "2"})


def issuer_silent() -> Problem:
    title = "The issuer's keys cannot be had."
    return Problem(503, "issuer_silent", title, headers={"retry-after": "5"})


def busy() -> Problem:
    title = "Too many are signing in at once."
    return Problem(503, "sign_in_busy", title, headers={"retry-after": "2"}, extra={"error": "temporarily_unavailable"})


def too_many_attempts(seconds: int) -> Problem:
    return Problem(
        429,
        "too_many_attempts",
        "Too many attempts to sign in.",
        f"Try again in {seconds} s.",
        headers={"retry-after": str(seconds), **_NO_STORE},
        extra={"error": "invalid_grant"},
    )


def wrong_credentials() -> Problem:
    """The same for an unknown name, a wrong password and an account that may not act."""
    return Problem(400, "invalid_grant", "Name and password do not fit.", extra={"error": "invalid_grant"})


def spent_token() -> Problem:
    return Problem(400, "invalid_grant", "The refresh token is not good.", extra={"error": "invalid_grant"})


def no_legacy_session() -> Problem:
    return Problem(400, "invalid_grant", "Nobody is signed in to the legacy app.", extra={"error": "invalid_grant"})


def unsupported_grant(known: list[str]) -> Problem:
    return Problem(
        400,
        "unsupported_grant_type",
        "There is no such grant here.",
        f"There is: {', '.join(known)}.",
        extra={"error": "unsupported_grant_type"},
    )


def beyond_scope() -> Problem:
    return Problem(400, "invalid_scope", "More is asked for than the account may do.", extra={"error": "invalid_scope"})


def not_understood(errors: list[FieldError]) -> Problem:
    title = "The request cannot be understood."
    return Problem(400, "invalid_request", title, errors=errors, extra={"error": "invalid_request"})


def too_many_strangers(seconds: int) -> Problem:
    headers = {"retry-after": str(seconds)}
    return Problem(429, "rate_limited", "Too many requests.", f"Ask again in {seconds} s.", headers=headers)


def sign_out_at_legacy() -> Problem:
    title = "The session is the legacy app's, and only ends there."
    return Problem(409, "sign_out_at_legacy", title)
