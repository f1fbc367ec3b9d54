"""What every signed-in page has: who looks at it, its frame, and forms that were ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from api_gateway.console.accounts import Account, find_account
from api_gateway.console.forms import read_form
from api_gateway.console.rendering import render
from api_gateway.console.sessions import SESSION_COOKIE, Session, Sessions
from api_gateway.project import Project
from shared_models.database import Database, ReadTransaction


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who looks at a page. Operators may also do what its buttons say."""

    session: Session
    is_operator: bool


@dataclass(frozen=True)
class Frame:
    """What the pages need."""

    project: Project
    database: Database
    sessions: Sessions

    async def visitor(self, request: Request, transaction: ReadTransaction) -> Visitor | None:
        """Whose page it is; None: nobody's, see `to_the_door`."""
        session = self.sessions.read(request)
        account = await account_of(session, transaction) if session is not None else None
        return Visitor(session, account.role == "operator") if session is not None and account is not None else None

    async def acting(self, request: Request) -> Visitor | None:
        """Who sends this form. Raises HTTPException 403 for a form that is not of our pages, and for a viewer."""
        session = self.sessions.read(request)
        if session is None:
            return None
        form = await read_form(request)
        if not self.sessions.token_is_right(session.id, form.get("token", "")):
            raise HTTPException(403, "This form is not yours. Nothing was done.")
        async with self.database.read() as transaction:
            visitor = await self.visitor(request, transaction)
        if visitor is not None and not visitor.is_operator:
            raise HTTPException(403, "You may look, not act: your account is a viewer's. Nothing was done.")
        return visitor

    def page(
        self, template: str, status: int = 200, headers: Mapping[str, str] | None = None, **context: Any
    ) -> Response:
        html = render(template, project=self.project.configuration.name, **context)
        return HTMLResponse(html, status, headers=dict(headers or {}))

    def inner(self, template: str, visitor: Visitor, here: str, **context: Any) -> Response:
        """A page with the bar; `here`: which of its addresses this is."""
        known: dict[str, Any] = {
            "username": visitor.session.username,
            "token": self.sessions.token(visitor.session.id),
            "may_act": visitor.is_operator,
        }
        return self.page(template, here=here, refreshing=None, **known, **context)


async def account_of(session: Session, transaction: ReadTransaction) -> Account | None:
    """The session's account, unless it is gone or has another password by now."""
    row = await transaction.one(find_account(session.username))
    account = Account(**row) if row is not None else None
    return account if account is not None and account.seal == session.seal else None


def to_the_door() -> Response:
    response = RedirectResponse("/login", 303)
    response.delete_cookie(SESSION_COOKIE, path="/")
    return response
