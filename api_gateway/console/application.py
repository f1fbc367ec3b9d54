"""The console as one ASGI application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from api_gateway import connections
from api_gateway.console.consumer_pages import ConsumerPages
from api_gateway.console.guard import Guard
from api_gateway.console.inventory_page import InventoryPage
from api_gateway.console.job_pages import JobPages
from api_gateway.console.pages import Pages
from api_gateway.console.sessions import Sessions
from api_gateway.project import Project, load_project
from api_gateway.settings import Settings
from shared_models.database import Database
from shared_models.faults import DatabaseFault


def build_console(settings: Settings, database: Database | None = None, project: Project | None = None) -> ASGIApp:
    """The application. Without a database given it opens its own, as banyan_owner, for as long as it runs.

    Raises UsageError when BANYAN_SESSION_SECRET or BANYAN_OWNER_DATABASE_URL is not set, or the project is wrong.
    """
    project = project or load_project(settings.project)
    own = database is None
    database = (
        database
        if database is not None
        else Database(
            settings.require("owner_database_url"),
            size=connections.CONSOLE,
            application_name="banyan console",
            statement_timeout=settings.statement_timeout,
            lock_timeout=settings.lock_timeout,
        )
    )
    sessions = Sessions(settings.require("session_secret"))
    pages = Pages(project, database, sessions)
    jobs, consumers = JobPages(project, database, sessions), ConsumerPages(project, database, sessions)
    inventory = InventoryPage(project, database, sessions)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        if own:
            await database.open()
        try:
            yield
        finally:
            if own:
                await database.close()

    application = Starlette(
        routes=[
            Route("/", pages.show_overview, methods=["GET"]),
            Route("/login", pages.show_login, methods=["GET"]),
            Route("/login", pages.sign_in, methods=["POST"]),
            Route("/logout", pages.sign_out, methods=["POST"]),
            Route("/consumers", consumers.show_all, methods=["GET"]),
            Route("/consumers/{code}", consumers.show_one, methods=["GET"]),
            Route("/inventory", inventory.show, methods=["GET"]),
            Route("/jobs", jobs.show_all, methods=["GET"]),
            Route("/jobs/{number:int}", jobs.show_one, methods=["GET"]),
            Route("/jobs/{number:int}/retry", jobs.retry, methods=["POST"]),
            Route("/jobs/{number:int}/cancel", jobs.cancel, methods=["POST"]),
            Mount("/static", StaticFiles(packages=[("api_gateway.console", "static")])),
        ],
        exception_handlers={
            HTTPException: pages.refuse,
            DatabaseFault: pages.database_is_away,
            Exception: pages.something_broke,
        },
        lifespan=lifespan,
    )
    return Guard(application)  # around all of it, so that the answer to a crash is guarded too
