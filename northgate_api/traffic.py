"""Four simulated partners that call the edge as real ones do: two politely, two rudely.

For the demonstration only: `banyan up --traffic`. They know the secrets of the legacy app's own demonstration seed, as
a partner's program knows its own.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import itertools
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import httpx2

from api_gateway.consumers import CredentialKind

PAUSE = (0.5, 1.1)  # seconds between two calls of one partner: four of them make about five calls a second
SCOPES = ("customers:read", "invoices:read", "items:read", "orders:read", "orders:write")
ITEMS = ("NS-10001", "NS-10003", "NS-10009", "NS-10011", "NS-10016", "NS-10023")


@dataclass(frozen=True, slots=True)
class Call:
    """One request, as a partner's program writes it. `abandon`: it hangs up without waiting for the answer."""

    method: str
    target: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    abandon: bool = False


@dataclass(frozen=True, slots=True)
class SimulatedPartner:
    """A partner: how it is registered, and what it calls."""

    code: str
    name: str
    legacy_code: str
    rude: bool = False
    scopes: Sequence[str] = SCOPES

    @property
    def values(self) -> dict[str, str]:
        return {"prt_cd": self.legacy_code}

    @property
    def token(self) -> str:
        return _demonstration_secret("token", self.legacy_code)

    @property
    def login(self) -> str:
        return f"{self.legacy_code}:{_demonstration_secret('password', self.legacy_code)}"

    @property
    def credentials(self) -> tuple[tuple[CredentialKind, str], ...]:
        """What legacy knows this partner by, in each of its endpoints' ways."""
        return (("query", self.token), ("header", self.token), ("form", self.token), ("basic", self.login))

    def calls(self, chance: random.Random) -> Iterator[Call]:
        """An endless day: mostly looking, sometimes ordering; a rude partner errs in between."""
        habits = [self._list, self._status, self._list, self._stock, self._price, self._status, self._invoice]
        for turn in itertools.count():
            yield habits[turn % len(habits)](chance)
            if turn % 25 == 24:
                yield self._order(chance)
            if self.rude and turn % 4 == 3:
                yield self._rudeness(chance)

    def _list(self, chance: random.Random) -> Call:
        extra = ("", f"&page={chance.randint(1, 4)}", f"&since=2026-10-{chance.randint(1, 28):02d}", "&status=40")
        return Call("GET", f"/partner/orders.xml?token={self.token}{chance.choice(extra)}")

    def _status(self, chance: random.Random) -> Call:
        return Call("GET", f"/partner/order_status?no={chance.randint(1, 1000)}", self._token_header)

    def _stock(self, chance: random.Random) -> Call:
        return Call("GET", f"/partner/stock.csv?token={self.token}&cat={chance.choice(['SAFE', 'ADH', 'JAN'])}")

    def _price(self, chance: random.Random) -> Call:
        target = f"/index.php?action=price&item={chance.choice(ITEMS)}&qty={chance.choice([1, 12, 100])}"
        return Call("GET", target, self._token_header)

    def _invoice(self, chance: random.Random) -> Call:
        return Call("GET", f"/partner/invoice/{chance.randint(1, 800)}.txt", self._basic_header)

    def _order(self, chance: random.Random) -> Call:
        reference = f"SIM-{self.code}-{chance.getrandbits(48):012x}"
        form = f"token={self.token}&cust={self.legacy_code}&ref={reference}&item1={chance.choice(ITEMS)}&qty1=1"
        return Call("POST", "/partner/order_in", _FORM, form.encode())

    def _rudeness(self, chance: random.Random) -> Call:
        return chance.choice(
            (
                Call("GET", "/partner/orders.xml?token=wrong"),
                Call("GET", f"/partner/orders.xml?token={self.token}&since=yesterday"),
                Call("GET", f"/partner//orders.xml?token={self.token}"),
                Call("GET", f"/partner/%6frders.xml?token={self.token}"),
                Call("GET", f"/partner/orders.xml?token={self.token}&page=-1", abandon=True),
                Call("GET", "/partner/order_status?no=%00%27--", self._token_header),
                Call("GET", f"/partner/order_status?ref={quote('Ø/?&#', safe='')}", self._token_header),
                Call("POST", "/partner/order_in", _FORM, b"token=" + self.token.encode() + b"&cust="),
                Call("GET", "/partner/nothing_here"),
            )
        )

    @property
    def _token_header(self) -> dict[str, str]:
        return {"X-Partner-Token": self.token}

    @property
    def _basic_header(self) -> dict[str, str]:
        return {"Authorization": f"Basic {base64.b64encode(self.login.encode()).decode()}"}


_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def _demonstration_secret(what: str, partner: str) -> str:
    return hashlib.sha256(f"northgate-demo-{what}-{partner}".encode()).hexdigest()[:32]


partners = [
    SimulatedPartner("acme", "Acme Hardware", "ACME"),
    SimulatedPartner("bolt", "Bolt & Sons", "BOLT"),
    SimulatedPartner("crane", "Crane Facility Services", "CRANE", rude=True),
    SimulatedPartner("delta", "Delta Marine", "DELTA", rude=True),
]


@dataclass(slots=True)
class Tally:
    """What the partners saw. A failure is what a partner's program would wake somebody up for: no answer, or a 5xx."""

    path: Path
    requests: int = 0
    failed: int = 0
    last_failure: str | None = None

    def add(self, call: Call, failure: str | None) -> None:
        self.requests += 1
        if failure is not None:
            self.failed += 1
            self.last_failure = f"{call.method} {call.target.partition('?')[0]}: {failure}"

    def write(self) -> None:
        unfinished = self.path.with_suffix(".part")
        seen = {"requests": self.requests, "failed": self.failed, "last_failure": self.last_failure}
        unfinished.write_text(json.dumps(seen))
        unfinished.replace(self.path)


async def run(edge: str, tally_path: Path) -> None:
    """Call until cancelled; `tally_path` gets `{"requests", "failed", "last_failure"}` twice a second."""
    tally = Tally(tally_path)
    tally.write()
    async with asyncio.TaskGroup() as group:
        for seed, partner in enumerate(partners):
            group.create_task(_live(partner, random.Random(seed), edge, tally))
        group.create_task(_write_often(tally))


async def _write_often(tally: Tally) -> None:
    while True:
        await asyncio.sleep(0.5)
        tally.write()


async def _live(partner: SimulatedPartner, chance: random.Random, edge: str, tally: Tally) -> None:
    async with httpx2.AsyncClient(base_url=edge, timeout=15) as client:
        for call in partner.calls(chance):
            tally.add(call, await _make(client, call))
            await asyncio.sleep(chance.uniform(*PAUSE))


async def _make(client: httpx2.AsyncClient, call: Call) -> str | None:
    """None when all is well, else what went wrong."""
    target = httpx2.URL(
        str(client.base_url).rstrip("/"), raw_path=call.target.encode()
    )  # odd spellings stay as written
    request = httpx2.Request(call.method, target, headers=call.headers, content=call.body)
    try:
        if call.abandon:
            await asyncio.wait_for(client.send(request), 0.001)
        answer = await client.send(request)
    except TimeoutError:
        return None
    except httpx2.HTTPError as error:
        return type(error).__name__
    return str(answer.status_code) if answer.status_code >= 500 else None
