"""People are told that something went back by itself: by a webhook, by mail, or both, through a job of the worker's.

The job is there exactly when the ledger's entry is, and is tried again for about a day; nothing waits for it.
"""

from __future__ import annotations

import asyncio
import json
import smtplib
from collections.abc import Mapping
from email.message import EmailMessage
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx2
from procrastinate import App, RetryStrategy
from psycopg import Connection
from sqlalchemy import insert

from api_gateway import events
from api_gateway.ledger import Entry, place
from api_gateway.logging import report
from api_gateway.project import Notices
from api_gateway.settings import Settings
from shared_models.job_tables import queued
from shared_models.statements import run

TASK, QUEUE = "notice", "notices"
TIMEOUT = 10.0
_RETRIES = RetryStrategy(max_attempts=10, exponential_wait=3)  # 3, 9, 27 … seconds: for about a day


def enqueue_notice(connection: Connection[Any], project: str, entry: Entry) -> None:
    """In the transaction of the entry itself."""
    told = {"event": "automatic rollback", "project": project, **entry.as_json()}
    rows = [{"queue_name": QUEUE, "task_name": TASK, "args": {"by": by, "told": told}} for by in ("webhook", "mail")]
    run(connection, insert(queued).values(rows).inline())


def schedule(app: App, settings: Settings, notices: Notices) -> None:
    """Register the job with the worker's application."""

    @app.task(name=TASK, queue=QUEUE, retry=_RETRIES, pass_context=False)
    async def notice(by: str, told: dict[str, Any]) -> None:
        await tell(by, told, settings, notices)


async def tell(by: str, told: Mapping[str, Any], settings: Settings, notices: Notices) -> None:
    """By `webhook` or by `mail`, where that is set up. Raises what keeps it from arriving: it is tried again then."""
    if by == "mail" and settings.smtp_url is not None and notices.mail_to:
        await asyncio.to_thread(_mail, settings.smtp_url.get_secret_value(), notices, told)
    elif by == "webhook" and settings.notice_webhook is not None:
        async with httpx2.AsyncClient(timeout=TIMEOUT) as client:
            answer = await client.post(settings.notice_webhook.get_secret_value(), json=dict(told))
        answer.raise_for_status()
    else:
        return
    report(events.NoticeSent(str(told["route"]), by))


def _mail(url: str, notices: Notices, told: Mapping[str, Any]) -> None:
    server = urlsplit(url)
    kind = smtplib.SMTP_SSL if server.scheme == "smtps" else smtplib.SMTP
    message = EmailMessage()
    where = place(str(told["route"]), told["consumer"])
    message["Subject"] = f"[{told['project']}] {where} went back to {told['to']}"
    message["From"], message["To"] = notices.mail_from, ", ".join(notices.mail_to)
    lines = [f"{where}: {told['from']} to {told['to']} at {told['at']}, by itself.", "", f"Why: {told['reason']}", ""]
    message.set_content("\n".join([*lines, json.dumps(told["evidence"], indent=1)]))
    with kind(server.hostname or "localhost", server.port or 0, timeout=TIMEOUT) as smtp:
        smtp.ehlo()
        if server.scheme == "smtp" and smtp.has_extn("starttls"):
            smtp.starttls()
        if server.username:
            smtp.login(unquote(server.username), unquote(server.password or ""))
        smtp.send_message(message)
