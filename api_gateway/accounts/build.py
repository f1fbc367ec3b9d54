"""Everything about accounts as one part of a gateway, composed from top to bottom."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from api_gateway import connections, events
from api_gateway.accounts.desk import Desk
from api_gateway.accounts.directory import Directory
from api_gateway.accounts.ended import Ended
from api_gateway.accounts.issuers import OutsideIssuer
from api_gateway.accounts.keyring import Keyring
from api_gateway.accounts.legacy_sessions import AskedSessions, DjangoSessions, Sessions
from api_gateway.accounts.recognition import Recognition
from api_gateway.accounts.tokens import AccessTokens
from api_gateway.logging import report
from api_gateway.project import Project
from api_gateway.settings import Settings
from shared_models.database import Database


@dataclass(frozen=True, slots=True)
class Accounts:
    """`desk` is None where nobody can sign in: the project names outside issuers only."""

    recognition: Recognition
    ended: Ended
    desk: Desk | None
    database: Database

    async def close(self) -> None:
        if self.desk is not None:
            self.desk.close()
        await self.database.close()


def build_accounts(project: Project, settings: Settings, *, shared_by: Callable[[], int] = lambda: 1) -> Accounts:
    """Raises UsageError for a setting that is missing."""
    configuration = project.configuration
    keys = Keyring.of(_secret(settings), settings.require("session_secret"))
    database = Database(
        settings.require("owner_database_url"),
        size=connections.ACCOUNTS,
        application_name="banyan gateway accounts",
        statement_timeout=settings.statement_timeout,
        lock_timeout=settings.lock_timeout,
    )
    lifetimes = configuration.tokens
    directory = Directory(configuration.accounts, database)
    sessions = _sessions(project, settings, directory, database)
    tokens = AccessTokens(keys, f"urn:banyan:{configuration.name}", lifetimes.access_seconds)
    ended = Ended(lifetimes.access_seconds)
    per_minute = configuration.limits.account_per_minute
    recognition = Recognition(
        configuration.accounts,
        sessions,
        [OutsideIssuer(name, issuer, per_minute) for name, issuer in configuration.issuers.items()],
        tokens,
        keys,
        ended,
        trusted=configuration.cors.origins if configuration.cors.credentials else (),
        per_minute=per_minute,
        shared_by=shared_by,
    )
    can_sign_in = bool(sessions) or any(source.sign_in for source in configuration.accounts.values())
    desk = Desk(
        directory,
        database,
        sessions,
        recognition,
        tokens,
        keys,
        ended,
        days=lifetimes.refresh_days,
        shared_by=shared_by,
    )
    return Accounts(recognition, ended, desk if can_sign_in else None, database)


def _secret(settings: Settings) -> str | None:
    return None if settings.token_secrets is None else settings.token_secrets.get_secret_value()


def _sessions(project: Project, settings: Settings, directory: Directory, database: Database) -> dict[str, Sessions]:
    """How each source's sessions are read; those that cannot be are told once, and their cookies mean nothing."""
    found: dict[str, Sessions] = {}
    legacy_url = settings.legacy_url or project.configuration.legacy.url
    secret = settings.legacy_secret_key
    for name, source in project.configuration.accounts.items():
        if source.django_session is not None:
            if secret is None:
                report(events.SessionsNotRead(name, "BANYAN_LEGACY_SECRET_KEY is not set"))
                continue
            secrets = [line for line in secret.get_secret_value().splitlines() if line]
            found[name] = DjangoSessions(name, source.django_session, secrets, directory, database)
        elif source.ask is not None:
            if legacy_url is None:
                report(events.SessionsNotRead(name, "nothing says where the legacy app is"))
                continue
            found[name] = AskedSessions(name, source.ask, legacy_url, directory)
    return found
