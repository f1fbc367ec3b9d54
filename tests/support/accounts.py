"""The example with accounts: its gateway in this process, the legacy app beside it, both on one database."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx2
import psycopg
from pydantic import SecretStr

from api_gateway.app import Gateway
from api_gateway.postgres import Server
from api_gateway.project import Configuration, load_project
from api_gateway.settings import Settings
from tests.support.api import NORTHGATE
from tests.support.asgi import Answer, call

SECRET_KEY = "the legacy app's own, as long as Django wants it to be: 50"
TOKENS = "a token secret of the tests that nobody can guess"
PASSWORD = "northgate"
Headers = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Front:
    """One gateway, asked as an app or a browser asks."""

    gateway: Gateway
    url: str

    async def ask(self, method: str, path: str, headers: Headers | None = None, body: bytes = b"") -> Reply:
        answer = await call(self.gateway, method, path, [("host", "shop.example"), *(headers or [])], body)
        assert answer is not None
        return Reply(answer)

    async def token(self, *, headers: Headers | None = None, **fields: str) -> Reply:
        form = [("content-type", "application/x-www-form-urlencoded"), *(headers or [])]
        return await self.ask("POST", "/api/auth/token", form, urlencode(fields).encode())

    async def sign_in(self, username: str, password: str = PASSWORD, **more: Any) -> Reply:
        return await self.token(grant_type="password", username=username, password=password, **more)

    async def refresh(self, token: str) -> Reply:
        return await self.token(grant_type="refresh_token", refresh_token=token)

    async def sign_out(self, *, headers: Headers | None = None, **fields: str) -> Reply:
        form = [("content-type", "application/x-www-form-urlencoded"), *(headers or [])]
        return await self.ask("POST", "/api/auth/sign-out", form, urlencode(fields).encode())

    async def with_token(self, token: str, path: str = "auth/me", method: str = "GET") -> Reply:
        return await self.ask(method, f"/api/{path}", [("authorization", f"Bearer {token}")])

    async def with_cookie(self, cookie: str, path: str = "auth/me") -> Reply:
        return await self.ask("GET", f"/api/{path}", [("cookie", cookie)])

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """As the legacy system's administrator; nothing for a statement without rows."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(query.encode(), values)
            return cursor.fetchall() if cursor.description is not None else []


@dataclass(frozen=True, slots=True)
class Reply:
    answer: Answer

    @property
    def status(self) -> int:
        return self.answer.status

    @property
    def json(self) -> Any:
        return json.loads(self.answer.body)

    @property
    def code(self) -> str | None:
        """Of the problem document."""
        return self.json.get("code") if self.answer.header("content-type") == "application/problem+json" else None

    def header(self, name: str) -> str | None:
        return self.answer.header(name)


Change = Callable[[Configuration], Configuration]


def settings_of(server: Server, url: str, state_dir: Path, **more: Any) -> Settings:
    name = url.rsplit("/", 1)[1]
    known: dict[str, Any] = {
        "project": NORTHGATE,
        "state_dir": state_dir,
        "owner_database_url": SecretStr(server.url(name, user="banyan_owner")),
        "api_database_url": SecretStr(server.url(name, user="banyan_api")),
        "pass_secret": SecretStr("pass"),
        "session_secret": SecretStr("of the tests"),
        "token_secrets": SecretStr(TOKENS),
        "legacy_secret_key": SecretStr(SECRET_KEY),
    }
    return Settings(**{**known, **more})


@asynccontextmanager
async def fronted(
    server: Server, url: str, state_dir: Path, change: Change | None = None, **more: Any
) -> AsyncIterator[Front]:
    """`change`: of the example's banyan.toml, as it is read."""
    project = load_project(NORTHGATE)
    if change is not None:
        project = replace(project, configuration=change(project.configuration))
    gateway = Gateway(settings_of(server, url, state_dir, **more), "in a test", project)
    async with gateway.opened():
        yield Front(gateway, url)


def changed(**tables: Mapping[str, Any]) -> Change:
    """These tables of banyan.toml instead of the example's own."""

    def change(configuration: Configuration) -> Configuration:
        return Configuration.model_validate({**configuration.model_dump(exclude_unset=True), **tables})

    return change


def browser_signed_in(legacy_url: str, username: str = "clerk", password: str = PASSWORD) -> httpx2.Client:
    """A browser that has signed in to the panel by its form."""
    client = httpx2.Client(base_url=legacy_url, follow_redirects=True)
    page = client.get("/panel/login/")
    found = re.search('name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
    assert found
    fields = {"csrfmiddlewaretoken": found[1], "username": username, "password": password}
    client.post("/panel/login/", data=fields)
    assert "ngsid" in client.cookies
    return client


def cookie_of(client: httpx2.Client) -> str:
    return f"ngsid={client.cookies['ngsid']}"


def sign_out_of_panel(client: httpx2.Client) -> None:
    page = client.get("/panel/orders/")
    found = re.search('name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
    assert found
    client.post("/panel/logout/", data={"csrfmiddlewaretoken": found[1]})
