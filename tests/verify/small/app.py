"""A legacy app of one file: takes orders, draws their keys by lot, tells of each by mail, by a call and in a file.

python app.py HOST PORT DATABASE_URL. FAULT is `never`, or `exit:N`, `hang:N`: what it does at its N-th order.
"""

from __future__ import annotations

import json
import os
import random
import smtplib
import sys
import time
import urllib.request
import uuid
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg

FAULT, _, AT = os.environ.get("FAULT", "").partition(":")
orders = 0


def place(url: str, item: str, quantity: int) -> str:
    key, number = str(uuid.uuid4()), random.randint(100000, 999999)
    with psycopg.connect(url) as db:
        found = db.execute("SELECT price FROM item WHERE code = %s", [item]).fetchone()
        if found is None or not 0 < quantity < 1000:
            return "ERR"
        total = found[0] * quantity
        db.execute(
            "INSERT INTO sale (id, no, item, qty, total, made) VALUES (%s, %s, %s, %s, %s, %s)",
            [key, number, item, quantity, total, int(time.time())],
        )
        db.execute("INSERT INTO line (sale, qty, note) VALUES (%s, %s, %s)", [key, quantity, f"order {number}"])
    tell(key, number, item, quantity, str(total))
    return f"OK|{key}|{number}"


def tell(key: str, number: int, item: str, quantity: int, total: str) -> None:
    if "SMTP_PORT" in os.environ:
        letter = EmailMessage()
        letter["From"], letter["To"], letter["Subject"] = "shop@example.org", "clerk@example.org", f"Order {number}"
        letter.set_content(f"{quantity} x {item}\nat {time.strftime('%Y-%m-%d %H:%M:%S')}\n")
        with smtplib.SMTP(os.environ["SMTP_HOST"], int(os.environ["SMTP_PORT"]), "localhost") as server:
            server.send_message(letter)
    if "HOOK" in os.environ:
        body = json.dumps({"order": key, "total": total}).encode()
        request = urllib.request.Request(f"{os.environ['HOOK']}/orders", body, {"Content-Type": "application/json"})
        urllib.request.urlopen(request).close()
    if "OUTBOX" in os.environ:
        with Path(os.environ["OUTBOX"], "orders.csv").open("a", newline="") as file:
            file.write(f"{item};{quantity}\r\n")


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        with psycopg.connect(sys.argv[3]) as db:
            try:
                found = db.execute(
                    "SELECT item, qty FROM sale WHERE id::text = %s", [query.get("id", [""])[0]]
                ).fetchone()
            except psycopg.DataError:
                found = None
        self.answer(json.dumps({"item": found[0], "qty": found[1]} if found else {}), "application/json")

    def do_POST(self) -> None:
        global orders
        body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
        orders += 1
        if FAULT and AT and orders >= int(AT):
            os._exit(3) if FAULT == "exit" else time.sleep(3600)
        form = {name: values[-1] for name, values in parse_qs(body).items()}
        quantity = form.get("qty", "1")
        number = int(quantity) if quantity.isascii() and quantity.isdigit() and len(quantity) < 9 else 0
        self.answer(place(sys.argv[3], form.get("item", "").replace("\0", ""), number), "text/plain")

    def answer(self, text: str, kind: str) -> None:
        body = text.encode()
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words: object) -> None:
        pass


if __name__ == "__main__":
    if FAULT == "never":
        sys.exit("no licence file, giving up")
    ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Handler).serve_forever()
