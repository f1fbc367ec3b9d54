"""Work that need not happen inside a request, on procrastinate in schema `banyan`.

A job is enqueued in the transaction of whatever asks for it: it exists exactly when that transaction commits.
"""

from __future__ import annotations

from procrastinate import App, PsycopgConnector

from shared_models.state import SCHEMA


def job_app(owner_database_url: str) -> App:
    """The job application of this installation; open it with `async with app.open_async()`."""
    connector = PsycopgConnector(
        conninfo=owner_database_url,
        min_size=1,
        max_size=3,
        kwargs={"options": f"-c search_path={SCHEMA}", "application_name": "banyan worker"},
    )
    return App(connector=connector)
