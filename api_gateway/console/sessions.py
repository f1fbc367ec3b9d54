"""Sessions of the console: a signed cookie, and tokens that tie a form to the browser it was shown in.

The cookie holds no secret, only who it is and since when; itsdangerous signs it. What ended before its time is
remembered in memory until it would have expired.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from typing import Any

from itsdangerous import BadData, Signer, URLSafeTimedSerializer
from starlette.requests import Request
from starlette.responses import Response

from api_gateway.console.accounts import Account

SESSION_COOKIE = "banyan_console"
VISIT_COOKIE = "banyan_visit"
SESSION_SECONDS = 8 * 60 * 60
VISIT_SECONDS = 60 * 60
_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in browser. `seal` is the account's at the time."""

    id: str
    username: str
    seal: str


class Sessions:
    """Begins, reads and ends sessions. `secret` is shared by every process that serves the console."""

    def __init__(self, secret: str) -> None:
        self._serializer = URLSafeTimedSerializer(secret, salt="banyan.console.session")
        self._visits = URLSafeTimedSerializer(secret, salt="banyan.console.visit")
        self._forms = Signer(secret, salt="banyan.console.form")
        self._ended: dict[str, None] = {}

    def begin(self, account: Account, response: Response, *, secure: bool) -> None:
        """Sign the browser in. The id is new each time, so a session that was planted before is worth nothing."""
        session = {"id": secrets.token_urlsafe(16), "username": account.username, "seal": account.seal}
        _set(response, SESSION_COOKIE, str(self._serializer.dumps(session)), SESSION_SECONDS, secure=secure)
        response.delete_cookie(VISIT_COOKIE, path="/")

    def read(self, request: Request) -> Session | None:
        """The browser's session, or None when there is none, it is too old, forged or ended."""
        stored = _load(self._serializer, request.cookies.get(SESSION_COOKIE), SESSION_SECONDS)
        try:
            session = Session(stored["id"], stored["username"], stored["seal"])
        except (KeyError, TypeError):
            return None
        return None if session.id in self._ended else session

    def end(self, session: Session, response: Response) -> None:
        """Sign out. A copy of the cookie is worth nothing from now on."""
        self._ended[session.id] = None
        while len(self._ended) > _REMEMBERED:
            del self._ended[next(iter(self._ended))]
        response.delete_cookie(SESSION_COOKIE, path="/")

    def visit(self, request: Request) -> str:
        """What names a browser that has not signed in: its own, or a new one."""
        known = _load(self._visits, request.cookies.get(VISIT_COOKIE), VISIT_SECONDS)
        return known if isinstance(known, str) else secrets.token_urlsafe(16)

    def keep_visit(self, visit: str, response: Response, *, secure: bool) -> None:
        _set(response, VISIT_COOKIE, str(self._visits.dumps(visit)), VISIT_SECONDS, secure=secure)

    def token(self, browser: str) -> str:
        """What a form shown to this browser (a session's id or a visit) must bring back."""
        return self._forms.get_signature(browser).decode()

    def token_is_right(self, browser: str, token: str) -> bool:
        return hmac.compare_digest(self.token(browser).encode(), token.encode())


def _load(serializer: URLSafeTimedSerializer, cookie: str | None, seconds: int) -> Any:
    if cookie is None:
        return None
    try:
        return serializer.loads(cookie, max_age=seconds)
    except BadData:
        return None


def _set(response: Response, name: str, value: str, seconds: int, *, secure: bool) -> None:
    response.set_cookie(name, value, max_age=seconds, path="/", secure=secure, httponly=True, samesite="strict")
