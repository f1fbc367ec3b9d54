"""Tells of an order by mail, by a call and in a file."""

from __future__ import annotations

import asyncio
import os
import smtplib
import time
from email.message import EmailMessage
from pathlib import Path

import httpx2

from api_gateway.jobs import Work, task


@task()
async def tell(work: Work, key: str, number: int, item: str, quantity: int, total: str) -> None:
    await asyncio.to_thread(_tell, key, number, item, quantity, total)


def _tell(key: str, number: int, item: str, quantity: int, total: str) -> None:
    if "SMTP_PORT" in os.environ:
        letter = EmailMessage()
        letter["From"], letter["To"], letter["Subject"] = "shop@example.org", "clerk@example.org", f"Order {number}"
        letter.set_content(f"{quantity} x {item}\nat {time.strftime('%Y-%m-%d %H:%M:%S')}\n")
        with smtplib.SMTP(os.environ["SMTP_HOST"], int(os.environ["SMTP_PORT"]), "localhost") as server:
            server.send_message(letter)
    if "HOOK" in os.environ:
        httpx2.post(f"{os.environ['HOOK']}/orders", json={"order": key, "total": total})
    if "OUTBOX" in os.environ:
        with Path(os.environ["OUTBOX"], "orders.csv").open("a", newline="") as file:
            file.write(f"{item};{quantity}\r\n")


tasks = [tell]
