"""What grows is cut back: answers kept for their key, the journal, jobs long over, recordings, old comparisons, counts.

All of it runs as jobs, by the database's clock.
"""

from __future__ import annotations

from datetime import timedelta

import psycopg
from procrastinate import App
from sqlalchemy import Delete, delete, func

from api_gateway.jobs import listing
from shared_models.state import (
    account_session,
    call_count,
    comparison,
    idempotency,
    journal,
    process,
    pulse,
    recording,
    reverted,
    unlisted,
    upload,
    verified,
)
from shared_models.statements import run_async

KEEP_PROCESSES = timedelta(days=1)
KEEP_COMPARISONS = timedelta(days=90)
KEEP_COUNTS = timedelta(days=400)
KEEP_UNLISTED = timedelta(days=400)
KEEP_PULSES = timedelta(days=1)
KEEP_JOURNAL = timedelta(days=2)
KEEP_REVERTED = timedelta(days=90)
KEEP_VERIFIED = timedelta(days=400)
KEEP_JOBS = timedelta(days=7)
KEEP_FAILED_JOBS = timedelta(days=90)
KEEP_SIGN_INS = timedelta(days=7)  # ended ones; far longer than an access token lives
KEEP_UNTAKEN = timedelta(hours=2)


def cuts() -> list[Delete]:
    """One statement per table."""
    return [
        delete(idempotency).where(idempotency.c.expires_at < func.now()),
        delete(process).where(process.c.seen < func.now() - KEEP_PROCESSES),
        delete(comparison).where(comparison.c.at < func.now() - KEEP_COMPARISONS),
        delete(call_count).where(call_count.c.hour < func.now() - KEEP_COUNTS),
        delete(recording).where(recording.c.expires_at < func.now()),
        delete(unlisted).where(unlisted.c.day < func.current_date() - KEEP_UNLISTED),
        delete(pulse).where(pulse.c.at < func.now() - KEEP_PULSES),
        delete(journal).where(journal.c.at < func.now() - KEEP_JOURNAL),
        delete(reverted).where(reverted.c.seen < func.now() - KEEP_REVERTED),
        delete(verified).where(verified.c.at < func.now() - KEEP_VERIFIED),
        listing.outdated(KEEP_JOBS, KEEP_FAILED_JOBS),
        delete(account_session).where(account_session.c.expires < func.now()),
        delete(account_session).where(account_session.c.ended < func.now() - KEEP_SIGN_INS),
        delete(upload).where(upload.c.job.is_(None), upload.c.created < func.now() - KEEP_UNTAKEN),
    ]


def schedule(app: App, owner_database_url: str) -> None:
    """Register the job with the worker's application."""

    @app.periodic(cron="*/10 * * * *")
    @app.task(name="housekeeping", queueing_lock="housekeeping", pass_context=False)
    async def housekeeping(timestamp: int) -> None:
        async with await psycopg.AsyncConnection.connect(owner_database_url) as connection:
            for statement in cuts():
                await run_async(connection, statement)
