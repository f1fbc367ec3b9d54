"""The pages: sign in, the overview, sign out. Each is one function from request to response."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus

from anyio import CapacityLimiter, to_thread
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api_gateway.console import charts, queries
from api_gateway.console.accounts import MAX_PASSWORD, Account, find_account, password_matches
from api_gateway.console.forms import read_form
from api_gateway.console.frame import Frame, account_of, to_the_door
from api_gateway.console.overview import overview
from api_gateway.console.values import Answers, Rules
from api_gateway.console.words import until
from api_gateway.events import ConsoleSignedIn
from api_gateway.evidence.fingerprint import fingerprint_of
from api_gateway.evidence.verified import runs
from api_gateway.ledger import freeze_query
from api_gateway.limits.attempts import Attempts
from api_gateway.logging import report
from shared_models.database import ReadTransaction

REFRESH_SECONDS = 10
_HASHES_AT_ONCE = 2  # each takes 32 MiB and a core


@dataclass(frozen=True)
class Pages(Frame):
    """The overview, and the door."""

    attempts: Attempts = field(default_factory=Attempts)
    _hashing: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(_HASHES_AT_ONCE))

    async def show_overview(self, request: Request) -> Response:
        if self.sessions.read(request) is None:
            return RedirectResponse("/login", 303)
        async with self.database.read() as transaction:
            visitor = await self.visitor(request, transaction)
            if visitor is None:
                return to_the_door()
            answers = await _ask(transaction, await to_thread.run_sync(self._fingerprints))
        refreshing = request.query_params.get("refresh") == "on"
        page = overview(self.project.routes, answers, self._rules())
        response = self.page(
            "overview.html",
            here="/",
            page=page,
            now=page.now,
            bars=charts.bars(page.hours),
            segments=charts.segments(page.ladder),
            username=visitor.session.username,
            token=self.sessions.token(visitor.session.id),
            refreshing=refreshing,
        )
        if refreshing:
            response.headers["Refresh"] = str(REFRESH_SECONDS)
        return response

    async def show_login(self, request: Request) -> Response:
        if self.sessions.read(request) is not None and await self._is_known(request):
            return RedirectResponse("/", 303)
        return self._login(request, 200)

    async def sign_in(self, request: Request) -> Response:
        form = await read_form(request)
        if not self.sessions.token_is_right(self.sessions.visit(request), form.get("token", "")):
            return self._login(request, 403, "This page had waited too long. Please sign in again.")
        username, password = form.get("username", "").strip()[:64], form.get("password", "")
        address = request.client.host if request.client is not None else ""
        if wait := self.attempts.begin(username, address):
            message = f"Too many attempts. Please wait {until(wait)}."
            return self._login(request, 429, message, username, {"Retry-After": str(wait)})
        account = await self._authenticate(username, password)
        if account is None:
            return self._login(request, 403, "Username or password is wrong.", username)
        self.attempts.succeeded(username, address)
        response = RedirectResponse("/", 303)
        self.sessions.begin(account, response, secure=_is_secure(request))
        return response

    async def sign_out(self, request: Request) -> Response:
        session = self.sessions.read(request)
        if session is None:
            return RedirectResponse("/login", 303)
        form = await read_form(request)
        if not self.sessions.token_is_right(session.id, form.get("token", "")):
            raise HTTPException(403, "This form is not yours. Nothing was done.")
        response = RedirectResponse("/login", 303)
        self.sessions.end(session, response)
        return response

    async def refuse(self, _request: Request, error: Exception) -> Response:
        """Any HTTPException as a page."""
        status = error.status_code if isinstance(error, HTTPException) else 500
        sentence = getattr(error, "detail", "") or HTTPStatus(status).description
        headers = getattr(error, "headers", None)
        return self.page("problem.html", status, headers, title=HTTPStatus(status).phrase, sentence=sentence)

    async def database_is_away(self, _request: Request, _error: Exception) -> Response:
        sentence = (
            "The console cannot reach its database, so it cannot say where the routes stand. "
            "Edge and gateways keep working at the last stages they knew."
        )
        headers = {"Retry-After": "5", "Refresh": "5"}
        return self.page("problem.html", 503, headers, title="The database is away", sentence=sentence)

    async def something_broke(self, _request: Request, _error: Exception) -> Response:
        sentence = "This page could not be made. Traffic is not concerned: the console is not on its path."
        return self.page("problem.html", 500, title="Something broke", sentence=sentence)

    def _rules(self) -> Rules:
        configured = self.project.configuration
        gates = {name: configured.gate.but(route.gate) for name, route in self.project.routes.items()}
        return Rules(gates, configured.checks)

    def _fingerprints(self) -> dict[str, str]:
        """Of the candidates as they lie in the project's folder now: those of which the gate asks for evidence."""
        marks: dict[str, str] = {}
        for name, route in self.project.routes.items():
            with suppress(OSError, SyntaxError):  # somebody is writing it; there is no evidence for half a candidate
                marks[name] = fingerprint_of(self.project, route)
        return marks

    def _login(
        self,
        request: Request,
        status: int,
        message: str = "",
        username: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        visit = self.sessions.visit(request)
        token = self.sessions.token(visit)
        response = self.page("login.html", status, headers, message=message, entered=username, token=token)
        self.sessions.keep_visit(visit, response, secure=_is_secure(request))
        return response

    async def _authenticate(self, username: str, password: str) -> Account | None:
        """The account, when there is one and this is its password. Takes equally long either way."""
        async with self.database.read() as transaction:
            row = await transaction.one(find_account(username))
        account = Account(**row) if row is not None else None
        kept = account.password_hash if account is not None else None
        right = await to_thread.run_sync(password_matches, password[:MAX_PASSWORD], kept, limiter=self._hashing)
        # Who mistypes sends a password as the username: only names that exist are logged.
        report(ConsoleSignedIn(account.username if account is not None else "(unknown)", accepted=right))
        return account if right else None

    async def _is_known(self, request: Request) -> bool:
        session = self.sessions.read(request)
        async with self.database.read() as transaction:
            return session is not None and await account_of(session, transaction) is not None


async def _ask(transaction: ReadTransaction, fingerprints: Mapping[str, str]) -> Answers:
    return Answers(
        now=await transaction.value(queries.now()),
        version=await transaction.value(queries.ledger_version()),
        consumers=await transaction.rows(queries.consumers()),
        stages=await transaction.rows(queries.stages()),
        calls=await transaction.rows(queries.calls()),
        hours=await transaction.rows(queries.hours()),
        verdicts=await transaction.rows(queries.verdicts(fingerprints)),
        shapes=await transaction.rows(queries.shapes(fingerprints)),
        outcomes=await transaction.rows(queries.outcomes(fingerprints)),
        checks=await transaction.rows(queries.checks()),
        canary=await transaction.rows(queries.canary()),
        freeze=await transaction.rows(freeze_query()),
        durations=await transaction.rows(queries.durations(fingerprints)),
        verified=await transaction.rows(runs(fingerprints.items())),
        mismatches=await transaction.rows(queries.last_mismatches(fingerprints)),
        moves=await transaction.rows(queries.moves()),
        outages=await transaction.rows(queries.outages()),
        processes=await transaction.rows(queries.processes()),
        failed_jobs=await transaction.value(queries.failed_jobs()),
    )


def _is_secure(request: Request) -> bool:
    return request.url.scheme == "https"
