"""What banyan.toml says of those who call besides consumers: legacy users, and whom an outside issuer vouches for.

[accounts.NAME]    a table of the legacy app's users, their passwords and sessions     a Source
[issuers.NAME]     an identity provider whose tokens are believed                     an Issuer
[tokens]           how long the tokens live that we issue ourselves                   Tokens
[cors]             which frontends may call from a browser                            Cors
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Kind = Literal["account", "staff"]
ASYMMETRIC = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
LOOPBACK = ("localhost", "127.0.0.1", "::1")

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,30}")
DJANGO: Mapping[str, Any] = {
    "table": "auth_user",
    "id": "id",
    "username": "username",
    "password": "password",
    "active": {"is_active": True},
}
"""The columns of `django.contrib.auth`, for `preset = "django"`."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Elsewhere(_Table):
    """A value that stands in another table: `column` of the row of `table` whose columns equal ours (`on`)."""

    table: str
    column: str
    on: Mapping[str, str] = Field(min_length=1)


class DjangoSession(_Table):
    """Sessions that Django keeps in its table. `cookie` is its SESSION_COOKIE_NAME."""

    cookie: str = "sessionid"
    table: str = "django_session"
    key: str = "session_key"
    data: str = "session_data"
    expires: str = "expire_date"


class Ask(_Table):
    """Who is signed in to any other app: one cheap page of it is asked with the visitor's cookies.

    Exactly one of `json_path` (`user.login`), `pattern` (a regular expression with one group) and `header` says where
    the answer names the account. `matches`: what is found there, the account's username or its id.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str
    cookies: tuple[str, ...] = Field(min_length=1)
    json_path: str | None = None
    pattern: str | None = None
    header: str | None = None
    matches: Literal["username", "id"] = "username"
    seconds: float = Field(5.0, gt=0, le=60)
    timeout: float = Field(1.0, gt=0, le=10)

    @model_validator(mode="after")
    def _says_where(self) -> Ask:
        if not self.path.startswith("/") or self.path.startswith("//"):
            raise ValueError("`path` must begin with one slash")
        if sum(place is not None for place in (self.json_path, self.pattern, self.header)) != 1:
            raise ValueError("exactly one of `json_path`, `pattern` and `header` says where the account is named")
        if self.pattern is not None:
            try:
                groups = re.compile(self.pattern).groups
            except re.error as error:
                raise ValueError(f"`pattern`: {error}") from None
            if groups != 1:
                raise ValueError("`pattern` must have one group, which is the account's name")
        return self


class Source(_Table):
    """Accounts of the legacy app: which table, and what of a row makes a principal.

    active    columns and what they hold in the row of an account that may act
    values    what its rows are told apart by (`principal.value(name)`): a column, or one of another table
    scopes    what each of these accounts may do
    sign_in   may they sign in with their password at the API?
    """

    preset: Literal["django"] | None = None
    kind: Kind = "account"
    table: str
    id: str
    username: str
    username_case: Literal["exact", "lower"] = "exact"
    password: str | None = None
    active: Mapping[str, bool | int | str | Sequence[bool | int | str]] = Field(default_factory=dict)
    values: Mapping[str, str | Elsewhere] = Field(default_factory=dict)
    scopes: tuple[str, ...] = ()
    sign_in: bool = False
    django_session: DjangoSession | None = None
    ask: Ask | None = None

    @model_validator(mode="before")
    @classmethod
    def _filled(cls, given: Any) -> Any:
        if isinstance(given, dict) and given.get("preset") == "django":
            return {**DJANGO, **given}
        return given

    @model_validator(mode="after")
    def _is_whole(self) -> Source:
        if self.password is None and (self.sign_in or self.django_session is not None):
            raise ValueError("`sign_in` and `django_session` need the column `password`")
        if self.ask is not None and self.django_session is not None:
            raise ValueError("sessions are read from `django_session`, or asked for (`ask`): one of them")
        reserved = sorted({"id", "username"} & set(self.values))
        if reserved:
            raise ValueError(f"values {', '.join(reserved)}: these are there already")
        return self


class Issuer(_Table):
    """An identity provider (OpenID Connect) whose signed tokens are believed.

    issuer    as it stands in the tokens' `iss`; `audience`: what must stand in `aud`
    jwks_url  its keys; not given: found through `{issuer}/.well-known/openid-configuration`
    claim     what names the account, `sub`
    values    principal.value(name) from a claim; a claim that is absent gives none
    scopes    given to everybody; `scope_map` gives more for what `scope_claim` holds
    """

    issuer: str
    audience: str
    jwks_url: str | None = None
    algorithms: tuple[str, ...] = ("RS256", "ES256", "EdDSA")
    leeway: float = Field(30.0, ge=0, le=300)
    kind: Literal["account", "staff", "consumer"] = "account"
    claim: str = "sub"
    values: Mapping[str, str] = Field(default_factory=dict)
    scopes: tuple[str, ...] = ()
    scope_claim: str = "scope"
    scope_map: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)

    @field_validator("algorithms")
    @classmethod
    def _are_asymmetric(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        wrong = [name for name in given if name not in ASYMMETRIC]
        if wrong or not given:
            raise ValueError(f"{', '.join(wrong) or 'none'}: expected some of {', '.join(ASYMMETRIC)}")
        return given

    @model_validator(mode="after")
    def _is_private(self) -> Issuer:
        for url in (self.issuer, self.jwks_url):
            where = urlsplit(url or "https://unset")
            if where.scheme != "https" and not (where.scheme == "http" and where.hostname in LOOPBACK):
                raise ValueError(f"{url}: keys are only fetched over https")
        return self


class Tokens(_Table):
    """Lifetimes of the tokens that we issue. `access_seconds`: how long a copy of one is worth something."""

    access_seconds: int = Field(300, ge=30, le=3600)
    refresh_days: int = Field(30, ge=1, le=400)


class Cors(_Table):
    """Frontends of other origins that may call the API from a browser, never the legacy paths.

    origins      as browsers send them: `https://app.example`; `*`: any, and then never with credentials
    credentials  may the browser send the legacy app's cookie along?
    """

    origins: tuple[str, ...] = ()
    credentials: bool = False
    max_age: int = Field(600, ge=0, le=86400)

    @model_validator(mode="after")
    def _are_origins(self) -> Cors:
        if self.credentials and "*" in self.origins:
            raise ValueError("credentials need origins by name, not *")
        for origin in self.origins:
            where = urlsplit(origin)
            plain = f"{where.scheme}://{where.netloc}" == origin and where.scheme in ("http", "https")
            if origin != "*" and (not plain or "@" in where.netloc or not where.hostname or origin != origin.lower()):
                raise ValueError(f"{origin!r} is no origin: scheme://host, or scheme://host:port, in lower case")
        return self


def check_names(names: Mapping[str, Any]) -> None:
    """Raises ValueError for a name that could not stand in a principal's code."""
    for name in names:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} must be lower-case letters, digits, '_', '-', at most 31 of them")
