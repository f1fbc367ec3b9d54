"""Ask legacy: who is signed in to an app of any kind is told by one cheap page of it, asked with the visitor's cookies.

Each question has a connection of its own and no cookie jar, so nothing of one visitor reaches the next; a deadline; and
a bound on how many are asked at once. Whatever is not a plain yes is a no.
"""

from __future__ import annotations

import asyncio
import html
import json
import re
from typing import Any

import httpx2

from api_gateway import events
from api_gateway.accounts.refusals import legacy_silent
from api_gateway.identities import Ask
from api_gateway.logging import report

AT_ONCE = 8
_LARGEST = 256 * 1024
_LONGEST_NAME = 255


class Asking:
    """Asks one app. `legacy_url`: where it listens."""

    def __init__(self, source: str, settings: Ask, legacy_url: str, *, at_once: int = AT_ONCE) -> None:
        self._source, self._settings = source, settings
        self._url = legacy_url.rstrip("/") + settings.path
        self._turns = asyncio.Semaphore(at_once)
        self._pattern = re.compile(settings.pattern) if settings.pattern is not None else None
        self._tls = httpx2.create_ssl_context() if self._url.startswith("https:") else False

    async def who(self, cookies: str, host: str | None) -> str | None:
        """The account's name, None when nobody is signed in.

        cookies  the value of the Cookie header; host: that of the visitor's, which the app may decide on
        Raises Problem 503 when the app does not answer in time, or answers with an error of its own.
        """
        try:
            async with asyncio.timeout(self._settings.timeout):
                async with self._turns:
                    status, headers, body = await self._answer(cookies, host)
        except (TimeoutError, httpx2.HTTPError, OSError) as error:
            report(events.LegacyNotAsked(self._source, type(error).__name__))
            raise legacy_silent() from None
        if status >= 500:
            report(events.LegacyNotAsked(self._source, f"status {status}"))
            raise legacy_silent()
        return self._found(headers, body) if status == 200 else None

    async def _answer(self, cookies: str, host: str | None) -> tuple[int, httpx2.Headers, bytes]:
        head = {"cookie": cookies, "accept": "*/*", "accept-encoding": "identity", "user-agent": "banyan"}
        if host is not None:
            head["host"] = host
        async with httpx2.AsyncClient(verify=self._tls, trust_env=False, follow_redirects=False) as client:
            async with client.stream("GET", self._url, headers=head) as answer:
                body = b""
                async for piece in answer.aiter_raw():
                    body += piece
                    if len(body) > _LARGEST:
                        break
                return answer.status_code, answer.headers, body[:_LARGEST]

    def _found(self, headers: httpx2.Headers, body: bytes) -> str | None:
        if self._settings.header is not None:
            name = headers.get(self._settings.header)
        elif self._settings.json_path is not None:
            name = _in_json(body, self._settings.json_path)
        else:
            match = self._pattern.search(body.decode("utf-8", "replace")) if self._pattern is not None else None
            name = html.unescape(match[1]) if match is not None and match[1] is not None else None
        name = (name or "").strip()
        return name if 0 < len(name) <= _LONGEST_NAME and name.isprintable() else None


def _in_json(body: bytes, path: str) -> str | None:
    try:
        found: Any = json.loads(body)
    except (ValueError, RecursionError):
        return None
    for step in path.split("."):
        if not isinstance(found, dict):
            return None
        found = found.get(step)
    if isinstance(found, bool) or not isinstance(found, (str, int)):
        return None
    return str(found)
