"""The simulated partners of the demonstration: four programs that call the edge, polite and rude, thrice a second.

They do what such programs do: list orders, ask for one, look at stock and prices, now and then place or cancel one;
and they send wrong tokens, nonsense, odd spellings, and hang up in the middle. What counts as failed is what a partner
would call about: no whole answer, or a 5xx.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import random
import re
from base64 import b64encode
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import httptools

from api_gateway.consumers import CredentialKind

PAUSE = (0.8, 1.8)  # seconds between two requests of one partner
TIMEOUT = 15.0
MOST_ORDERS = 500  # placed by one partner in one run; a demonstration must not fill a disk
SCOPES = (
    *("customers:read", "customers:write", "customer-notes:read", "customer-notes:write"),
    *("items:read", "orders:read", "orders:write", "invoices:read", "prices:write"),
)


def _secret(kind: str, code: str) -> str:
    """As the legacy seed makes them."""
    return hashlib.sha256(f"northgate-demo-{kind}-{code}".encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class SimulatedPartner:
    """A consumer to register, with what the legacy protocol knows it by. `rudeness`: share of requests that are odd."""

    code: str
    name: str
    legacy_code: str
    rudeness: float
    scopes: tuple[str, ...] = SCOPES

    @property
    def token(self) -> str:
        return _secret("token", self.legacy_code)

    @property
    def login(self) -> str:
        return f"{self.legacy_code}:{_secret('password', self.legacy_code)}"

    @property
    def values(self) -> Mapping[str, str]:
        return {"prt_cd": self.legacy_code}

    @property
    def credentials(self) -> tuple[tuple[CredentialKind, str], ...]:
        return (("query", self.token), ("form", self.token), ("header", self.token), ("basic", self.login))


partners = [
    SimulatedPartner("acme", "Acme Industrial Group", "ACME", rudeness=0.05),
    SimulatedPartner("bolt", "Bolt & Nut Direct", "BOLT", rudeness=0.25),
    SimulatedPartner("crane", "Crane Équipement Ltée", "CRANE", rudeness=0.1),
    SimulatedPartner("delta", "Delta Facility Services", "DELTA", rudeness=0.35),
]


async def run(edge_url: str, statistics: Path) -> None:
    """Call until cancelled. `statistics`: a JSON file, replaced every second, with what `Tally.write` puts there."""
    tally = Tally()
    callers = [Caller(partner, edge_url, tally) for partner in partners]
    async with asyncio.TaskGroup() as group:
        for caller in callers:
            group.create_task(caller.call_forever())
        while True:
            tally.write(statistics)
            await asyncio.sleep(1)


@dataclass(slots=True)
class Tally:
    """What came of it. `failures`: the last fifty, without anybody's token."""

    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    requests: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    abandoned: int = 0
    by_status: Counter[str] = field(default_factory=Counter)
    failures: deque[dict[str, str]] = field(default_factory=lambda: deque(maxlen=50))

    def fail(self, partner: str, request: Asked, why: str) -> None:
        self.failed[partner] += 1
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        target = request.target.partition("?")[0]
        self.failures.append({"at": now, "partner": partner, "request": f"{request.method} {target}", "why": why})

    def write(self, path: Path) -> None:
        document = {
            "started": self.started.isoformat(timespec="seconds"),
            "updated": datetime.now(UTC).isoformat(timespec="seconds"),
            "requests": self.requests.total(),
            "failed": self.failed.total(),
            "abandoned": self.abandoned,
            "by_status": dict(sorted(self.by_status.items())),
            "by_partner": {
                code: {"requests": count, "failed": self.failed[code]} for code, count in sorted(self.requests.items())
            },
            "failures": list(self.failures),
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f"{path.name}.{os.getpid()}")
        beside.write_text(json.dumps(document, indent=1))
        beside.replace(path)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request. `abandon`: hang up once it is sent, or after that many bytes of it."""

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] | None = None
    body: bytes = b""
    abandon: bool | int = False

    def wire(self, host: str) -> bytes:
        body = urlencode(self.form).encode() if self.form is not None else self.body
        headers = {"Host": host, "User-Agent": "partner/1.0", "Connection": "close", **self.headers}
        if self.form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        if self.method == "POST":
            headers["Content-Length"] = str(len(body))
        lines = [f"{self.method} {self.target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


class Answer:
    """What httptools reports of an answer."""

    def __init__(self) -> None:
        self.status, self.is_whole, self.body = 0, False, bytearray()

    def on_body(self, piece: bytes) -> None:
        self.body += piece

    def on_message_complete(self) -> None:
        self.is_whole = True


class Caller:
    """One partner's program: it remembers orders and items that it has seen, and asks about those."""

    def __init__(self, partner: SimulatedPartner, edge_url: str, tally: Tally) -> None:
        self._partner, self._tally = partner, tally
        where = urlsplit(edge_url)
        self._host, self._port = where.hostname or "127.0.0.1", where.port or 80
        self._random = random.Random(partner.code)
        self._orders: deque[str] = deque(["1"], maxlen=200)
        self._items: deque[str] = deque(["NS-10023"], maxlen=200)
        self._placed: deque[str] = deque(maxlen=20)
        self._count = 0
        weights: list[tuple[int, Callable[[], Asked]]] = [
            (30, self._list), (30, self._status), (18, self._price), (4, self._stock), (4, self._invoice),
            (3, self._place), (1, self._cancel),
        ]  # fmt: skip
        self._polite = [deed for weight, deed in weights for _ in range(weight)]

    async def call_forever(self) -> None:
        while True:
            await asyncio.sleep(self._random.uniform(*PAUSE))
            await self.call(self.next_request())

    def next_request(self) -> Asked:
        """The same ones in the same order in every run, as far as the answers are the same."""
        is_rude = self._random.random() < self._partner.rudeness
        return self._rude() if is_rude else self._random.choice(self._polite)()

    async def call(self, asked: Asked) -> Answer | None:
        """Send it and take note of what came. None when it was abandoned, or failed without an answer."""
        self._tally.requests[self._partner.code] += 1
        try:
            async with asyncio.timeout(TIMEOUT):
                answer = await self._exchange(asked)
        except (OSError, TimeoutError, httptools.HttpParserError) as error:
            self._tally.fail(self._partner.code, asked, type(error).__name__)
            return None
        if answer is None:
            self._tally.abandoned += 1
            return None
        self._tally.by_status[str(answer.status)] += 1
        if answer.status >= 500 or not (answer.is_whole or asked.method == "HEAD"):
            self._tally.fail(self._partner.code, asked, f"status {answer.status}" if answer.is_whole else "cut answer")
        self._remember(asked, bytes(answer.body))
        return answer

    async def _exchange(self, asked: Asked) -> Answer | None:
        reader, writer = await asyncio.open_connection(self._host, self._port)
        try:
            wire = asked.wire(f"{self._host}:{self._port}")
            writer.write(wire if asked.abandon in (False, True) else wire[: asked.abandon])
            await writer.drain()
            if asked.abandon is not False:
                return None
            answer = Answer()
            parser = httptools.HttpResponseParser(answer)
            while not answer.is_whole and (piece := await reader.read(65536)):
                parser.feed_data(piece)
                answer.status = parser.get_status_code()
            return answer
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    def _remember(self, asked: Asked, body: bytes) -> None:
        text = body.decode("latin-1")
        if "orders.xml" in asked.target:
            self._orders.extend(re.findall(r'<order no="(\d+)"', text))
        elif "stock.csv" in asked.target:
            self._items.extend(self._random.sample(found, min(20, len(found))) if (found := _items(text)) else ())
        elif "order_in" in asked.target and text.startswith("OK|"):
            self._placed.append(text[3:].strip())

    # What a partner's program does on an ordinary day.

    def _list(self) -> Asked:
        further: dict[str, Any] = self._random.choice(
            [
                {},
                {},
                {"page": self._random.randint(1, 4)},
                {"since": f"2026-{self._random.randint(1, 10):02}-01"},
                {"status": self._random.choice([10, 20, 30, 40, 90]), "page": self._random.randint(1, 2)},
            ]
        )
        return Asked("GET", f"/partner/orders.xml?{urlencode({'token': self._partner.token, **further})}")

    def _status(self) -> Asked:
        number = self._random.choice([*self._orders, *self._placed])
        query = {"no": number} if self._random.random() < 0.9 else {"no": number, "ref": f"{self._partner.code}-1"}
        return Asked("GET", f"/partner/order_status?{urlencode(query)}", {"X-Partner-Token": self._partner.token})

    def _price(self) -> Asked:
        query = {"action": "price", "item": self._random.choice(self._items), "qty": self._random.randint(1, 200)}
        return Asked("GET", f"/index.php?{urlencode(query)}", {"X-Partner-Token": self._partner.token})

    def _stock(self) -> Asked:
        return Asked("GET", f"/partner/stock.csv?{urlencode({'token': self._partner.token})}")

    def _invoice(self) -> Asked:
        login = b64encode(self._partner.login.encode()).decode()
        return Asked(
            "GET", f"/partner/invoice/{self._random.randint(1, 40000)}.txt", {"Authorization": f"Basic {login}"}
        )

    def _place(self) -> Asked:
        if self._count >= MOST_ORDERS:
            return self._list()
        self._count += 1
        reference = f"{self._partner.code}-{datetime.now(UTC):%Y%m%d%H%M%S}-{self._count}"
        items = {"item1": self._random.choice(self._items), "qty1": str(self._random.randint(1, 3))}
        form = {"token": self._partner.token, "cust": self._partner.legacy_code, "ref": reference, **items}
        return Asked("POST", "/partner/order_in", form=form)

    def _cancel(self) -> Asked:
        number = self._placed.popleft() if self._placed else "0"
        return Asked("POST", "/partner/order_cancel", form={"token": self._partner.token, "no": number})

    def _rude(self) -> Asked:
        token, number = self._partner.token, self._random.choice(self._orders)
        head = {"X-Partner-Token": token}
        return self._random.choice(
            [
                Asked("GET", "/partner/orders.xml?token=forgotten"),
                Asked("GET", "/partner/orders.xml"),
                Asked("GET", f"/partner/orders.xml?token={token}&page=last"),
                Asked("GET", f"/partner/orders.xml?token={token}&since=yesterday"),
                Asked("GET", f"/partner/orders.xml?token={token}&token={token[:-1]}"),
                Asked("GET", f"/partner/%6frders.xml?token={token}"),
                Asked("GET", f"/partner//orders.xml?token={token}"),
                Asked("GET", f"/partner/./order_status?no={number}", head),
                Asked("HEAD", f"/partner/orders.xml?token={token}"),
                Asked("GET", f"/partner/order_status?no={number}x&debug=1", head),
                Asked("GET", f"/partner/order_status?no={number}"),
                Asked("GET", "/partner/order_status", head),
                Asked("GET", f"/partner/order_status?no={number}", {"x-partner-token": token.upper()}),
                Asked("POST", "/partner/order_in", form={"token": "", "cust": "?"}),
                Asked("GET", "/partner/nothing_here"),
                Asked("GET", f"/partner/orders.xml?token={token}", abandon=True),
                Asked("GET", f"/partner/orders.xml?token={token}", abandon=25),
            ]
        )


def _items(text: str) -> list[str]:
    return re.findall(r"^(NS-\d+);", text, re.MULTILINE)
